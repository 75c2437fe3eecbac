/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 64	/* slots that are allocated together */

static size_t cost(void *p)
{
	return malloc_usable_size(p) + sizeof(size_t);
}

void *memory_alloc(struct stats *s, size_t bytes)
{
	void *p = malloc(bytes);

	if (p)
		stat_add(&s->memory_bytes, cost(p));
	return p;
}

void memory_free(struct stats *s, void *p)
{
	if (!p)
		return;
	stat_add(&s->memory_bytes, -cost(p));
	free(p);
}

static bool add_piece(struct slots *s, struct stats *stats)
{
	uint32_t room = s->room ? s->room * 2 : 16;
	uint8_t **pieces;

	if (s->n_pieces == s->room) {
		pieces = memory_alloc(stats, room * sizeof(*pieces));
		if (!pieces)
			return false;
		if (s->n_pieces)
			memcpy(pieces, s->pieces, s->n_pieces * sizeof(*pieces));
		memory_free(stats, s->pieces);
		s->pieces = pieces;
		s->room = room;
	}
	s->pieces[s->n_pieces] = memory_alloc(stats, PIECE * s->bytes);
	if (!s->pieces[s->n_pieces])
		return false;
	s->n_pieces++;
	return true;
}

void *slot_at(const struct slots *s, uint32_t place)
{
	return place < s->count ? s->pieces[place / PIECE] + place % PIECE * s->bytes : NULL;
}

void *slot_new(struct slots *s, struct stats *stats, uint32_t *place)
{
	if (s->count == SLOTS_MOST || (s->count == s->n_pieces * PIECE && !add_piece(s, stats)))
		return NULL;
	*place = s->count++;
	return memset(slot_at(s, *place), 0, s->bytes);
}

void slots_close(struct slots *s, struct stats *stats)
{
	for (uint32_t i = 0; i < s->n_pieces; i++)
		memory_free(stats, s->pieces[i]);
	memory_free(stats, s->pieces);
}
