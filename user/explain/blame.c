/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blame.c - the join: slow exchanges with turns and off-CPU intervals, by thread and time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain/blame_join.h"
#include "explain/stage_map.h"

/* Only the last exchanges are joined: turns and off-CPU intervals are remembered for longer. */
#define JOINED (HISTORY_RECENT / 2)

struct blame_row *blame_row_add(struct blame_table *t, uint64_t key, uint64_t ns, uint64_t whole_ns)
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
	row->whole_ns += whole_ns;
	row->count++;
	if (whole_ns > row->max_ns)
		row->max_ns = whole_ns;
	return row;
}

static void thread_add(struct blame_table *t, uint32_t pid, uint32_t tid, const char *comm,
		       uint64_t ns)
{
	const struct blame_row named = { .pid = pid, .tid = tid };
	struct blame_row *row = blame_row_add(t, named.key, ns, 0);

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
 * the CPU may have been the handler's. The same of the loop's own work.
 */
static void hold_add(struct blame_sums *s, const struct ev_turn *t)
{
	uint64_t off_ns = t->runnable_ns + t->blocked_ns;

	if (turn_is_own(t) && t->own_ns > off_ns) {
		s->own_count++;
		if (t->own_ns - off_ns > s->own_max_ns)
			s->own_max_ns = t->own_ns - off_ns;
		return;
	}
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

/*
 * Who had the CPU while the thread waited for it, as far as that is known: without a break until
 * the thread got it.
 */
static void blame_instead(struct blame_sums *out, const struct ev_offcpu *o, uint64_t from,
			  uint64_t to)
{
	uint64_t ran = 1000ULL * o->instead_us, end = o->head.time_ns, since = woken_at(o);

	if (!(o->flags & OFFCPU_INSTEAD) || !o->instead_pid)
		return;
	/* A microsecond may be missing of all of it. */
	if (end > since && ran + 1000 < end - since)
		since = end - ran;
	ran = span_overlap(from, to, since, end);
	if (ran)
		thread_add(&out->instead, o->instead_pid, o->instead_tid, o->instead_comm, ran);
}

static void blame_blocked(struct blame_sums *out, const struct ev_offcpu *o, uint64_t ns)
{
	const struct blame_row call = { .nr = o->syscall, .kind = slept_kind(o) };

	if (!ns)
		return;
	out->cause_ns[blame_cause(call.kind)] += ns;
	blame_row_add(&out->calls, call.key, ns, o->blocked_ns);
	if (released(o))
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
	uint64_t blocked = split->blocked_ns;
	struct blame_sums *out = j->out;
	const struct ev_offcpu *o;

	out->cause_ns[CAUSE_CPU] += split->runnable_ns;
	while ((o = history_next_offcpu(&w, to))) {
		uint64_t ns = o->flags & OFFCPU_IN_WAIT ? 0 :
			      span_overlap(from, to, o->start_ns, woken_at(o));

		ns = min_u64(ns, blocked);
		blocked -= ns;
		blame_blocked(out, o, ns);
		blame_instead(out, o, from, to);
	}
	out->cause_ns[CAUSE_BLOCKED] += blocked;
	if (split->blocked_ns + split->runnable_ns >= to - from)
		return 0;
	return to - from - split->blocked_ns - split->runnable_ns;
}

/* The turn that an exchange waited for. */
static const struct ev_turn *turn_waited_for(const struct join *j, const struct ev_exchange *x,
					     const struct stage_span *s)
{
	const struct ev_turn *t = history_turn_at(j->h, x->reader_tid, s->from);

	return t ? t : history_turn_at(j->h, x->reader_tid, s->to - 1);
}

/* On-CPU time of a loop that an exchange waited for: one handler held it, or many ran in turn. */
static void blame_loop(const struct join *j, const struct ev_exchange *x,
		       const struct stage_span *s, uint64_t oncpu_ns)
{
	const struct ev_turn *t = turn_waited_for(j, x, s);
	uint64_t held = 0;

	if (t)
		held = min_u64(span_overlap(s->from, s->to, t->start_ns, t->head.time_ns),
			       oncpu_ns);
	if (t && turn_is_own(t)) {
		j->out->cause_ns[CAUSE_OWN] += held;
	} else if (t && turn_is_held(t) && t->long_conn != x->conn) {
		blame_row_add(&j->out->conns, t->long_conn, held, t->long_ns);
		j->out->cause_ns[CAUSE_HELD] += held;
	} else {
		held = 0;
	}
	j->out->cause_ns[CAUSE_BATCH] += oncpu_ns - held;
}

/* So much of a whole as the part is of the turn: the product may not fit in 64 bits. */
static uint64_t part_of(uint64_t whole, uint64_t part, uint64_t turn_ns)
{
	return turn_ns ? (uint64_t)((double)whole * (double)part / (double)turn_ns) : 0;
}

/*
 * More switches than the kernel side remembers: the turn's own totals serve, in proportion. False: the
 * turn is not known.
 */
static bool split_by_turn(const struct join *j, const struct ev_exchange *x,
			  const struct stage_span *s, struct split *split)
{
	const struct ev_turn *t = turn_waited_for(j, x, s);
	uint64_t part, turn_ns;

	if (!t)
		return false;
	part = span_overlap(s->from, s->to, t->start_ns, t->head.time_ns);
	turn_ns = t->head.time_ns - t->start_ns;
	split->runnable_ns = part_of(t->runnable_ns, part, turn_ns);
	split->blocked_ns = part_of(t->blocked_ns, part, turn_ns);
	return part > 0;
}

/* Busy and dispatch: the loop was at work for others, or off the CPU. */
static void blame_waiting(const struct join *j, const struct ev_exchange *x,
			  const struct stage_span *s, enum split_stage which)
{
	struct split split = x->split[which];
	uint64_t oncpu_ns;

	if (!(x->flags & (EXCHANGE_SPLIT_BUSY << which)) && !split_by_turn(j, x, s, &split)) {
		j->out->cause_ns[CAUSE_BATCH] += s->to - s->from;
		return;
	}
	oncpu_ns = blame_offcpu(j, s->tid, s->from, s->to, &split);
	if (oncpu_ns)
		blame_loop(j, x, s, oncpu_ns);
}

/* Nobody watched the descriptor at first; the rest is as always. */
static void blame_busy(const struct join *j, const struct ev_exchange *x, struct stage_span *s)
{
	uint64_t ns = min_u64(x->aside.unarmed_ns, s->to - s->from);

	j->out->cause_ns[CAUSE_UNARMED] += ns;
	max_u64(&j->out->unarmed_max_ns, ns);
	s->from += ns;
	blame_waiting(j, x, s, SPLIT_BUSY);
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
		    (released(o) && o->waker_tid == x->reader_tid))
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
		if (x->flags & EXCHANGE_ASYNC)
			oncpu_ns = blame_async(j, x, s, oncpu_ns);
		j->out->cause_ns[CAUSE_SERVICE] += oncpu_ns;
		max_u64(&j->out->service_max_ns, oncpu_ns);
		j->services[j->out->count] = oncpu_ns;
	} else if (x->flags & EXCHANGE_HANDOFF) {
		blame_handoff(j, x, s);
	} else {
		j->out->cause_ns[CAUSE_ASYNC] += s->to - s->from;
	}
}

