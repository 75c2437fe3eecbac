/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stream.h - the one way from a record to everybody who listens: decoded once, joined with its
 * answer, judged against the tail, given to the sinks.
 *
 * A live watch and the replay of a capture feed it alike: records, then a tick that ends their
 * round, and so on; at the end a flush. Pure: time comes with the records and the ticks, so that a
 * capture gives what was given while it was recorded.
 */
#ifndef EPOLLSCOPE_STREAM_H
#define EPOLLSCOPE_STREAM_H

#include "model/aggregate.h"
#include "stream/sink.h"

struct stream;

struct stream_config {
	const struct sinks *sinks;	/* outlives the stream */
	uint64_t window_ns;		/* of the tail; 0: TAIL_WINDOW_NS */
	/*
	 * Every exchange is fed, whatever the sinks need: the stream finds the tail. Otherwise the
	 * kernel side has found it, and what is fed is what the sinks need.
	 */
	bool every_exchange;
};

/* NULL when out of memory. */
struct stream *stream_new(const struct stream_config *config);
void stream_free(struct stream *s);	/* releases nothing to the sinks; NULL is fine */

void stream_begin(struct stream *s);
void stream_record(struct stream *s, const void *data, size_t size);
void stream_tick(struct stream *s, uint64_t now_ns);
void stream_latency(struct stream *s, uint64_t now_ns, const struct hist *total);
void stream_flush(struct stream *s);	/* no record follows: exchanges stop waiting */
void stream_drained(struct stream *s);
void stream_module(struct stream *s, const struct stack_module *m);
void stream_stack(struct stream *s, const struct named_stack *stack);

bool stream_done(const struct stream *s);	/* a sink has had enough */

/* Age of the oldest exchange on an open connection that waits for its answer; 0 if none. */
uint64_t stream_oldest_ns(const struct stream *s, uint64_t now_ns);

uint64_t stream_records(const struct stream *s);
uint64_t stream_bad_records(const struct stream *s);	/* of a kind or size that we do not know */

/* A sink that adds exchanges and answers up as the kernel side does. */
struct sink aggregate_sink(struct aggregate *sums);

#endif
