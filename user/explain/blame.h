/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * blame.h - what made the tail slow, and who: joins slow exchanges with the turns and the off-CPU
 * intervals of the threads that they waited for, by thread and time. Every nanosecond of the tail
 * goes to one cause.
 */
#ifndef EPOLLSCOPE_BLAME_H
#define EPOLLSCOPE_BLAME_H

#include "explain/clocks.h"
#include "explain/history.h"

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
	CAUSE_OWN,	/* the same, while the loop did its own work: timers, say */
	CAUSE_BATCH,	/* busy and dispatch, while many were served in turn */
	CAUSE_SERVICE,	/* service, on a CPU */
	CAUSE_ASYNC,	/* service over several turns, or by another thread, where it is not split */
	CAUSE_RETURN,
	CAUSE_UNARMED,	/* busy, while no eventpoll watched the descriptor */
	CAUSE_UPSTREAM,	/* service: its loop was idle, and an upstream owed it an answer */
	CAUSE_IDLE,	/* service: its loop was idle otherwise */
	CAUSE_WORKER,	/* handed to workers, all of which were busy */
	CAUSE_COUNT,
};

/* A thread, system call or connection, and its part of the tail. */
struct blame_row {
	union {
		struct {
			uint32_t pid, tid;
		};
		struct {
			uint32_t nr;	/* the kernel's number of the system call */
			uint32_t kind;	/* enum offcpu_kind */
		};
		uint64_t conn;		/* cookie */
		uint64_t key;		/* any of them */
	};
	uint64_t ns;		/* of the tail's time */
	uint64_t count;		/* intervals, or turns */
	uint64_t max_ns;	/* calls and connections: the longest of them, whole; else 0 */
	uint64_t whole_ns;	/* all of them, whole */
	char comm[COMM_LEN + 1];	/* threads */
	struct flow flow;	/* connections; family 0: no exchange of it was seen */
};

#define BLAME_ROWS 8

/* The largest, by ns; the rest is in the total. */
struct blame_table {
	struct blame_row row[BLAME_ROWS];
	size_t n;
};

/* A thread in the chain of wake-ups behind a lock or an answer, and what it did meanwhile. */
struct blame_link {
	uint32_t tid;
	char comm[COMM_LEN + 1];	/* of the first */
	uint64_t oncpu_ns, runnable_ns, blocked_ns;
	uint32_t nr;		/* of the longest blocking; valid if blocked_ns */
};

struct blame_sums {
	uint64_t count;			/* tail exchanges that were joined */
	uint64_t latency_ns;		/* their latency; the causes sum to it */
	uint64_t cause_ns[CAUSE_COUNT];
	uint64_t hold_max_ns;		/* most that one handler computed in a turn */
	uint64_t hold_count;		/* turns that one handler held for most of */
	uint64_t hold_sum_ns;		/* what their handlers computed */
	uint64_t own_max_ns;		/* most that the loop computed for nobody in a turn, */
	uint64_t own_count;		/* turns that this was most of */
	uint64_t service_p50_ns;	/* of the joined exchanges' service on the CPU */
	uint64_t service_max_ns;
	uint64_t unarmed_max_ns;
	uint64_t upstream_max_ns;
	uint64_t idle_max_ns;
	uint64_t worker_max_ns;
	uint64_t worker_span_ns;	/* time in which exchanges were with the workers, unread */
	uint64_t worker_busy_ns;	/* and what of it the workers were busy, added up over all of them */
	uint64_t workers;

	struct cluster receive;		/* where it took at least half of an exchange */
	struct cluster dispatch;

	struct blame_table instead;	/* threads that had the CPU instead, as far as is known */
	struct blame_table wakers;	/* threads that ended the blocking */
	struct blame_table calls;	/* system calls that blocked */
	struct blame_table worker_calls;	/* in which busy workers slept meanwhile */
	struct blame_table conns;	/* connections whose handler held the loop */
	struct blame_table loops;	/* threads whose loop the tail waited for */
	struct blame_link chain[BLAME_CHAIN];	/* behind the first waker of a lock or answer */
	size_t n_chain;
};

/* CAUSE_LOCK, _STOPPED or _BLOCKED, by enum offcpu_kind. */
enum cause blame_cause(uint32_t kind);

/* Fills the chain of wake-ups behind the longest wait for a lock; the history is indexed. */
void blame_chain(const struct history *h, struct blame_sums *out);

/*
 * Joins the remembered exchanges of at least tail_ns with turns and off-CPU intervals. May be asked
 * again, with more added in between. 0 or -ENOMEM.
 */
int blame_join(struct history *h, uint64_t tail_ns, struct blame_sums *out);

#endif
