// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* blame.c - the join: exchanges with turns and absences, by thread and time. */
#include <stdlib.h>
#include <string.h>

#include "explain/blame.h"
#include "explain/blame_tables.h"
#include "base/span.h"

/* The last so many of each kind. */
#define EXCHANGES	4096
#define TURNS		8192
#define ABSENCES	8192

struct blame {
	struct ev_exchange exchanges[EXCHANGES];
	struct ev_turn turns[TURNS];
	struct ev_offcpu absences[ABSENCES];
	size_t n_exchanges, n_turns, n_absences;	/* ever fed */

	/* While joining: by thread and end, and for the median. */
	const struct ev_turn *turn_index[TURNS];
	const struct ev_offcpu *absence_index[ABSENCES];
	uint64_t services[EXCHANGES];
};

struct blame *blame_new(void)
{
	return calloc(1, sizeof(struct blame));
}

void blame_free(struct blame *b)
{
	free(b);
}

void blame_exchange(struct blame *b, const struct ev_exchange *x)
{
	b->exchanges[b->n_exchanges++ % EXCHANGES] = *x;
}

void blame_turn(struct blame *b, const struct ev_turn *t)
{
	b->turns[b->n_turns++ % TURNS] = *t;
}

void blame_offcpu(struct blame *b, const struct ev_offcpu *o)
{
	b->absences[b->n_absences++ % ABSENCES] = *o;
}

static size_t held(size_t fed, size_t room)
{
	return fed < room ? fed : room;
}

void blame_forget(struct blame *b, uint64_t before_ns)
{
	size_t turns = held(b->n_turns, TURNS), absences = held(b->n_absences, ABSENCES);

	b->n_exchanges = b->n_turns = b->n_absences = 0;
	for (size_t i = 0; i < turns; i++)
		if (b->turns[i].head.time_ns >= before_ns)
			b->turns[b->n_turns++] = b->turns[i];
	for (size_t i = 0; i < absences; i++)
		if (b->absences[i].head.time_ns >= before_ns)
			b->absences[b->n_absences++] = b->absences[i];
}

static int by_thread(uint32_t tid_a, uint64_t end_a, uint32_t tid_b, uint64_t end_b)
{
	if (tid_a != tid_b)
		return tid_a < tid_b ? -1 : 1;
	return end_a < end_b ? -1 : end_a > end_b;
}

static int turn_order(const void *a, const void *b)
{
	const struct ev_turn *x = *(const struct ev_turn *const *)a;
	const struct ev_turn *y = *(const struct ev_turn *const *)b;

	return by_thread(x->tid, x->head.time_ns, y->tid, y->head.time_ns);
}

static int absence_order(const void *a, const void *b)
{
	const struct ev_offcpu *x = *(const struct ev_offcpu *const *)a;
	const struct ev_offcpu *y = *(const struct ev_offcpu *const *)b;

	return by_thread(x->tid, x->head.time_ns, y->tid, y->head.time_ns);
}

