/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* owed.c - see owed.h. */
#include "owed.h"
#include "protocol_push.h"
#include "truth.h"

uint64_t *owed_times(const struct worker *w, const struct conn *c)
{
	return w->started_ns + (size_t)(c - w->conns) * w->cfg->depth;
}

/*
 * When a connection's n-th request was meant to be sent, counted from 0; 0 once it was refused out
 * of turn. No more than a ring of depth are under way.
 */
static uint64_t *started(const struct worker *w, const struct conn *c, uint64_t n)
{
	return owed_times(w, c) + n % w->cfg->depth;
}

void owe_request(struct worker *w, struct conn *c)
{
	struct schedule *s = &w->schedule;
	uint64_t meant = s->closed ? w->now : s->due_ns;
	bool held = !s->closed && w->full && meant >= w->full_from_ns && meant < w->full_to_ns;

	*started(w, c, c->taken++) = meant;
	c->owed++;
	w->owed++;
	w->counts.sent++;
	w->counts.held += held;
	w->full = held;	/* held requests are taken first: one that is not ends the shortage */
	w->counts.last_sent_ns = w->now;
	if (!s->closed)
		histogram_add(&w->counts.send_error, w->now - meant);
	if (!s->closed && !held)
		histogram_add(&w->counts.own_error, w->now - meant);
	schedule_advance(s);
}

void owe_nothing(struct worker *w, struct conn *c, enum loss loss)
{
	for (uint64_t n = c->taken - c->owed; n < c->taken; n++)
		w->counts.lost[loss] += *started(w, c, n) != 0;
	w->owed -= c->owed;
	c->owed = 0;
}

/* The first that is owed goes, and those behind it that were refused out of turn. */
static void settle(struct worker *w, struct conn *c)
{
	do {
		c->owed--;
		w->owed--;
	} while (c->owed && !*started(w, c, c->taken - c->owed));
}

/* False if no answer was owed. */
static bool take_answer(struct worker *w, struct conn *c)
{
	const struct config *cfg = w->cfg;

	if (!c->owed)
		return false;
	histogram_add(&w->counts.latency, w->now - *started(w, c, c->taken - c->owed));
	w->counts.answered++;
	truth_answered(w, c);
	if (cfg->topics)
		w->counts.to_deliver += share_of(cfg->connections - cfg->active, cfg->topics,
						 c->index % cfg->topics);
	settle(w, c);
	return true;
}

/* A refusal may overtake answers, and says which request it is about; false: none of ours. */
static bool take_refusal(struct worker *w, struct conn *c)
{
	uint64_t first = c->taken - c->owed;
	uint64_t n = w->cfg->protocol == &protocol_push ? push_refused(&c->wire) : first;

	if (n < first || n >= c->taken || !*started(w, c, n))
		return false;
	w->counts.refused++;
	*started(w, c, n) = 0;
	if (n == first)
		settle(w, c);
	return true;
}

/* False if it was published at another time than this run. */
static bool take_delivery(struct worker *w, struct conn *c)
{
	uint64_t stamp_ns = push_stamp(&c->wire);

	if (stamp_ns > w->now || stamp_ns < w->run->start_ns)
		return false;
	w->alive_ns = w->now;
	w->counts.delivered++;
	histogram_add(&w->counts.delivery, w->now - stamp_ns);
	return true;
}

enum owe owe_less(struct worker *w, struct conn *c, enum parsed result)
{
	if (result == PARSED_MORE)
		return OWE_ON;
	if (result == PARSED_DELIVERY)
		return take_delivery(w, c) ? OWE_ON : OWE_GARBLED;
	if (result == PARSED_GARBAGE)
		return OWE_GARBLED;
	for (unsigned n = c->wire.earlier + (result == PARSED_ANSWER); n; n--)
		if (!take_answer(w, c))
			return OWE_GARBLED;
	c->wire.earlier = 0;
	if (result == PARSED_REFUSAL && !take_refusal(w, c))
		return OWE_GARBLED;
	w->alive_ns = w->counts.last_answer_ns = w->now;
	c->useful = true;
	return w->cfg->conn_per_request ? OWE_DONE : OWE_ON;
}
