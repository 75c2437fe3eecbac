/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* profile_private.h - struct profile, for profile*.c. */
#ifndef EPOLLSCOPE_PROFILE_PRIVATE_H
#define EPOLLSCOPE_PROFILE_PRIVATE_H

#include "explain/profile.h"

#define PROFILE_STACKS (1u << 20)	/* at most */

struct profile_stack {
	struct stack_key key;
	char **frames;		/* innermost first */
	size_t n;
	bool broken;		/* a user stack that ends before its thread began */
	size_t unknown;		/* frames without a name */
};

struct profile {
	struct history *history;
	uint64_t period_ns;
	struct profile_stack *stacks;	/* sorted by key once all are there */
	size_t n_stacks;
	uint64_t dropped, cut;
	bool sorted;
};

/* A stack being put together, outermost first. */
struct frames {
	const char *at[STACK_DEPTH * 2 + 8];
	size_t n;
};

void frame_push(struct frames *f, const char *name);

/* The frames of a user stack, then of a kernel stack; whether there was any. */
bool frames_push_stacks(const struct profile *p, struct frames *f, uint32_t pid, int32_t user,
			int32_t kernel);

/* Before a stack is looked for. */
void profile_sort(struct profile *p);

int profile_tail_tree(struct profile *p, struct profile_tail *tail, struct flame_tree *tree);

#endif
