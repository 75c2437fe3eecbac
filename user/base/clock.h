/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - the clock of every time stamp, its distance to the wall clock, and our CPU time. */
#ifndef EPOLLSCOPE_CLOCK_H
#define EPOLLSCOPE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in ns: what the kernel side stamps with. */
uint64_t monotonic_ns(void);

/* What to add to CLOCK_MONOTONIC for ns since the epoch, as of now. */
int64_t realtime_offset_ns(void);

/* CPU time that this process has used so far, in all threads. */
uint64_t own_cpu_ns(void);

#endif
