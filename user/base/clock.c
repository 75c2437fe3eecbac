/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.c - see clock.h. */
#include <time.h>

#include "base/clock.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t realtime_offset_ns(void)
{
	return (int64_t)read_clock(CLOCK_REALTIME) - (int64_t)monotonic_ns();
}

uint64_t own_cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
