/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.c - what connections cost, counted as it is taken: buffers by malloc, each with what
 * malloc adds to it, and the connections themselves in pieces of SLOTS.
 */
#include "server.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static size_t cost(void *p)
{
	return malloc_usable_size(p) + sizeof(size_t);
}

void *loop_alloc(struct loop *l, size_t bytes)
{
	void *p = malloc(bytes);

	if (p)
		stat_add(&l->stats->memory_bytes, cost(p));
	return p;
}

void loop_free(struct loop *l, void *p)
{
	if (!p)
		return;
	stat_add(&l->stats->memory_bytes, -cost(p));
	free(p);
}

static bool more_slots(struct loop *l, struct slots *s)
{
	uint32_t room = s->room ? s->room * 2 : 16;
	uint8_t **pieces;

	if (s->n_pieces == s->room) {
		pieces = loop_alloc(l, room * sizeof(*pieces));
		if (!pieces)
			return false;
		if (s->n_pieces)
			memcpy(pieces, s->pieces, s->n_pieces * sizeof(*pieces));
		loop_free(l, s->pieces);
		s->pieces = pieces;
		s->room = room;
	}
	s->pieces[s->n_pieces] = loop_alloc(l, SLOTS * s->bytes);
	if (!s->pieces[s->n_pieces])
		return false;
	s->n_pieces++;
	return true;
}

struct conn *slot_at(struct loop *l, uint32_t at)
{
	struct slots *s = &l->slots;

	if (at >= s->count)
		return NULL;
	return (struct conn *)(s->pieces[at / SLOTS] + at % SLOTS * s->bytes);
}

struct conn *slot_take(struct loop *l, uint32_t *place)
{
	struct slots *s = &l->slots;
	struct conn *c = s->free;

	*place = SLOTS_MOST;
	if (c) {
		s->free = c->next;
		return c;
	}
	if (s->count == SLOTS_MOST || (s->count == s->n_pieces * SLOTS && !more_slots(l, s)))
		return NULL;
	*place = s->count++;
	c = slot_at(l, *place);
	memset(c, 0, s->bytes);
	return c;
}

void slot_give(struct loop *l, struct conn *c)
{
	c->next = l->slots.free;
	l->slots.free = c;
}

void slots_close(struct loop *l)
{
	for (uint32_t i = 0; i < l->slots.n_pieces; i++)
		loop_free(l, l->slots.pieces[i]);
	loop_free(l, l->slots.pieces);
}
