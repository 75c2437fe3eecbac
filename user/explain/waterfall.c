/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* waterfall.c - see waterfall.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain/stage_map.h"
#include "explain/waterfall.h"

struct filling {
	struct waterfall *out;
	const struct history *h;
	const struct ev_exchange *x;
	uint64_t least_ns;
	size_t turns, offcpu;	/* the first ones that may belong to the exchange */
};

static void add(const struct filling *f, const struct waterfall_part *part, const char *comm)
{
	struct waterfall *out = f->out;

	if (!part->ns || part->ns < f->least_ns)
		return;
	if (out->n == WATERFALL_PARTS) {
		out->left_out++;
		return;
	}
	out->part[out->n] = *part;
	memcpy(out->part[out->n++].comm, comm, COMM_LEN);
}

static void add_offcpu(const struct filling *f, const struct stage_span *s,
		       const struct ev_offcpu *o)
{
	uint64_t woken = woken_at(o);
	struct waterfall_part blocked = {
		.stage = s->stage, .what = WATERFALL_BLOCKED, .kind = slept_kind(o), .nr = o->syscall,
		.ns = span_overlap(s->from, s->to, o->start_ns, woken),
	};
	struct waterfall_part runnable = {
		.stage = s->stage, .what = WATERFALL_RUNNABLE, .pid = o->instead_pid,
		.ns = span_overlap(s->from, s->to, woken, o->head.time_ns),
	};

	if (o->tid != s->tid)
		return;
	/* Timers and devices wake in whatever task they interrupt: its name would mislead. */
	if (released(o) && (o->kind == OFFCPU_FUTEX || o->kind == OFFCPU_PIPE))
		blocked.pid = o->waker_pid;
	if (!(o->flags & OFFCPU_IN_WAIT))
		add(f, &blocked, o->waker_comm);
	add(f, &runnable, o->instead_comm);
}

static void add_turn(const struct filling *f, const struct stage_span *s, const struct ev_turn *t)
{
	struct waterfall_part held = {
		.stage = s->stage, .what = WATERFALL_HELD, .conn = t->long_conn,
		.ns = span_overlap(s->from, s->to, t->start_ns, t->head.time_ns),
	};

	if (t->tid != s->tid || t->long_conn == f->x->conn || !t->long_conn || !turn_is_held(t))
		return;
	if (held.ns > t->long_ns)
		held.ns = t->long_ns;
	add(f, &held, t->comm);
}

static void add_aside(const struct filling *f, const struct stage_span *s,
		      enum waterfall_what what, uint64_t ns)
{
	const struct waterfall_part part = { .stage = s->stage, .what = what, .ns = ns };

	add(f, &part, f->x->comm);
}

static void add_asides(const struct filling *f, const struct stage_span *s)
{
	const struct aside *aside = &f->x->aside;

	if (s->stage == STAGE_BUSY) {
		add_aside(f, s, WATERFALL_UNARMED, aside->unarmed_ns);
	} else if (s->stage == STAGE_SERVICE) {
		add_aside(f, s, WATERFALL_IDLE, aside->idle_ns);
		add_aside(f, s, WATERFALL_OTHERS, aside->others_ns);
	}
}

static void add_stage(const struct filling *f, const struct stage_span *s)
{
	const struct ev_turn *turns = history_records(f->h, EV_TURN);
	const struct ev_offcpu *offcpu = history_records(f->h, EV_OFFCPU);
	bool waits = s->stage == STAGE_BUSY || s->stage == STAGE_DISPATCH;

	add_asides(f, s);
	for (size_t i = f->turns; waits && i < history_count(f->h, EV_TURN); i++)
		add_turn(f, s, &turns[i]);
	for (size_t i = f->offcpu; i < history_count(f->h, EV_OFFCPU); i++)
		add_offcpu(f, s, &offcpu[i]);
}

void waterfall_fill(struct waterfall *out, const struct history *h, const struct ev_exchange *x,
		    uint64_t least_ns)
{
	uint64_t from_ns = x->head.time_ns - x->latency_ns;
	struct filling f = {
		.out = out, .h = h, .x = x, .least_ns = least_ns,
		.turns = history_since(h, EV_TURN, from_ns),
		.offcpu = history_since(h, EV_OFFCPU, from_ns),
	};
	struct stage_span spans[STAGE_COUNT];
	size_t n = stage_spans(x, spans);

	out->n = 0;
	out->left_out = 0;
	for (size_t i = 0; i < n; i++)
		if (spans[i].has_thread)
			add_stage(&f, &spans[i]);
}

int worst_init(struct worst *w, size_t room, bool waterfalls)
{
	*w = (struct worst){ .room = room };
	w->list = calloc(room + 1, sizeof(*w->list));
	if (waterfalls)
		w->waterfalls = calloc(room + 1, sizeof(*w->waterfalls));
	return w->list && (w->waterfalls || !waterfalls) ? 0 : -ENOMEM;
}

void worst_free(struct worst *w)
{
	free(w->list);
	free(w->waterfalls);
}

void worst_add(struct worst *w, const struct exchange_info *x, const struct history *h)
{
	size_t i;

	if (w->n == w->room &&
	    (!w->room || x->ex.latency_ns <= w->list[w->n - 1].ex.latency_ns))
		return;
	if (w->n < w->room)
		w->n++;
	for (i = w->n - 1; i > 0 && w->list[i - 1].ex.latency_ns < x->ex.latency_ns; i--) {
		w->list[i] = w->list[i - 1];
		if (w->waterfalls)
			w->waterfalls[i] = w->waterfalls[i - 1];
	}
	w->list[i] = *x;
	if (w->waterfalls)
		waterfall_fill(&w->waterfalls[i], h, &x->ex, x->ex.latency_ns / WORST_PART);
}
