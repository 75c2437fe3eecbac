/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "answer.h"

#include "helper.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

/* Faults that strike an answer. */
#define OF_ANSWERS (FAULT_BIT(FAULT_CTL_MOD) | FAULT_BIT(FAULT_SMALL_WRITES) | \
		    FAULT_BIT(FAULT_OTHER_THREAD) | FAULT_BIT(FAULT_SLOW_DRAIN))

bool reply_add(struct loop *l, const void *data, size_t bytes)
{
	struct reply *r = &l->reply;
	size_t room = r->room ? r->room : 4096;
	uint8_t *p;

	while (room < r->fill + bytes)
		room *= 2;
	if (room != r->room) {
		p = realloc(r->bytes, room);
		if (!p)
			return false;
		r->bytes = p;
		r->room = room;
	}
	memcpy(r->bytes + r->fill, data, bytes);
	r->fill += bytes;
	return true;
}

void answer_send(struct loop *l, struct conn *c, const void *data, size_t bytes, off_t file_bytes,
	struct record *r)
{
	uint32_t hits = r && l->faults.any ? faults_strike(&l->faults, OF_ANSWERS, c->serial) : 0;
	uint64_t mods = hits & FAULT_BIT(FAULT_CTL_MOD) ? l->cfg->faults[FAULT_CTL_MOD].amount : 0;

	while (mods-- > 0)
		poller_change(&l->poller, &c->watch, c->watch.events);
	if (hits & FAULT_BIT(FAULT_OTHER_THREAD)) {
		/* The helper sends all at once, but no file. */
		r->fault |= hits & ~(FAULT_BIT(FAULT_SMALL_WRITES) | FAULT_BIT(FAULT_SLOW_DRAIN));
		if (!file_bytes && helper_answer(l->helper, c, data, bytes, r)) {
			c->lent = 1;
			return;
		}
		r->fault &= ~FAULT_BIT(FAULT_OTHER_THREAD);
	}
	if (r)
		r->fault |= hits & ~FAULT_BIT(FAULT_OTHER_THREAD);
	if (!output_send(l, c, data, bytes, file_bytes, r))
		conn_broken(l, c);
}

void answer_next(struct conn *c, struct record *r, uint32_t messages)
{
	r->port = c->port;
	r->number = ++c->number;
	r->accept_ns = c->accept_ns;
	r->messages = messages;
	r->fault |= c->hits;
	c->hits &= ~(FAULT_BIT(FAULT_ACCEPT_ONE) | FAULT_BIT(FAULT_ACCEPT_PAUSE) |
		     FAULT_BIT(FAULT_UNDRAINED));
}

void answer_exchange(struct loop *l, struct conn *c, const void *data, size_t bytes,
	uint32_t messages, off_t file_bytes)
{
	struct record *r = &l->exchange;

	stat_add(&l->stats->exchanges, 1);
	stat_add(&l->stats->messages, messages);
	answer_next(c, r, messages);
	r->bytes = bytes + (size_t)file_bytes;
	answer_send(l, c, data, bytes, file_bytes, r);
	r->fault = 0;
}
