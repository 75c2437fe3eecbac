/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tail.h - the P99 of a sliding window, from a histogram that only grows.
 *
 * Pure: fed with the totals and the time, it keeps a total for each slot of the window and takes
 * the difference to the oldest.
 *
 * struct tail_judge says the same of exchanges that are all there, recorded or being recorded: the
 * kernel side's decision, made again from records and ticks alone, so that a capture's tail is the
 * one that was printed while it was written.
 */
#ifndef EPOLLSCOPE_TAIL_H
#define EPOLLSCOPE_TAIL_H

#include "model/model.h"

#define TAIL_SLOTS 6
#define TAIL_WINDOW_NS (60ULL * 1000000000)
#define TAIL_WINDOW_MIN_NS (1000ULL * 1000000)
#define TAIL_WINDOW_MAX_NS (3600ULL * 1000000000)
#define TAIL_MIN_SAMPLES 100	/* fewer make no P99 */

struct tail {
	uint64_t window_ns;		/* 0: TAIL_WINDOW_NS */
	struct hist then[TAIL_SLOTS];	/* totals at the start of each slot, a ring */
	uint64_t slot_ns;		/* when the current slot began; 0 before the first feed */
	unsigned slot;
};

/* The lower bound of the P99's bucket, so that "at or above" holds it; 0 (all) while too few. */
uint64_t tail_threshold(struct tail *t, const struct hist *total, uint64_t now_ns);

#define TAIL_EVERY_NS (100ULL * 1000000)	/* how often the threshold is taken */
#define TAIL_PAST 64	/* thresholds kept: exchanges are judged when their answer is complete */

/* Zeroed but for tail.window_ns. */
struct tail_judge {
	struct tail tail;
	struct hist seen;
	struct {
		uint64_t since_ns, threshold_ns;
	} past[TAIL_PAST];		/* a ring */
	unsigned newest;		/* past[0] at first: everything */
	uint64_t next_ns;
};

void tail_judge_see(struct tail_judge *j, uint64_t latency_ns);
void tail_judge_tick(struct tail_judge *j, uint64_t now_ns);

/* The least latency of the tail's exchanges at that time, not long ago; 0: all are. */
uint64_t tail_judge_threshold(const struct tail_judge *j, uint64_t at_ns);

#endif