/* The first absence of a thread that ends after `from`; the next ones follow it. */
static const struct ev_offcpu *const *first_absence(const struct blame *b, uint32_t tid,
						     uint64_t from)
{
	size_t lo = 0, hi = held(b->n_absences, ABSENCES);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct ev_offcpu *o = b->absence_index[mid];

		if (by_thread(o->tid, o->head.time_ns, tid, from + 1) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return &b->absence_index[lo];
}

static bool absence_in(const struct blame *b, const struct ev_offcpu *const *at, uint32_t tid,
		       uint64_t to)
{
	return at < b->absence_index + held(b->n_absences, ABSENCES) && (*at)->tid == tid &&
	       (*at)->start_ns < to;
}

static const struct ev_turn *turn_at(const struct blame *b, uint32_t tid, uint64_t at)
{
	size_t lo = 0, hi = held(b->n_turns, TURNS), n = hi;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (by_thread(b->turn_index[mid]->tid, b->turn_index[mid]->head.time_ns, tid,
			      at + 1) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == n || b->turn_index[lo]->tid != tid || b->turn_index[lo]->start_ns > at)
		return NULL;
	return b->turn_index[lo];
}

static enum cause cause_of(uint32_t kind)
{
	return kind == OFFCPU_FUTEX ? CAUSE_LOCK : kind == OFFCPU_STOPPED ? CAUSE_STOPPED :
	       CAUSE_BLOCKED;
}

/* Takes up to *left from the part of a stage that was blocked, and says what it was. */
static void blame_blocked(struct blame_sums *out, const struct ev_offcpu *o, uint64_t ns)
{
	out->cause_ns[cause_of(o->kind)] += ns;
	if (o->kind < OFFCPU_COUNT)
		out->blocked_ns[o->kind] += ns;
	call_add(out, o, ns);
	if (o->flags & OFFCPU_WAKER)
		name_add(out->wakers, &out->n_wakers, o->waker_pid, o->waker_tid, o->waker_comm,
			 ns);
}

/*
 * The runnable and blocked time of a thread between two moments, whose sums the kernel knows
 * exactly (`split`); the absences that were told name the long ones. What they do not cover is
 * runnable or blocked all the same, in a call that nobody named. Returns the rest: on-CPU time.
 */
static uint64_t blame_absent(const struct blame *b, struct blame_sums *out, uint32_t tid,
			     uint64_t from, uint64_t to, const struct split *split)
{
	const struct ev_offcpu *const *next = first_absence(b, tid, from);
	uint64_t blocked = split->blocked_ns, runnable = split->runnable_ns;

	out->cause_ns[CAUSE_CPU] += runnable;
	for (; absence_in(b, next, tid, to); next++) {
		const struct ev_offcpu *o = *next;
		uint64_t woken = o->start_ns + o->blocked_ns;
		uint64_t waited = span_overlap(from, to, woken, o->head.time_ns);
		uint64_t ns = o->flags & OFFCPU_IN_WAIT ? 0 :
			      span_overlap(from, to, o->start_ns, woken);

		if (ns > blocked)
			ns = blocked;
		blocked -= ns;
		if (ns)
			blame_blocked(out, o, ns);
		if (waited > runnable)
			waited = runnable;
		runnable -= waited;
		if (waited && o->instead_pid)
			name_add(out->instead, &out->n_instead, o->instead_pid, o->instead_tid,
				 o->instead_comm, waited);
	}
	out->cause_ns[CAUSE_BLOCKED] += blocked;
	out->blocked_ns[OFFCPU_OTHER] += blocked;
	if (split->blocked_ns + split->runnable_ns >= to - from)
		return 0;
	return to - from - split->blocked_ns - split->runnable_ns;
}

/* On-CPU time of a loop that we waited for: one handler's, or everybody's a little. */
static void blame_loop(const struct blame *b, struct blame_sums *out, const struct ev_exchange *x,
		       uint64_t from, uint64_t to, uint64_t oncpu_ns)
{
	const struct ev_turn *t = turn_at(b, x->reader_tid, from);
	uint64_t shared;

	if (!t)
		t = turn_at(b, x->reader_tid, to - 1);
	if (!t || t->long_ns * 2 < t->head.time_ns - t->start_ns || t->long_conn == x->conn) {
		out->cause_ns[CAUSE_BATCH] += oncpu_ns;
		return;
	}
	shared = span_overlap(from, to, t->start_ns, t->head.time_ns);
	if (shared > oncpu_ns)
		shared = oncpu_ns;
	out->cause_ns[CAUSE_HELD] += shared;
	out->cause_ns[CAUSE_BATCH] += oncpu_ns - shared;
	conn_add(out, t, shared);
}

static void blame_waiting(const struct blame *b, struct blame_sums *out,
			  const struct ev_exchange *x, enum split_stage which, uint64_t from,
			  uint64_t ns)
{
	uint64_t oncpu;

	if (!ns)
		return;
	if (!(x->flags & (EXCHANGE_SPLIT_BUSY << which))) {
		out->cause_ns[CAUSE_BATCH] += ns;
		return;
	}
	oncpu = blame_absent(b, out, x->reader_tid, from, from + ns, &x->split[which]);
	if (oncpu)
		blame_loop(b, out, x, from, from + ns, oncpu);
}

/* Another thread answered: what kept it, as far as its absences say. */
static void blame_handoff(const struct blame *b, struct blame_sums *out,
			  const struct ev_exchange *x, uint64_t from, uint64_t to)
{
	const struct ev_offcpu *const *next = first_absence(b, x->tid, from);
	uint64_t left = to - from;

	for (; absence_in(b, next, x->tid, to); next++) {
		const struct ev_offcpu *o = *next;
		uint64_t ns = span_overlap(from, to, o->start_ns, o->start_ns + o->blocked_ns);

		/* It slept until the request was handed to it: that is not what took the time. */
		if (o->flags & OFFCPU_IN_WAIT ||
		    (o->flags & OFFCPU_WAKER && o->waker_tid == x->reader_tid))
			continue;
		if (ns > left)
			ns = left;
		left -= ns;
		if (ns)
			blame_blocked(out, o, ns);
	}
	out->cause_ns[CAUSE_ASYNC] += left;
}

static void blame_service(const struct blame *b, struct blame_sums *out,
			  const struct ev_exchange *x, uint64_t from, size_t n)
{
	uint64_t to = x->head.time_ns, oncpu;

	if (x->flags & EXCHANGE_SPLIT_SERVICE) {
		oncpu = blame_absent(b, out, x->tid, from, to, &x->split[SPLIT_SERVICE]);
		out->cause_ns[CAUSE_SERVICE] += oncpu;
		if (oncpu > out->service_max_ns)
			out->service_max_ns = oncpu;
		((struct blame *)b)->services[n] = oncpu;
	} else if (x->flags & EXCHANGE_HANDOFF) {
		blame_handoff(b, out, x, from, to);
	} else {
		out->cause_ns[CAUSE_ASYNC] += to - from;
	}
}

/* The run queue before the return of the wait: whoever had the CPU. */
static void blame_runqueue(const struct blame *b, struct blame_sums *out,
			   const struct ev_exchange *x, uint64_t from, uint64_t ns)
{
	static const struct split none;
	struct split split = none;

	split.runnable_ns = ns;
	if (ns)
		blame_absent(b, out, x->reader_tid, from, from + ns, &split);
}

static void blame_one(const struct blame *b, struct blame_sums *out, const struct ev_exchange *x,
		      size_t n)
{
	const __u64 *ns = x->stage_ns;
	uint64_t at = x->head.time_ns - x->latency_ns;

	out->count++;
	out->latency_ns += x->latency_ns;
	name_add(out->loops, &out->n_loops, x->pid, x->reader_tid, x->comm, x->latency_ns);
	out->cause_ns[CAUSE_ACCEPT] += ns[STAGE_ACCEPT];
	out->cause_ns[CAUSE_RECEIVE] += ns[STAGE_RECEIVE];
	out->cause_ns[CAUSE_WAKEUP] += ns[STAGE_WAKEUP];
	out->cause_ns[CAUSE_RETURN] += ns[STAGE_RETURN];
	at += ns[STAGE_ACCEPT] + ns[STAGE_RECEIVE] + ns[STAGE_WAKEUP];
	blame_runqueue(b, out, x, at, ns[STAGE_RUNQUEUE]);
	at += ns[STAGE_RUNQUEUE];
	blame_waiting(b, out, x, SPLIT_BUSY, at, ns[STAGE_BUSY]);
	at += ns[STAGE_BUSY] + ns[STAGE_RETURN];
	blame_waiting(b, out, x, SPLIT_DISPATCH, at, ns[STAGE_DISPATCH]);
	blame_service(b, out, x, at + ns[STAGE_DISPATCH], n);
}

/* What a thread did between two moments: the next link of the chain, and who woke it. */
static uint32_t chain_link(const struct blame *b, struct blame_link *link, uint64_t from,
			   uint64_t to)
{
	const struct ev_offcpu *const *next = first_absence(b, link->tid, from);
	uint64_t longest = 0, absent = 0;
	uint32_t waker = 0;

	for (; absence_in(b, next, link->tid, to); next++) {
		const struct ev_offcpu *o = *next;
		uint64_t woken = o->start_ns + o->blocked_ns;
		uint64_t blocked = span_overlap(from, to, o->start_ns, woken);
		uint64_t runnable = span_overlap(from, to, woken, o->head.time_ns);

		link->blocked_ns += blocked;
		link->runnable_ns += runnable;
		absent += blocked + runnable;
		if (blocked > longest) {
			longest = blocked;
			link->kind = o->kind;
			link->nr = o->syscall;
			waker = o->flags & OFFCPU_WAKER ? o->waker_tid : 0;
		}
	}
	link->oncpu_ns = to - from > absent ? to - from - absent : 0;
	return waker;
}

static const struct ev_offcpu *longest_lock(const struct blame *b)
{
	const struct ev_offcpu *found = NULL;

	for (size_t i = 0; i < held(b->n_absences, ABSENCES); i++) {
		const struct ev_offcpu *o = &b->absences[i];

		if (o->kind != OFFCPU_FUTEX || !(o->flags & OFFCPU_WAKER) ||
		    (o->flags & OFFCPU_IN_WAIT) || !turn_at(b, o->tid, o->start_ns))
			continue;
		if (!found || o->blocked_ns > found->blocked_ns)
			found = o;
	}
	return found;
}

static bool in_chain(const struct blame_sums *out, uint32_t tid)
{
	for (size_t i = 0; i < out->n_chain; i++)
		if (out->chain[i].tid == tid)
			return true;
	return false;
}

/* From the longest wait for a lock inside a turn to its holder, and to whom that one waited for. */
static void follow_chain(const struct blame *b, struct blame_sums *out)
{
	const struct ev_offcpu *o = longest_lock(b);
	uint64_t from, to;
	uint32_t tid, waiter;

	if (!o)
		return;
	waiter = o->tid;
	from = o->start_ns;
	to = o->start_ns + o->blocked_ns;
	tid = o->waker_tid;
	while (tid && out->n_chain < BLAME_CHAIN && !in_chain(out, tid) &&
	       (tid != waiter || !out->n_chain)) {
		struct blame_link *link = &out->chain[out->n_chain++];

		link->tid = tid;
		link->pid = o->waker_pid;
		memcpy(link->comm, out->n_chain == 1 ? o->waker_comm : "", out->n_chain == 1 ?
		       COMM_LEN : 1);
		tid = chain_link(b, link, from, to);
	}
}

static int u64_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void make_indexes(struct blame *b)
{
	size_t turns = held(b->n_turns, TURNS), absences = held(b->n_absences, ABSENCES);

	for (size_t i = 0; i < turns; i++)
		b->turn_index[i] = &b->turns[i];
	for (size_t i = 0; i < absences; i++)
		b->absence_index[i] = &b->absences[i];
	qsort(b->turn_index, turns, sizeof(b->turn_index[0]), turn_order);
	qsort(b->absence_index, absences, sizeof(b->absence_index[0]), absence_order);
}

void blame_join(struct blame *b, uint64_t tail_ns, struct blame_sums *out)
{
	size_t n = held(b->n_exchanges, EXCHANGES), joined = 0;

	memset(out, 0, sizeof(*out));
	make_indexes(b);
	for (size_t i = 0; i < held(b->n_turns, TURNS); i++)
		hold_add(out, &b->turns[i]);
	for (size_t i = 0; i < n; i++) {
		if (b->exchanges[i].latency_ns < tail_ns)
			continue;
		b->services[joined] = 0;
		blame_one(b, out, &b->exchanges[i], joined++);
	}
	qsort(b->services, joined, sizeof(b->services[0]), u64_order);
	out->service_p50_ns = joined ? b->services[joined / 2] : 0;
	conns_find_flows(out, b->exchanges, n);
	follow_chain(b, out);
	tables_sort(out);
}
