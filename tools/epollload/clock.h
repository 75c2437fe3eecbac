/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - CLOCK_MONOTONIC in nanoseconds: the clock of epollscope and of every truth file. */
#ifndef EPOLLLOAD_CLOCK_H
#define EPOLLLOAD_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000ull

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

#endif
