/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_copy.h - user stacks made whole: the kernel's stack by frame pointers, and the callers that
 * these miss by the rules of call-frame information, as far as the words of the stack reach that
 * came with a record. A function without a frame hides the one that called it:
 *
 *   kernel, by frame pointers:  clock_nanosleep <- ................. <- serve <- main
 *   here, by rules:             clock_nanosleep <- usleep <- handle <- serve
 *
 * The same stack of the kernel's map can have several such callers, so each gets an id of its own,
 * from STACK_COPY_FIRST_ID on. It stands in the record in place of the map's, for all that follow.
 */
#ifndef EPOLLSCOPE_STACK_COPY_H
#define EPOLLSCOPE_STACK_COPY_H

#include <linux/types.h>

#include "base/map.h"
#include "bpf/hist.h"
#include "bpf/events.h"
#include "symbols/symbols.h"

#define CALLERS_MAX 32

/* 0; -ENODATA: code without a rule; -ENOENT: no code is there. */
typedef int (*callers_rule_fn)(void *ctx, uint64_t address, struct cfi_rule *rule);

struct callers {
	uint64_t at[CALLERS_MAX];	/* return addresses, innermost first */
	unsigned n;			/* up to the last that the kernel's walk lacks */
	unsigned instead;		/* so many that it has are among them */
	/*
	 * The frame pointer was not one where the kernel's walk used it: what that has further is
	 * not on the stack. Without it the rest is not known.
	 */
	bool astray;
};

/*
 * A pure function of the registers, the words and the rules. 0: the callers reach the kernel's
 * frames, or those are known to be astray. -ENODATA: a rule or a word is missing before that; those
 * found are right all the same. -EBADMSG: no code where a caller should be, there are none.
 */
int callers_find(const struct user_top *top, callers_rule_fn rule, void *ctx, struct callers *out);

#define STACK_COPY_FIRST_ID (1 << 24)	/* beyond any id of the map */

struct stack_copy {
	uint32_t pid;
	int32_t id;		/* in the kernel's map */
	uint64_t ip;		/* its first frame, */
	struct callers callers;	/* and what comes between that and its second */
};

struct stack_copies {
	struct symbols *symbols;	/* set by whoever has them; else all zeros at first */
	struct stack_copy *list;
	size_t n, room;
	struct map known;
	uint64_t asked;		/* records with a top */
	uint64_t found;		/* whose stack lacked callers that are known now */
	uint64_t astray;	/* whose other frames were none */
	uint64_t open;		/* on whose way out, once begun, a rule or a word was missing */
	uint64_t bad;		/* on whose way out there was no code: nothing was taken */
};

void stack_copies_free(struct stack_copies *t);

/*
 * A record as it came out of a ring. One that brought a top is copied to *room without it, with its
 * stack's new id, and that is returned, with its size in *size; others are returned as they are.
 */
const void *stack_copies_record(struct stack_copies *t, const void *data, size_t *size,
				struct ev_offcpu *room);

/* Of an id from STACK_COPY_FIRST_ID on; NULL if there is none. */
const struct stack_copy *stack_copies_find(const struct stack_copies *t, int32_t id);

/* Puts what was found into the frames of its stack. Returns how many there are then, up to room. */
size_t stack_copy_apply(const struct stack_copy *top, uint64_t *ip, size_t n, size_t room);

#endif
