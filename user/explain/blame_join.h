/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blame_join.h - what the files of the blame share. */
#ifndef EPOLLSCOPE_BLAME_JOIN_H
#define EPOLLSCOPE_BLAME_JOIN_H

#include "explain/blame.h"
#include "explain/stage_map.h"
#include "explain/workers.h"

struct join {
	const struct history *h;
	struct blame_sums *out;
	struct workers workers;
	uint64_t *services;	/* on-CPU time of each tail exchange's service, for the median */
};

/*
 * Adds to the row of a key, which may be an interval or a turn as long as `whole_ns`. A full table
 * gives its smallest row to a newcomer.
 */
struct blame_row *blame_row_add(struct blame_table *t, uint64_t key, uint64_t ns, uint64_t whole_ns);

/* The dispatch of an exchange that a worker read: the loop has handed it over. */
void blame_worker(const struct join *j, const struct stage_span *s);

/*
 * A service that was answered in a later turn than it was read in, of which the thread was neither
 * runnable nor blocked for `awake_ns`. Returns its own work on the CPU; the rest has its causes.
 */
uint64_t blame_async(const struct join *j, const struct ev_exchange *x, const struct stage_span *s,
		     uint64_t awake_ns);

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline void max_u64(uint64_t *max, uint64_t v)
{
	if (v > *max)
		*max = v;
}

#endif
