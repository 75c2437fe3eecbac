/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - CLOCK_MONOTONIC in nanoseconds: the clock of epollscope and of every truth file. */
#ifndef TOOLS_CLOCK_H
#define TOOLS_CLOCK_H

#include <errno.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000ull

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static inline uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Sleeps that long, whatever signals come meanwhile. */
static inline void sleep_ns(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

#endif
