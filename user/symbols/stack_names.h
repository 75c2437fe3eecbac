/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_names.h - the stacks that events name become frames with names. What a process has mapped
 * is looked at while it runs; the stacks themselves are read at the end.
 */
#ifndef EPOLLSCOPE_STACK_NAMES_H
#define EPOLLSCOPE_STACK_NAMES_H

#include "model/stack.h"
#include "stream/decode.h"
#include "symbols/stack_copy.h"

struct stack_names;

/*
 * Reads the frames of the stack that an event calls `id`, innermost first, and returns their
 * number. 0: there is no such stack. *cut: it may be deeper.
 */
typedef size_t (*stack_read_fn)(const void *ctx, int32_t id, uint64_t ip[STACK_DEPTH], bool *cut);

/* Keeps so many frames of each stack. debug_dir as in symbols.h. NULL when out of memory. */
struct stack_names *stack_names_new(size_t depth, const char *debug_dir, stack_read_fn read,
				    const void *ctx);
void stack_names_free(struct stack_names *s);	/* NULL is fine */

/* A process of the target: what it has mapped is looked at now, for it may end. */
void stack_names_process(struct stack_names *s, uint32_t pid);

/*
 * A record as it came out of a ring becomes what is for everybody: its user stack with the callers
 * that frame pointers miss (stack_copy.h; *room and *size as there). Before stack_names_event().
 */
const void *stack_names_record(struct stack_names *s, const void *data, size_t *size,
			       struct ev_offcpu *room);

/* A line on stderr about callers that may be missing; verbose: about all that were found. */
void stack_names_say(const struct stack_names *s, bool verbose);

/*
 * Remembers the stacks that the event names, and what processes that exec or are forked have
 * mapped; looks again, a few times a second, when a new stack has an address where nothing was
 * (dlopen).
 */
void stack_names_event(struct stack_names *s, const struct event *e);

/*
 * Calls stack for each, in the order of their first events, and module for each file before the
 * first stack that needs it.
 */
void stack_names_give(struct stack_names *s, stack_module_fn module, named_stack_fn stack,
		      void *ctx);

#endif
