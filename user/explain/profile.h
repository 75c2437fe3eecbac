/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * profile.h - trees of what a history holds (history.h): samples, off-CPU intervals and exchanges,
 * with their stacks in words.
 */
#ifndef EPOLLSCOPE_PROFILE_H
#define EPOLLSCOPE_PROFILE_H

#include "explain/history.h"
#include "model/stack.h"
#include "explain/tail_set.h"
#include "flamegraph/flamegraph.h"

#define PROFILE_STACKS (1u << 20)	/* at most */

struct profile_stack {
	struct stack_key key;
	char **frames;		/* innermost first */
	size_t n;
	bool broken;		/* a user stack that ends before its thread began */
	size_t unknown;		/* frames without a name */
};

struct profile {
	struct history *history;	/* the caller's, and outlives the profile */
	uint32_t hz;			/* of the samples; to be set before a tree is made */
	struct profile_stack *stacks;	/* sorted by key once all are there */
	size_t n_stacks;
	uint64_t dropped, cut;
};

enum profile_mode {
	PROFILE_CPU,	/* on-CPU samples; weights in ns: the sampling period each */
	PROFILE_OFFCPU,	/* blocked time by the stack that blocked; idle waits left out */
	PROFILE_WAKEUP,	/* the same time by the stack of the waker */
	PROFILE_TAIL,	/* what the responsible threads did while slow exchanges waited */
	PROFILE_MODES,
};

struct profile_stats {
	uint64_t samples, offcpu;		/* that are remembered */
	uint64_t dropped;			/* that found no room */
	uint64_t stacks, cut;			/* in words; too deep for the kernel's limit */
	/* Of the records that a mode shows: */
	uint64_t unnamed;			/* their stack could not be taken */
	uint64_t user_stacks, broken;		/* have a user stack; a broken one ends early */
	uint64_t user_frames, unknown;		/* frames of user stacks; those without a name */
};

/* A tail tree: which exchanges, and how much of their time the stacks explain. */
struct profile_tail {
	uint64_t from_ns, to_ns;	/* latencies of the set; in: both included */
	const struct tail_set *set;	/* in: if not NULL, these instead: its tail, */
	bool typical;			/* in: or what is not slower than its medians */
	uint64_t exchanges;		/* out */
	uint64_t latency_ns;		/* their latency, */
	uint64_t stage_ns;		/* of it in stages that a thread is responsible for: the total */
	uint64_t explained_ns;		/* and of that with a stack, or waiting for a processor */
};

struct profile *profile_new(struct history *h);	/* NULL when out of memory */
void profile_free(struct profile *p);		/* NULL is fine */

void profile_stack(struct profile *p, const struct named_stack *s);

void profile_get_stats(struct profile *p, enum profile_mode mode, struct profile_stats *stats);

/*
 * Adds to the tree. For PROFILE_TAIL `tail` says which; else it may be NULL. by_stage puts the
 * stage of the ledger in front, in the modes that have none by themselves: what the exchanges that waited
 * for the thread were in (stage_map.h). The total is the same. 0 or -ENOMEM.
 */
int profile_tree(struct profile *p, enum profile_mode mode, bool by_stage,
		 struct profile_tail *tail, struct flame_tree *tree);

/*
 * The innermost function of the application under which at least half of the time of a tail's tree
 * went by. Its length, up to size - 1; 0 if there is none. Kernel frames and what stands in
 * brackets are nobody's code.
 */
size_t hot_code(const struct flame_tree *t, char *out, size_t size);

/* --- for profile*.c --- */

/* A stack being put together, outermost first. */
struct frames {
	const char *at[STACK_DEPTH * 2 + 8];
	size_t n;
};

void frame_push(struct frames *f, const char *name);

/* The frames of a user stack, then of a kernel stack; whether there was any. */
bool frames_push_stacks(const struct profile *p, struct frames *f, uint32_t pid, int32_t user,
			int32_t kernel);

/* Of an indexed history. */
int profile_tail_tree(struct profile *p, struct profile_tail *tail, struct flame_tree *tree);

#endif
