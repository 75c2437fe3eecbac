/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * holds.h - times in which a loop did not get round to its wait, and what a request that came at a
 * random moment would have waited for its loop because of them: the open-loop wait.
 *
 * A client that waits for its answer before it asks again (closed loop) stops asking while the loop
 * is held, so that its percentiles hide a hold; this does not. With T the time watched,
 *
 *	P(wait > t) = sum over all turns of max(0, turn - t) / T
 *
 * Several loops: a request lands on a loop by that loop's share of the exchanges, so P is the mean of
 * the loops' own, weighted by their exchanges (by their accepts where nothing was exchanged).
 */
#ifndef EPOLLSCOPE_HOLDS_H
#define EPOLLSCOPE_HOLDS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hist.h"
#include "bpf/events.h"

struct aggregate;

/* A long turn. */
struct hold {
	uint64_t start_ns, end_ns;	/* CLOCK_MONOTONIC */
	uint64_t turn;			/* of the thread */
	uint64_t runnable_ns, blocked_ns;
	uint64_t conn, conn_ns;		/* the connection that was served longest, and how long */
	uint64_t own_ns;		/* the longest that none was served */
	uint64_t call_ns;		/* the longest blocking in it; 0: none is known */
	uint32_t call, kind;		/* its system call and enum offcpu_kind */
	uint32_t pid, tid;
	uint32_t flags;			/* enum turn_flags */
	uint32_t touched;		/* connections and files that had input or output */
	uint32_t waiting;		/* events that were there when it ended; connections unread */
	char comm[COMM_LEN + 1];
	struct flow flow;		/* of conn; family 0: not known */
};

enum held_by {
	HELD_UNKNOWN,
	HELD_CONN,	/* one connection was served for half of its work or longer */
	HELD_OWN,	/* none was: the loop's own work, as timers */
	HELD_SEVERAL,	/* many were, one after the other */
};

enum held_by hold_by(const struct hold *h);

static inline uint64_t hold_ns(const struct hold *h)
{
	return h->end_ns > h->start_ns ? h->end_ns - h->start_ns : 0;
}

/* Time on the CPU. */
uint64_t hold_oncpu_ns(const struct hold *h);

#define HOLD_MAX_NS	10000000ULL	/* a turn so long is a hold, */
#define HOLD_MIN_NS	1000000ULL	/* one of less is none, */
#define HOLD_MEDIANS	10		/* and between these, one of so many times the median */
#define HOLDS_SHOWN	16

/* Of the loops that serve and that nobody else polls for. */
struct holds {
	bool known;		/* there was such a loop, and its turns were seen */
	uint64_t limit_ns;	/* a turn so long counts */
	uint64_t count, sum_ns, max_ns;
	uint64_t long_count;	/* of HOLD_MAX_NS or longer */
	double deaf;		/* their share of the time, weighted as above: 0 to 1 */
	uint64_t p50_ns, p90_ns, p99_ns, p999_ns;	/* of the open-loop wait */
	uint64_t waiting;	/* that waited behind those that are kept, without those that held */
	struct hold *worst;	/* longest first; HOLDS_SHOWN or less */
	size_t n_worst;
};

/*
 * From all turns of the loops and the holds that were kept, of which those that began before the
 * watch or have not ended are in no histogram. 0 or -ENOMEM.
 */
int holds_fill(struct holds *out, const struct aggregate *a, const struct hold *kept, size_t n,
	       uint64_t window_ns);

/* --- the open-loop wait by itself --- */

struct open_hold {
	uint64_t ns;
	double weight;		/* how often, divided by the time watched */
};

struct open_loop {
	struct open_hold *list;
	size_t n, room;
};

int open_loop_add(struct open_loop *o, uint64_t ns, double weight);	/* 0 or -ENOMEM */
void open_loop_sort(struct open_loop *o);	/* once, after the last */

/* The least t for which P(wait > t) is at most `beyond`, as 0.01 for the P99. */
uint64_t open_loop_wait_ns(const struct open_loop *o, double beyond);
void open_loop_free(struct open_loop *o);

#endif
