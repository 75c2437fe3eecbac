/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * workers.h - threads without a loop of their own, which read and answer what a loop handed to them:
 * when all of them were busy, a request had to wait for one.
 *
 * A worker is idle while it sleeps until a thread that is no worker wakes it. Before the first and after
 * the last that is known of it nothing is claimed: then it counts as idle.
 */
#ifndef EPOLLSCOPE_WORKERS_H
#define EPOLLSCOPE_WORKERS_H

#include "explain/history.h"

#define WORKERS_MAX 64

struct worker {
	uint32_t tid;
	uint64_t from, to;	/* known between these */
};

/* Zeroed. */
struct workers {
	struct worker list[WORKERS_MAX];
	size_t n;
};

/* Whether an exchange was read and answered by a worker. */
static inline bool is_by_worker(const struct ev_exchange *x)
{
	return !x->turn && x->tid == x->reader_tid;
}

/* All that the history knows; it is indexed. */
void workers_find(struct workers *w, const struct history *h);

/*
 * How long in [from, to) none of them was idle; *busy_ns: for how long they were busy in that time, added
 * up over all of them.
 */
uint64_t workers_busy(const struct workers *w, const struct history *h, uint64_t from, uint64_t to,
		      uint64_t *busy_ns);

/* Whether the worker waited for work in this interval off the CPU. */
bool workers_idle_in(const struct workers *w, const struct ev_offcpu *o);

#endif
