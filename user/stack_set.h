/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_set.h - the stacks that events named, once each, and their frames in words.
 *
 * An event carries ids of the kernel's stack map. A user stack means something only together with
 * its process; a kernel stack is everybody's (pid 0).
 */
#ifndef EPOLLSCOPE_STACK_SET_H
#define EPOLLSCOPE_STACK_SET_H

#include "decode.h"
#include "model.h"

struct stack_key {
	uint32_t pid;	/* 0: a kernel stack */
	int32_t id;
};

/* Frames innermost first; kernel frames end in "_[k]". */
struct named_stack {
	struct stack_key key;
	const char *const *frames;
	size_t n;
	bool cut;	/* as deep as the kernel's limit: the outermost frames are missing */
};

typedef void (*named_stack_fn)(void *ctx, const struct named_stack *s);

struct stack_set {
	struct stack_key *keys;		/* a hash table of `room`, a power of two; id -1: free */
	size_t n, room;
	uint64_t dropped;		/* for want of memory */
};

/* Remembers the stacks that an event names. */
void stack_set_event(struct stack_set *s, const struct event *e);
void stack_set_free(struct stack_set *s);

#endif
