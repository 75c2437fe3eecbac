/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tail.h - the P99 of a sliding window, from a histogram that only grows.
 *
 * Pure: fed with the totals and the time, it keeps a total for each slot of the window and takes
 * the difference to the oldest.
 */
#ifndef EPOLLSCOPE_TAIL_H
#define EPOLLSCOPE_TAIL_H

#include "model.h"

#define TAIL_SLOTS 6
#define TAIL_WINDOW_NS (60ULL * 1000000000)
#define TAIL_MIN_SAMPLES 100	/* fewer make no P99 */

struct tail {
	struct hist then[TAIL_SLOTS];	/* totals at the start of each slot, a ring */
	uint64_t slot_ns;		/* when the current slot began; 0 before the first feed */
	unsigned slot;
};

/* The lower bound of the P99's bucket, so that "at or above" holds it; 0 (all) while too few. */
uint64_t tail_threshold(struct tail *t, const struct hist *total, uint64_t now_ns);

#endif
