/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * blame.h - what made the tail slow, and who: joins slow exchanges with the turns and the absences
 * from the CPU of the threads that they waited for, by thread and time.
 *
 * Pure: fed with records in any order, it remembers the last of each kind (memory fixed at
 * creation) and joins them when asked. Every nanosecond of the tail goes to one cause.
 */
#ifndef EPOLLSCOPE_BLAME_H
#define EPOLLSCOPE_BLAME_H

#include "model/model.h"

#define BLAME_NAMES 8	/* of each table: the largest; the rest is in the total */
#define BLAME_CHAIN 4	/* wakers behind a waker that are followed */

/* Where a nanosecond of the tail's latency went. */
enum cause {
	CAUSE_ACCEPT,
	CAUSE_RECEIVE,
	CAUSE_WAKEUP,
	CAUSE_CPU,	/* runnable: in the run queue, or preempted in busy, dispatch or service */
	CAUSE_LOCK,	/* blocked in futex */
	CAUSE_STOPPED,
	CAUSE_BLOCKED,	/* blocked otherwise */
	CAUSE_HELD,	/* busy and dispatch, while one other connection's handler ran */
	CAUSE_BATCH,	/* busy and dispatch, while many were served in turn */
	CAUSE_SERVICE,	/* service, on a CPU */
	CAUSE_ASYNC,	/* service over several turns, or by another thread: not split */
	CAUSE_RETURN,
	CAUSE_COUNT,
};

struct blame_name {
	uint32_t pid, tid;
	char comm[COMM_LEN + 1];
	uint64_t ns;		/* of the tail's time */
	uint64_t count;		/* intervals */
};

struct blame_call {
	uint32_t nr;		/* the kernel's number of the system call */
	uint32_t kind;		/* enum offcpu_kind */
	uint64_t ns;
	uint64_t count;		/* intervals */
	uint64_t max_ns;	/* the longest of them, whole */
};

struct blame_conn {
	uint64_t conn;
	struct flow flow;	/* family 0: no exchange of it was told */
	uint64_t ns;		/* of others' time that its handler held the loop */
	uint64_t turns;
	uint64_t max_ns;	/* longest hold */
};

/* A thread in the chain of wake-ups behind a lock or an answer, and what it did meanwhile. */
struct blame_link {
	uint32_t pid, tid;
	char comm[COMM_LEN + 1];
	uint64_t oncpu_ns, runnable_ns, blocked_ns;
	uint32_t kind;		/* of the longest blocking; valid if blocked_ns */
	uint32_t nr;
};

struct blame_sums {
	uint64_t count;			/* tail exchanges that were joined */
	uint64_t latency_ns;		/* their latency; the causes sum to it */
	uint64_t cause_ns[CAUSE_COUNT];
	uint64_t blocked_ns[OFFCPU_COUNT];	/* CAUSE_LOCK, _STOPPED, _BLOCKED by kind */
	uint64_t hold_max_ns;		/* most that one handler computed in a turn */
	uint64_t hold_count;		/* turns that one handler held for most of */
	uint64_t hold_sum_ns;		/* what their handlers computed */
	uint64_t service_p50_ns;	/* of the joined exchanges' service on the CPU */
	uint64_t service_max_ns;

	struct blame_name instead[BLAME_NAMES];	/* who had the CPU instead */
	size_t n_instead;
	struct blame_name wakers[BLAME_NAMES];	/* who ended the blocking */
	size_t n_wakers;
	struct blame_call calls[BLAME_NAMES];	/* system calls that blocked */
	size_t n_calls;
	struct blame_conn conns[BLAME_NAMES];	/* whose handler held the loop */
	size_t n_conns;
	struct blame_name loops[BLAME_NAMES];	/* which loop the tail waited for */
	size_t n_loops;
	struct blame_link chain[BLAME_CHAIN];	/* behind the first waker of a lock or answer */
	size_t n_chain;
};

struct blame;

struct blame *blame_new(void);	/* NULL when out of memory */
void blame_free(struct blame *b);	/* NULL is fine */

void blame_exchange(struct blame *b, const struct ev_exchange *x);
void blame_turn(struct blame *b, const struct ev_turn *t);
void blame_offcpu(struct blame *b, const struct ev_offcpu *o);

/* Joins the exchanges of at least tail_ns. May be asked again, with more fed in between. */
void blame_join(struct blame *b, uint64_t tail_ns, struct blame_sums *out);

/*
 * What comes next is another window: forgets the exchanges, and turns and absences that ended before
 * then.
 */
void blame_forget(struct blame *b, uint64_t before_ns);

#endif
