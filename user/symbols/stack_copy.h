/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_copy.h - user stacks made whole: the kernel's stack by frame pointers, and the callers of its
 * innermost function by call-frame information, from the top of the stack that came with a record.
 *
 * The same stack of the kernel's map can have several such callers, so each gets an id of its own,
 * from STACK_COPY_FIRST_ID on. It stands in the record in place of the map's, for all that follow.
 */
#ifndef EPOLLSCOPE_STACK_COPY_H
#define EPOLLSCOPE_STACK_COPY_H

#include "symbols/callers.h"
#include "symbols/symbols.h"

#define STACK_COPY_FIRST_ID (1 << 24)	/* beyond any id of the map */

struct stack_copies;

struct stack_copy {
	uint32_t pid;
	int32_t id;		/* in the kernel's map */
	uint64_t ip;		/* its first frame, */
	struct callers callers;	/* and what comes between that and its second */
};

struct stack_copies_stats {
	uint64_t asked;		/* records with a top */
	uint64_t found;		/* whose stack lacked callers that are known now */
	uint64_t astray;	/* whose other frames were none */
	uint64_t open;		/* on whose way out, once begun, a rule or a word was missing */
	uint64_t bad;		/* on whose way out there was no code: nothing was taken */
};

/* NULL when out of memory. */
struct stack_copies *stack_copies_new(struct symbols *symbols);
void stack_copies_free(struct stack_copies *t);	/* NULL is fine */

/*
 * A record as it came out of a ring. One that brought a top is copied to *room without it, with its
 * stack's new id, and that is returned, with its size in *size; others are returned as they are.
 */
const void *stack_copies_record(struct stack_copies *t, const void *data, size_t *size,
			      struct ev_offcpu *room);

/* Of an id from STACK_COPY_FIRST_ID on; NULL if there is none. */
const struct stack_copy *stack_copies_find(const struct stack_copies *t, int32_t id);

/* Puts what was found into the frames of its stack; returns how many there are then, at most `room`. */
size_t stack_copy_apply(const struct stack_copy *top, uint64_t *ip, size_t n, size_t room);

void stack_copies_get_stats(const struct stack_copies *t, struct stack_copies_stats *stats);

#endif
