/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sink.c - several sinks as one. */
#include <stdlib.h>

#include "stream/sink.h"

void sinks_add(struct sinks *sinks, const struct sink *sink)
{
	if (!sink)
		return;
	if (sinks->n == SINKS_MAX)
		abort();	/* their number is the program's, not the user's */
	sinks->list[sinks->n++] = sink;
}

static bool hears_exchanges(const struct sink *s)
{
	return s->exchange || s->record || s->event[EV_EXCHANGE];
}

struct needs sinks_needs(const struct sinks *sinks)
{
	struct needs all = { 0 };
	bool first = true;

	for (size_t i = 0; i < sinks->n; i++) {
		const struct needs *n = &sinks->list[i]->needs;

		all.answers |= n->answers;
		all.prompt_answers |= n->prompt_answers;
		all.intervals |= n->intervals;
		all.every_turn |= n->every_turn;
		all.conn_closes |= n->conn_closes;
		all.syscalls |= n->syscalls;
		if (n->stack_hz > all.stack_hz)
			all.stack_hz = n->stack_hz;
		if (!hears_exchanges(sinks->list[i]))
			continue;
		if (first) {
			all.exchanges = n->exchanges;
			all.over_ns = n->over_ns;
		} else if (all.exchanges != n->exchanges || all.over_ns != n->over_ns) {
			all.exchanges = EXCHANGES_OVER;
			all.over_ns = 0;
		}
		first = false;
	}
	return all;
}

bool sinks_hear_latency(const struct sinks *sinks)
{
	for (size_t i = 0; i < sinks->n; i++)
		if (sinks->list[i]->latency)
			return true;
	return false;
}

bool sinks_hear_stacks(const struct sinks *sinks)
{
	for (size_t i = 0; i < sinks->n; i++)
		if (sinks->list[i]->stack)
			return true;
	return false;
}
