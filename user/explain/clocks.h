/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * clocks.h - well-known periods: where waits are all of one length, it may be somebody's timer. What
 * it is called follows from the length only where the rest of the evidence allows it.
 */
#ifndef EPOLLSCOPE_CLOCKS_H
#define EPOLLSCOPE_CLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* Where the time went by. */
enum clock_place {
	CLOCK_REQUEST,		/* between the pieces of a request; nothing was sent meanwhile */
	CLOCK_ANSWER_NAGLE,	/* the end of an answer was kept back by the Nagle algorithm */
	CLOCK_TIMED_LOCK,	/* a futex wait that expired */
	CLOCK_POLL,		/* poll or select, beside the loop's own wait */
	CLOCK_CONNECT,		/* a connect that blocks */
	CLOCK_LOOP,		/* between the data's arrival and its reading, the loop at work */
};

/* What else must be so. */
enum clock_evidence {
	CLOCK_PYTHON = 1 << 0,	/* the target is run by CPython */
	CLOCK_GO = 1 << 1,	/* it is a Go program */
};

/* How long waits were: they are of one length if most of them lie close together. */
struct cluster {
	uint64_t count;
	uint64_t p10_ns, p50_ns, p90_ns;
};

struct clock {
	enum clock_place place;
	unsigned needs;			/* enum clock_evidence */
	uint64_t least_ns, most_ns;	/* p50 lies between these */
	const char *words;		/* a sentence, after "The pause is 1.00 s: " */
	const char *advice;		/* NULL: the finding's own */
};

/* NULL: the waits are too few, not of one length, or of none that is known here. */
const struct clock *clock_find(enum clock_place place, const struct cluster *c, unsigned evidence);

/* Sorts the waits. */
struct cluster cluster_of(uint64_t *ns, size_t n);

#endif
