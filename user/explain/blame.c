/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blame.c - the join: slow exchanges with turns and off-CPU intervals, by thread and time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain/blame.h"
#include "explain/stage_map.h"

/* Only the last exchanges are joined: turns and off-CPU intervals are remembered for longer. */
#define JOINED (HISTORY_RECENT / 2)

struct join {
	const struct history *h;
	struct blame_sums *out;
	uint64_t *services;	/* on-CPU time of each tail exchange's service, for the median */
};

/*
 * Adds to the row of a key, which may be an interval or a turn as long as `whole_ns`. A full table
 * gives its smallest row to a newcomer.
 */
static struct blame_row *row_add(struct blame_table *t, uint64_t key, uint64_t ns,
				 uint64_t whole_ns)
{
	struct blame_row *smallest = t->row, *row = t->row;

	for (; row < t->row + t->n && row->key != key; row++)
		if (row->ns < smallest->ns)
			smallest = row;
	if (row == t->row + t->n) {
		if (t->n < BLAME_ROWS)
			t->n++;
		else
			row = smallest;
		*row = (struct blame_row){ .key = key };
	}
	row->ns += ns;
	row->count++;
	if (whole_ns > row->max_ns)
		row->max_ns = whole_ns;
	return row;
}

static void thread_add(struct blame_table *t, uint32_t pid, uint32_t tid, const char *comm,
		       uint64_t ns)
{
	const struct blame_row named = { .pid = pid, .tid = tid };
	struct blame_row *row = row_add(t, named.key, ns, 0);

	if (row->count == 1)
		memcpy(row->comm, comm, COMM_LEN);
}

