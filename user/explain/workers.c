/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* workers.c - see workers.h. */
#include <stdlib.h>

#include "explain/stage_map.h"
#include "explain/workers.h"

#define IDLE_MAX 512	/* idle intervals of one span; more of them make it no wait */

struct stretch {
	uint64_t from, to;
};

struct idle {
	struct stretch list[IDLE_MAX];
	size_t n;
	bool full;
};

static struct worker *find(const struct workers *w, uint32_t tid)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].tid == tid)
			return (struct worker *)&w->list[i];
	return NULL;
}

static void known(struct worker *t, uint64_t from, uint64_t to)
{
	if (from < t->from)
		t->from = from;
	if (to > t->to)
		t->to = to;
}

void workers_find(struct workers *w, const struct history *h)
{
	const struct ev_exchange *x = history_records(h, EV_EXCHANGE);
	size_t n = history_count(h, EV_EXCHANGE);

	for (size_t i = 0; i < n; i++) {
		struct worker *t;

		if (!is_by_worker(&x[i]))
			continue;
		t = find(w, x[i].tid);
		if (!t && w->n < WORKERS_MAX) {
			t = &w->list[w->n++];
			*t = (struct worker){ .tid = x[i].tid, .from = UINT64_MAX };
		}
		if (t)
			known(t, x[i].head.time_ns - x[i].stage_ns[STAGE_SERVICE], x[i].head.time_ns);
	}
	for (struct worker *t = w->list; t < w->list + w->n; t++) {
		struct history_walk walk = history_walk(h, EV_OFFCPU, t->tid, 0);
		const struct ev_offcpu *o;

		while ((o = history_next(&walk)))
			known(t, o->start_ns, o->head.time_ns);
	}
}

bool workers_idle_in(const struct workers *w, const struct ev_offcpu *o)
{
	if (o->flags & OFFCPU_IN_WAIT)
		return true;
	return released(o) && o->waker_pid == o->pid && !find(w, o->waker_tid);
}

/* The part of a stretch that lies in [from, to). */
static void idle_add(struct idle *idle, uint64_t from, uint64_t to, uint64_t start, uint64_t end)
{
	if (!span_overlap(from, to, start, end))
		return;
	if (idle->n == IDLE_MAX) {
		idle->full = true;
		return;
	}
	idle->list[idle->n++] = (struct stretch){ start > from ? start : from, end < to ? end : to };
}

static void idle_of(struct idle *idle, const struct workers *w, const struct history *h,
		    const struct worker *t, uint64_t from, uint64_t to)
{
	struct history_walk walk = history_walk(h, EV_OFFCPU, t->tid, from);
	const struct ev_offcpu *o;

	idle_add(idle, from, to, 0, t->from);
	idle_add(idle, from, to, t->to, UINT64_MAX);
	while ((o = history_next_offcpu(&walk, to)))
		if (workers_idle_in(w, o))
			idle_add(idle, from, to, o->start_ns, woken_at(o));
}

static int by_start(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Time covered by any of them; sorts. */
static uint64_t covered(struct idle *idle)
{
	uint64_t at = 0, sum = 0;

	qsort(idle->list, idle->n, sizeof(idle->list[0]), by_start);
	for (size_t i = 0; i < idle->n; i++) {
		const struct stretch *s = &idle->list[i];

		if (s->to <= at)
			continue;
		sum += s->to - (s->from > at ? s->from : at);
		at = s->to;
	}
	return sum;
}

uint64_t workers_busy(const struct workers *w, const struct history *h, uint64_t from, uint64_t to,
		      uint64_t *busy_ns)
{
	struct idle idle = { .n = 0 };
	uint64_t each = 0;

	*busy_ns = 0;
	if (!w->n || to <= from)
		return 0;
	for (size_t i = 0; i < w->n; i++)
		idle_of(&idle, w, h, &w->list[i], from, to);
	if (idle.full)
		return 0;
	for (size_t i = 0; i < idle.n; i++)
		each += idle.list[i].to - idle.list[i].from;
	*busy_ns = each < w->n * (to - from) ? w->n * (to - from) - each : 0;
	return to - from - covered(&idle);
}
