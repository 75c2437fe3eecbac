/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * correlate.h - joins each exchange with its answer.
 *
 * A pure state machine: no clock, no I/O, memory fixed at creation. Time comes from the events
 * and from correlate_tick(). Events of one connection may arrive in any order, as far apart as
 * the grace time, because each processor has a ring of its own.
 */
#ifndef EPOLLSCOPE_CORRELATE_H
#define EPOLLSCOPE_CORRELATE_H

#include "stream/decode.h"
#include "model/model.h"

struct correlate;

/* Gets every exchange exactly once, in the order of release; valid only during the call. */
typedef void (*correlate_sink)(void *ctx, const struct exchange_info *x);

/* The same live and replayed, so that both release the same. */
#define CORRELATE_CAPACITY 8192
#define CORRELATE_WAIT_NS  (3000ULL * 1000000)
#define CORRELATE_GRACE_NS (100ULL * 1000000)

struct correlate_limits {
	size_t capacity;	/* exchanges and answers held at once, at least 1 */
	uint64_t wait_ns;	/* an exchange waits this long for its answer */
	uint64_t grace_ns;	/* how far apart rings may be: after a close, or an answer alone */
};

/* exchanges = joined + closed + expired + evicted + flushed + exchanges still held. */
struct correlate_stats {
	uint64_t exchanges;	/* fed, without duplicates */
	uint64_t joined;	/* released with their answer */
	uint64_t closed;	/* released without: their connection closed */
	uint64_t expired;	/* released without: waited too long */
	uint64_t evicted;	/* released without: no room */
	uint64_t flushed;	/* released without: by correlate_flush */
	uint64_t lone_answers;	/* answers dropped: their exchange never came, or is released */
	uint64_t duplicates;	/* second event of its kind for one exchange: dropped */
	uint64_t ignored;	/* events of other kinds */
};

/* NULL when out of memory or the capacity is 0. */
struct correlate *correlate_new(const struct correlate_limits *limits, correlate_sink sink,
				void *ctx);
void correlate_free(struct correlate *c);	/* releases nothing to the sink; NULL is fine */

void correlate_feed(struct correlate *c, const struct event *e);

/* Releases what is due at now_ns (CLOCK_MONOTONIC; when replaying, the time of the events). */
void correlate_tick(struct correlate *c, uint64_t now_ns);

/* Age of the oldest exchange on an open connection that waits for its answer; 0 if none. */
uint64_t correlate_oldest_ns(const struct correlate *c, uint64_t now_ns);

size_t correlate_held(const struct correlate *c);

void correlate_flush(struct correlate *c);

const struct correlate_stats *correlate_stats(const struct correlate *c);

#endif
