/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.c - see clock.h. */
#include <time.h>

#include "base/clock.h"

uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int64_t realtime_offset_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - (int64_t)monotonic_ns();
}