static int row_order(const void *a, const void *b)
{
	const struct blame_row *x = a, *y = b;

	return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

static void sort(struct blame_table *t)
{
	qsort(t->row, t->n, sizeof(t->row[0]), row_order);
}

/* Fills in the addresses of the connections in the table, each from any of its exchanges. */
static void find_flows(const struct history *h, struct blame_sums *s)
{
	const struct ev_exchange *list = history_records(h, EV_EXCHANGE);
	size_t n = history_count(h, EV_EXCHANGE);

	for (struct blame_row *c = s->conns.row; c < s->conns.row + s->conns.n; c++)
		for (size_t i = 0; i < n && !c->flow.family; i++)
			if (list[i].conn == c->conn)
				c->flow = list[i].flow;
}

/*
 * The least time that the handler which held most of a turn computed: all of the turn's time off
 * the CPU may have been the handler's.
 */
static void hold_add(struct blame_sums *s, const struct ev_turn *t)
{
	uint64_t off_ns = t->runnable_ns + t->blocked_ns;

	if (!turn_is_held(t) || t->long_ns <= off_ns)
		return;
	s->hold_count++;
	s->hold_sum_ns += t->long_ns - off_ns;
	if (t->long_ns - off_ns > s->hold_max_ns)
		s->hold_max_ns = t->long_ns - off_ns;
}

enum cause blame_cause(uint32_t kind)
{
	return kind == OFFCPU_FUTEX ? CAUSE_LOCK : kind == OFFCPU_STOPPED ? CAUSE_STOPPED :
	       CAUSE_BLOCKED;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void blame_blocked(struct blame_sums *out, const struct ev_offcpu *o, uint64_t ns)
{
	const struct blame_row call = { .nr = o->syscall, .kind = o->kind };

	if (!ns)
		return;
	out->cause_ns[blame_cause(o->kind)] += ns;
	row_add(&out->calls, call.key, ns, o->blocked_ns);
	if (o->flags & OFFCPU_WAKER)
		thread_add(&out->wakers, o->waker_pid, o->waker_tid, o->waker_comm, ns);
}

/*
 * The runnable and blocked time of a thread between two moments, whose sums the kernel knows
 * exactly (`split`); the off-CPU intervals that were sent name the long ones. What these do not
 * cover is runnable or blocked all the same, in a call without a name. Returns the on-CPU time.
 */
static uint64_t blame_offcpu(const struct join *j, uint32_t tid, uint64_t from, uint64_t to,
			     const struct split *split)
{
	struct history_walk w = history_walk(j->h, EV_OFFCPU, tid, from);
	uint64_t blocked = split->blocked_ns, runnable = split->runnable_ns;
	struct blame_sums *out = j->out;
	const struct ev_offcpu *o;

	out->cause_ns[CAUSE_CPU] += runnable;
	while ((o = history_next_offcpu(&w, to))) {
		uint64_t waited = span_overlap(from, to, woken_at(o), o->head.time_ns);
		uint64_t ns = o->flags & OFFCPU_IN_WAIT ? 0 :
			      span_overlap(from, to, o->start_ns, woken_at(o));

		ns = min_u64(ns, blocked);
		blocked -= ns;
		blame_blocked(out, o, ns);
		waited = min_u64(waited, runnable);
		runnable -= waited;
		if (waited && o->instead_pid)
			thread_add(&out->instead, o->instead_pid, o->instead_tid, o->instead_comm,
				   waited);
	}
	out->cause_ns[CAUSE_BLOCKED] += blocked;
	if (split->blocked_ns + split->runnable_ns >= to - from)
		return 0;
	return to - from - split->blocked_ns - split->runnable_ns;
}

/* On-CPU time of a loop that an exchange waited for: one handler held it, or many ran in turn. */
static void blame_loop(const struct join *j, const struct ev_exchange *x,
		       const struct stage_span *s, uint64_t oncpu_ns)
{
	const struct ev_turn *t = history_turn_at(j->h, x->reader_tid, s->from);
	uint64_t held = 0;

	if (!t)
		t = history_turn_at(j->h, x->reader_tid, s->to - 1);
	if (t && turn_is_held(t) && t->long_conn != x->conn) {
		held = min_u64(span_overlap(s->from, s->to, t->start_ns, t->head.time_ns),
			       oncpu_ns);
		row_add(&j->out->conns, t->long_conn, held, t->long_ns);
	}
	j->out->cause_ns[CAUSE_HELD] += held;
	j->out->cause_ns[CAUSE_BATCH] += oncpu_ns - held;
}

/* Busy and dispatch: the loop was at work for others, or off the CPU. */
static void blame_waiting(const struct join *j, const struct ev_exchange *x,
			  const struct stage_span *s, enum split_stage which)
{
	uint64_t oncpu_ns;

	if (!(x->flags & (EXCHANGE_SPLIT_BUSY << which))) {
		j->out->cause_ns[CAUSE_BATCH] += s->to - s->from;
		return;
	}
	oncpu_ns = blame_offcpu(j, s->tid, s->from, s->to, &x->split[which]);
	if (oncpu_ns)
		blame_loop(j, x, s, oncpu_ns);
}

/* Another thread answered: what delayed that thread, as far as its off-CPU intervals say. */
static void blame_handoff(const struct join *j, const struct ev_exchange *x,
			  const struct stage_span *s)
{
	struct history_walk w = history_walk(j->h, EV_OFFCPU, s->tid, s->from);
	uint64_t left = s->to - s->from;
	const struct ev_offcpu *o;

	while ((o = history_next_offcpu(&w, s->to))) {
		uint64_t ns = span_overlap(s->from, s->to, o->start_ns, woken_at(o));

		/* A sleep that ended when the request was handed over did not delay it. */
		if (o->flags & OFFCPU_IN_WAIT ||
		    (o->flags & OFFCPU_WAKER && o->waker_tid == x->reader_tid))
			continue;
		ns = min_u64(ns, left);
		left -= ns;
		blame_blocked(j->out, o, ns);
	}
	j->out->cause_ns[CAUSE_ASYNC] += left;
}

static void blame_service(const struct join *j, const struct ev_exchange *x,
			  const struct stage_span *s)
{
	uint64_t oncpu_ns;

	if (x->flags & EXCHANGE_SPLIT_SERVICE) {
		oncpu_ns = blame_offcpu(j, s->tid, s->from, s->to, &x->split[SPLIT_SERVICE]);
		j->out->cause_ns[CAUSE_SERVICE] += oncpu_ns;
		if (oncpu_ns > j->out->service_max_ns)
			j->out->service_max_ns = oncpu_ns;
		j->services[j->out->count] = oncpu_ns;
	} else if (x->flags & EXCHANGE_HANDOFF) {
		blame_handoff(j, x, s);
	} else {
		j->out->cause_ns[CAUSE_ASYNC] += s->to - s->from;
	}
}

static void blame_stage(const struct join *j, const struct ev_exchange *x,
			const struct stage_span *s)
{
	/* The stages that have one cause, whatever happened in them. */
	static const enum cause whole[STAGE_COUNT] = {
		[STAGE_ACCEPT] = CAUSE_ACCEPT, [STAGE_RECEIVE] = CAUSE_RECEIVE,
		[STAGE_WAKEUP] = CAUSE_WAKEUP, [STAGE_RETURN] = CAUSE_RETURN,
	};
	struct split runnable = { .runnable_ns = s->to - s->from };

	if (s->stage == STAGE_RUNQUEUE)
		blame_offcpu(j, s->tid, s->from, s->to, &runnable);
	else if (s->stage == STAGE_BUSY)
		blame_waiting(j, x, s, SPLIT_BUSY);
	else if (s->stage == STAGE_DISPATCH)
		blame_waiting(j, x, s, SPLIT_DISPATCH);
	else if (s->stage == STAGE_SERVICE)
		blame_service(j, x, s);
	else
		j->out->cause_ns[whole[s->stage]] += s->to - s->from;
}

static void blame_exchange(const struct join *j, const struct ev_exchange *x)
{
	struct stage_span spans[STAGE_COUNT];
	size_t n = stage_spans(x, spans);

	j->out->latency_ns += x->latency_ns;
	thread_add(&j->out->loops, x->pid, x->reader_tid, x->comm, x->latency_ns);
	for (size_t i = 0; i < n; i++)
		blame_stage(j, x, &spans[i]);
	j->out->count++;
}

/* What a thread did between two moments, for its link of the chain. Returns who woke it, or 0. */
static uint32_t chain_link(const struct history *h, struct blame_link *link, uint64_t from,
			   uint64_t to)
{
	struct history_walk w = history_walk(h, EV_OFFCPU, link->tid, from);
	uint64_t longest = 0, off_ns = 0;
	const struct ev_offcpu *o;
	uint32_t waker = 0;

	while ((o = history_next_offcpu(&w, to))) {
		uint64_t blocked = span_overlap(from, to, o->start_ns, woken_at(o));
		uint64_t runnable = span_overlap(from, to, woken_at(o), o->head.time_ns);

		link->blocked_ns += blocked;
		link->runnable_ns += runnable;
		off_ns += blocked + runnable;
		if (blocked > longest) {
			longest = blocked;
			link->nr = o->syscall;
			waker = o->flags & OFFCPU_WAKER ? o->waker_tid : 0;
		}
	}
	link->oncpu_ns = to - from > off_ns ? to - from - off_ns : 0;
	return waker;
}

/* The longest wait for a lock inside a turn. */
static const struct ev_offcpu *longest_lock(const struct history *h)
{
	const struct ev_offcpu *list = history_records(h, EV_OFFCPU), *found = NULL;

	for (size_t i = 0; i < history_count(h, EV_OFFCPU); i++) {
		const struct ev_offcpu *o = &list[i];

		if (o->kind == OFFCPU_FUTEX && (o->flags & OFFCPU_WAKER) &&
		    !(o->flags & OFFCPU_IN_WAIT) && (!found || o->blocked_ns > found->blocked_ns) &&
		    history_turn_at(h, o->tid, o->start_ns))
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

/* From the waiter for a lock to the lock's holder, and to whom the holder waited for. */
static void follow_chain(const struct history *h, struct blame_sums *out)
{
	const struct ev_offcpu *o = longest_lock(h);
	uint32_t tid = o ? o->waker_tid : 0;

	while (tid && out->n_chain < BLAME_CHAIN && !in_chain(out, tid) &&
	       (tid != o->tid || !out->n_chain)) {
		struct blame_link *link = &out->chain[out->n_chain++];

		link->tid = tid;
		if (out->n_chain == 1)
			memcpy(link->comm, o->waker_comm, COMM_LEN);
		tid = chain_link(h, link, o->start_ns, woken_at(o));
	}
}

static int u64_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int blame_join(struct history *h, uint64_t tail_ns, struct blame_sums *out)
{
	const struct ev_exchange *exchanges = history_records(h, EV_EXCHANGE);
	const struct ev_turn *turns = history_records(h, EV_TURN);
	size_t n = history_count(h, EV_EXCHANGE), first = n > JOINED ? n - JOINED : 0;
	struct join j = { .h = h, .out = out, .services = calloc(JOINED + 1, sizeof(uint64_t)) };

	memset(out, 0, sizeof(*out));
	if (!j.services || history_index(h)) {
		free(j.services);
		return -ENOMEM;
	}
	for (size_t i = 0; i < history_count(h, EV_TURN); i++)
		hold_add(out, &turns[i]);
	for (size_t i = first; i < n; i++)
		if (exchanges[i].latency_ns >= tail_ns)
			blame_exchange(&j, &exchanges[i]);
	qsort(j.services, out->count, sizeof(*j.services), u64_order);
	out->service_p50_ns = j.services[out->count / 2];
	free(j.services);
	find_flows(h, out);
	follow_chain(h, out);
	sort(&out->instead);
	sort(&out->wakers);
	sort(&out->loops);
	sort(&out->calls);
	sort(&out->conns);
	return 0;
}
