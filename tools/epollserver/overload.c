/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * overload.c - a token bucket for each loop, and a bounded line of those that find it empty.
 *
 * A request takes a token; without one its connection waits in line, and is not read meanwhile; if
 * the line is full it is refused, which costs little. So what is admitted waits for at most
 * queue / rate seconds here, whatever comes. Those behind a refusal may be served before those in
 * line: the line is short by design.
 */
#include "conn.h"
#include "tools/clock.h"

#include <stdlib.h>

struct waiting {
	struct conn *conn;
	uint32_t serial;	/* of the connection, which has left if it differs */
	struct record stamps;	/* of its exchange */
};

struct overload {
	struct timer timer;
	double tokens, per_ns, burst;
	uint64_t filled_ns;
	size_t head, count, room;
	struct waiting line[];
};

static void refill(struct overload *o, uint64_t now)
{
	o->tokens += (double)(now - o->filled_ns) * o->per_ns;
	o->tokens = o->tokens > o->burst ? o->burst : o->tokens;
	o->filled_ns = now;
}

static void set_timer(struct loop *l, struct overload *o)
{
	if (o->count && !o->timer.place)
		timer_set(&l->timers, &o->timer,
			o->filled_ns + (uint64_t)((1 - o->tokens) / o->per_ns) + 1);
}

/* Gives tokens to those that have waited for the longest time. */
static void serve_line(struct loop *l, struct timer *t)
{
	struct overload *o = l->overload;

	(void)t;
	refill(o, now_ns());
	while (o->count && o->tokens >= 1) {
		struct waiting w = o->line[o->head];

		o->head = (o->head + 1) % o->room;
		o->count--;
		if (w.conn->watch.fd < 0 || w.conn->serial != w.serial)
			continue;	/* its client has left */
		o->tokens--;
		w.conn->paused = 0;
		w.conn->granted = 1;
		l->exchange = w.stamps;
		input_resume(l, w.conn);
	}
	l->exchange.return_ns = l->now;
	set_timer(l, o);
}

int overload_open(struct loop *l)
{
	const struct config *cfg = l->cfg;
	size_t room = cfg->queue / cfg->loops;
	struct overload *o;

	if (!cfg->rate)
		return 0;
	o = calloc(1, sizeof(*o) + room * sizeof(o->line[0]));
	if (!o)
		return -1;
	o->per_ns = (double)cfg->rate / (double)cfg->loops / 1e9;
	o->burst = (double)cfg->burst / (double)cfg->loops;
	o->burst = o->burst < 1 ? 1 : o->burst;
	o->tokens = o->burst;
	o->filled_ns = now_ns();
	o->room = room;
	l->overload = o;
	o->timer.fire = serve_line;
	return 0;
}

static enum verdict wait_in_line(struct loop *l, struct overload *o, struct conn *c)
{
	struct waiting *w;

	if (o->count == o->room) {
		stat_add(&l->stats->refused, 1);
		return REFUSE;
	}
	w = &o->line[(o->head + o->count++) % o->room];
	*w = (struct waiting){ c, c->serial, l->exchange };
	w->stamps.fault = 0;	/* the bits belong to earlier requests of the same read */
	c->paused = 1;
	stat_add(&l->stats->queued, 1);
	set_timer(l, o);
	return QUEUE;
}

enum verdict overload_admit(struct loop *l, struct conn *c)
{
	struct overload *o = l->overload;

	if (o && !c->granted) {
		if (o->tokens < 1 || o->count)
			refill(o, now_ns());
		if (o->tokens < 1 || o->count)
			return wait_in_line(l, o, c);
		o->tokens--;
	}
	c->granted = 0;
	stat_add(&l->stats->admitted, 1);
	return ADMIT;
}
