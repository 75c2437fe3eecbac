/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* governor.c - over the budget: shed a step; room again: one comes back. */
#include <string.h>

#include "watch/governor.h"

/* What the looks since the last change say. */
struct measured {
	uint64_t ns;		/* between the first and the last */
	double own, target;	/* ns of CPU time, the target's as large as it is taken for */
	double busy;		/* the target's as it is */
};

static void look_add(struct governor *g, const struct governor_look *look)
{
	if (g->n_looks > GOVERNOR_PERIOD) {
		memmove(g->look, g->look + 1, GOVERNOR_PERIOD * sizeof(*g->look));
		g->n_looks--;
	}
	g->look[g->n_looks++] = *look;
}

static struct measured measure(const struct governor *g)
{
	const struct governor_look *first = &g->look[0], *last = &g->look[g->n_looks - 1];
	struct measured m = {
		.ns = last->now_ns - first->now_ns,
		.own = (double)(last->own_ns - first->own_ns),
		.busy = (double)(last->target_ns - first->target_ns),
	};
	double least = (double)m.ns * GOVERNOR_LEAST_TARGET;

	m.target = m.busy > least ? m.busy : least;
	return m;
}

static unsigned first_left(const struct governor *g)
{
	unsigned step = 0;

	while (step < SHED_STEPS && !(g->steps & ~g->shed & SHED_BIT(step)))
		step++;
	return step;
}

static unsigned last_shed(const struct governor *g)
{
	unsigned step = SHED_STEPS;

	while (step-- > 0)
		if (g->shed & SHED_BIT(step))
			return step;
	return SHED_STEPS;
}

/* What comes next is measured from here on. */
static void change(struct governor *g)
{
	g->look[0] = g->look[g->n_looks - 1];
	g->n_looks = 1;
	g->room_ns = 0;
}

/* Longer if what goes had come back a moment ago; a second step that goes after it changes nothing. */
static void wait_change(struct governor *g, uint64_t now_ns)
{
	if (g->back_ns && now_ns - g->back_ns <= 2 * g->wait_ns)
		g->wait_ns *= 2;
	else if (g->back_ns || !g->wait_ns)
		g->wait_ns = GOVERNOR_WAIT_NS;
	if (g->wait_ns > GOVERNOR_WAIT_MAX_NS)
		g->wait_ns = GOVERNOR_WAIT_MAX_NS;
	g->back_ns = 0;
}

static void shed_next(struct governor *g, const struct measured *m, uint64_t now_ns)
{
	unsigned step = first_left(g);

	if (step == SHED_STEPS)
		return;
	wait_change(g, now_ns);
	g->before = m->own / m->target;
	g->shed |= SHED_BIT(step);
	change(g);
}

static void room_for_last(struct governor *g, const struct measured *m, uint64_t now_ns)
{
	unsigned step = last_shed(g);

	if (m->own + g->saved[step] * m->busy > GOVERNOR_ROOM * g->share * m->target) {
		g->room_ns = 0;
		return;
	}
	if (!g->room_ns)
		g->room_ns = now_ns;
	if (now_ns - g->room_ns < g->wait_ns)
		return;
	g->shed &= ~SHED_BIT(step);
	g->back_ns = now_ns;
	change(g);
}

uint32_t governor_feed(struct governor *g, uint64_t now_ns, uint64_t own_ns, uint64_t target_ns)
{
	struct governor_look look = { now_ns, own_ns, target_ns };
	struct measured m;
	double used;

	look_add(g, &look);
	m = measure(g);
	if (!m.ns)
		return g->shed;
	used = m.own / m.target;
	if (g->before > 0) {
		g->saved[last_shed(g)] = g->before > used ? g->before - used : 0;
		g->before = 0;
	}
	if (used > 2 * g->share || (used > g->share && m.ns >= GOVERNOR_OVER_NS))
		shed_next(g, &m, now_ns);
	else if (g->shed)
		room_for_last(g, &m, now_ns);
	return g->shed;
}
