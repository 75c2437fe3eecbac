/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - the clock of every time stamp, its distance to the wall clock, and our CPU time. */
#ifndef EPOLLSCOPE_CLOCK_H
#define EPOLLSCOPE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What the kernel side stamps with. */
static inline uint64_t monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* What to add to CLOCK_MONOTONIC for ns since the epoch, as of now. */
static inline int64_t realtime_offset_ns(void)
{
	return (int64_t)clock_ns(CLOCK_REALTIME) - (int64_t)monotonic_ns();
}

/* CPU time that this process has used so far, in all threads. */
static inline uint64_t own_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

#endif
