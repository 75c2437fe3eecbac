/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* span.h - how much of one stretch of time another one covers. */
#ifndef EPOLLSCOPE_SPAN_H
#define EPOLLSCOPE_SPAN_H

#include <stdint.h>

static inline uint64_t span_overlap(uint64_t from, uint64_t to, uint64_t start, uint64_t end)
{
	uint64_t lo = from > start ? from : start, hi = to < end ? to : end;

	return hi > lo ? hi - lo : 0;
}

#endif