static void blame_stage(const struct join *j, const struct ev_exchange *x, struct stage_span *s)
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
		blame_busy(j, x, s);
	else if (s->stage == STAGE_DISPATCH && is_by_worker(x) && !(x->flags & EXCHANGE_NO_WAIT))
		blame_worker(j, s);
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

static int u64_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* How long a stage took in those exchanges of the tail of which it is at least half. */
static struct cluster stage_cluster(const struct ev_exchange *list, size_t n, uint64_t tail_ns,
				    unsigned stage, uint64_t *room)
{
	size_t found = 0;

	for (const struct ev_exchange *x = list; x < list + n; x++)
		if (x->latency_ns >= tail_ns && x->stage_ns[stage] * 2 >= x->latency_ns)
			room[found++] = x->stage_ns[stage];
	return cluster_of(room, found);
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
	workers_find(&j.workers, h);
	out->workers = j.workers.n;
	for (size_t i = 0; i < history_count(h, EV_TURN); i++)
		hold_add(out, &turns[i]);
	for (size_t i = first; i < n; i++)
		if (exchanges[i].latency_ns >= tail_ns)
			blame_exchange(&j, &exchanges[i]);
	qsort(j.services, out->count, sizeof(*j.services), u64_order);
	out->service_p50_ns = j.services[out->count / 2];
	if (n) {
		out->receive = stage_cluster(exchanges + first, n - first, tail_ns, STAGE_RECEIVE,
					     j.services);
		out->dispatch = stage_cluster(exchanges + first, n - first, tail_ns, STAGE_DISPATCH,
					      j.services);
	}
	free(j.services);
	find_flows(h, out);
	blame_chain(h, out);
	sort(&out->instead);
	sort(&out->wakers);
	sort(&out->loops);
	sort(&out->calls);
	sort(&out->worker_calls);
	sort(&out->conns);
	return 0;
}
