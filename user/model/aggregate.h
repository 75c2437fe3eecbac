/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * aggregate.h - what the kernel side has accumulated, read once and added up over its processors:
 * plain data, the same from live maps and from a capture file.
 *
 * Everything only grows while a watch lasts, but `listeners[].backlog` and connection states. The
 * arrays belong to the aggregate: aggregate_free() releases them.
 */
#ifndef EPOLLSCOPE_AGGREGATE_H
#define EPOLLSCOPE_AGGREGATE_H

#include "model/model.h"
#include "bpf/control.h"

struct aggregate_waker {
	uint32_t pid;		/* thread group; WAKER_NETWORK */
	uint32_t pad;
	struct waker waker;
};

struct aggregate_listener {
	struct listener_key key;
	struct listener listener;
};

#define CALLS_TOGETHER 32	/* a row for the sum of all, behind those of enum syscall_id */

/*
 * Windows in which system calls were sampled, and what tells how much their counts scatter. Sums of
 * products are in calls and microseconds: a year of windows fits.
 */
struct sampled_calls {
	uint64_t watched_ns;	/* 0: nothing was sampled */
	uint64_t window_ns;	/* of that in windows */
	uint64_t windows;
	uint64_t us_squared;	/* of each window's length */
	uint64_t begun[CALLS_TOGETHER + 1];
	uint64_t begun_squared[CALLS_TOGETHER + 1];	/* of each window's count */
	uint64_t begun_us[CALLS_TOGETHER + 1];	/* each window's count times its length */
};

struct aggregate {
	struct ledger_set ledger;
	struct counters counters;
	struct hist hists[H_MAX];
	struct sampled_calls sampled;

	struct loop *loops;		/* those that turned */
	size_t n_loops;
	struct eventpoll_info *eventpolls;
	size_t n_eventpolls;
	struct aggregate_waker *wakers;
	size_t n_wakers;
	struct aggregate_listener *listeners;
	size_t n_listeners;

	uint32_t loops_handed_out;	/* more than LOOPS_MAX - 1: the others share slot 0 */
	uint64_t drained;		/* records that came out of the rings */
	uint64_t missed;		/* firings that the kernel skipped */
	uint64_t cost_ns;		/* programs' run time in the slices that were measured, */
	uint64_t cost_runs;		/* their firings, */
	uint64_t cost_exchanges;	/* and the exchanges that fell into these slices */
};

/* NULL when out of memory. */
struct aggregate *aggregate_new(void);
void aggregate_free(struct aggregate *a);	/* NULL is fine */

/* Adds one histogram to another. */
void hist_sum(struct hist *to, const struct hist *from);

/* Events that found their ring full, or were sent and did not come out. */
uint64_t aggregate_lost_events(const struct aggregate *a);

/*
 * What was accumulated between two readings of one session, into a fresh aggregate: sums and counts
 * are differences, maxima are of what is new (within a bucket, 1.6 %), states and queues are as they
 * are now. Wakers are left out, and eventpolls that did not return. 0 or -ENOMEM.
 */
int aggregate_since(struct aggregate *d, const struct aggregate *now, const struct aggregate *then);

/* Adds a record of the kernel side up: its exchange, and the answer before it. */
void aggregate_add_record(struct aggregate *a, const struct ev_record *r);

/* The same of an exchange and of an answer, for captures that lack sums. */
void aggregate_add_exchange(struct aggregate *a, const struct ev_exchange *e);
void aggregate_add_answer(struct aggregate *a, const struct ev_answer *answer);

/* A read and the next send of a connection that turned out to be overlapping. */
void aggregate_add_overlapping(struct aggregate *a, uint64_t ns);

/* An answer's sends, for the finding on small writes. */
void aggregate_add_sends(struct aggregate *a, uint32_t sends, uint32_t bytes, uint64_t send_ns);

/* Adds one of the kernel side's sets; the exchanges, answers, counters and windows of another. */
void aggregate_add_sums(struct aggregate *a, const struct ledger_set *set,
			const struct counters *counters);
void aggregate_merge(struct aggregate *to, const struct aggregate *from);

/* Another window: calls that began in it. */
void sampled_add(struct sampled_calls *s, const uint64_t begun[SC_COUNT], uint64_t length_ns);

/* The share of the time that was sampled, 0 to 1; 1 if nothing was. */
double sampled_share(const struct sampled_calls *s);

/*
 * The relative standard error of the estimate of a call's count, from the scatter between windows;
 * NAN if less than two windows can tell.
 */
double sampled_error(const struct sampled_calls *s, unsigned call);

/* Whether windows see this call, and not hooks of its own. */
bool call_is_sampled(const struct sampled_calls *s, unsigned call);

/* Fills all of the report that comes from the kernel side. 0 or -ENOMEM. */
int aggregate_report(const struct aggregate *a, struct report *r);

#endif
