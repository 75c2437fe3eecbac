/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.h - what connections cost, counted in stats as it is taken: buffers by malloc, each with
 * what malloc adds to it, and slots for the connections themselves.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "stats.h"

#define SLOTS_MOST (1u << 20)

/* Objects of one size, in pieces that never move. The caller keeps and reuses what is free. */
struct slots {
	size_t bytes;		/* of a slot; set it before the first use */
	uint8_t **pieces;
	uint32_t count, n_pieces, room;
};

void *memory_alloc(struct stats *s, size_t bytes);	/* NULL: none */
void memory_free(struct stats *s, void *p);		/* NULL is fine */

/* A new slot, zeroed, with the place of it; NULL: no memory, or SLOTS_MOST are in use. */
void *slot_new(struct slots *s, struct stats *stats, uint32_t *place);
void *slot_at(const struct slots *s, uint32_t place);	/* NULL: there is none yet */
void slots_close(struct slots *s, struct stats *stats);

#endif
