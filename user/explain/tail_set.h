/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tail_set.h - which exchanges of a whole watch are its tail, looked back at from the end.
 *
 * Each exchange is judged by the P99 of the window that it ended in. The window slides by a sixth of
 * itself: it ends with the sixth that the exchange is in, but the first one is for all that is in
 * it. So a watch that is no longer than a window has one P99, and a longer one follows its load.
 * Pure: fed with every exchange, in any order.
 */
#ifndef EPOLLSCOPE_TAIL_SET_H
#define EPOLLSCOPE_TAIL_SET_H

#include "model/model.h"

#define TAIL_SET_SLOTS 4096	/* sixths that are kept: 11 hours of a minute's window */

struct tail_slot;

struct tail_set {
	uint64_t start_ns, slot_ns;
	struct tail_slot *slots[TAIL_SET_SLOTS];	/* NULL: nothing ended in it */
	size_t n;		/* up to the last that is not */
	/* To be read at the end: */
	bool slides;		/* there is more than one window */
	uint64_t count;		/* exchanges of the tail, whether they were kept or not */
	uint64_t late;		/* exchanges that came after the last slot: they are of no tail */
};

struct tail_set *tail_set_new(void);	/* NULL when out of memory */
void tail_set_free(struct tail_set *t);	/* NULL is fine */

/* Before the first exchange. */
void tail_set_begin(struct tail_set *t, uint64_t start_ns, uint64_t window_ns);

/*
 * Adds an exchange that ended at `time_ns`. Returns whether it may turn out to be of the tail, as
 * far as can be told yet: it is among the slower tenth of its window.
 */
bool tail_set_add(struct tail_set *t, uint64_t time_ns, uint64_t latency_ns);

/* After the last; what follows is answered only then. */
void tail_set_end(struct tail_set *t);

/* Of the window that an exchange is judged by: the P99's lower bound; the median. */
uint64_t tail_set_from(const struct tail_set *t, uint64_t time_ns);
uint64_t tail_set_median(const struct tail_set *t, uint64_t time_ns);

#endif
