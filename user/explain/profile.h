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

struct profile;

enum profile_mode {
	PROFILE_CPU,	/* on-CPU samples; weights in ns: the sampling period each */
	PROFILE_OFFCPU,	/* blocked time by the stack that blocked; idle waits left out */
	PROFILE_WAKEUP,	/* the same time by the stack of the waker */
	PROFILE_TAIL,	/* what the responsible threads did while slow exchanges waited */
	PROFILE_MODES,
};

struct profile_stats {
	uint64_t samples, offcpu, exchanges;	/* that are remembered */
	uint64_t dropped;			/* that found no room */
	uint64_t stacks, cut;			/* in words; too deep for the kernel's limit */
	/* Of the records that a mode shows: */
	uint64_t unnamed;			/* their stack could not be taken */
	uint64_t user_stacks, broken;		/* they have one; it ends before its thread began */
	uint64_t user_frames, unknown;		/* of these; without a name */
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

/* The history is the caller's and outlives the profile. NULL when out of memory. */
struct profile *profile_new(struct history *h, uint32_t hz);
void profile_set_rate(struct profile *p, uint32_t hz);	/* of a capture, once it is known */
void profile_free(struct profile *p);		/* NULL is fine */

void profile_stack(struct profile *p, const struct named_stack *s);

void profile_get_stats(struct profile *p, enum profile_mode mode, struct profile_stats *stats);

/* Adds to the tree. For PROFILE_TAIL `tail` says which; else it may be NULL. 0 or -ENOMEM. */
int profile_tree(struct profile *p, enum profile_mode mode, struct profile_tail *tail,
		 struct flame_tree *tree);

/*
 * The same with the stage of the ledger as first frame, for the modes that have none by themselves:
 * what the exchanges that waited for the thread were in (stage_map.h). Same total.
 */
int profile_tree_by_stage(struct profile *p, enum profile_mode mode, struct flame_tree *tree);

#endif
