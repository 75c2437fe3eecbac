/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink.h - whoever listens to the stream: what it needs, which decides what the kernel side is
 * asked for, and the functions that it hears by.
 *
 * A sink is plain data that its owner fills and that outlives the stream.
 */
#ifndef EPOLLSCOPE_SINK_H
#define EPOLLSCOPE_SINK_H

#include "model/model.h"
#include "model/stack.h"
#include "stream/decode.h"

/* Which exchanges a sink hears. */
enum exchanges_needed {
	EXCHANGES_SAMPLED,	/* at least the tail and, live, a few beside it */
	EXCHANGES_TAIL,		/* the tail alone: at or above the P99 of the window */
	EXCHANGES_OVER,		/* all that take over_ns or longer; 0: all */
};

struct needs {
	enum exchanges_needed exchanges;	/* of a sink that hears exchanges or records */
	uint64_t over_ns;
	bool answers;		/* exchanges wait for their answers, and come with them */
	bool prompt_answers;	/* answers are completed soon, also on connections that fell idle */
	bool intervals;		/* turns and off-CPU intervals that are long beside the P99 */
	bool every_turn;	/* with intervals: turns of any length */
	bool conn_closes;
	bool syscalls;		/* system calls are timed: all of them, or in windows */
	uint32_t stack_hz;	/* samples; and off-CPU intervals of any length, all with stacks */
};

/*
 * Each function may be NULL. One that returns non-zero ends the stream. What is under way still
 * comes, but a sink that ended it from an event or an exchange hears no more of these.
 */
struct sink {
	struct needs needs;
	void *ctx;
	void (*begin)(void *ctx);	/* attached, or the capture's head is read */
	/* A record as it will stand in a capture, before it is decoded. */
	void (*record)(void *ctx, const void *data, size_t size);
	/* By the kind of the record, as it comes; exchanges here are without their answers. */
	int (*event[EV_KINDS])(void *ctx, const struct event *e);
	/* The exchanges that the sink needs. */
	int (*exchange)(void *ctx, const struct exchange_info *x);
	/* After each round of records, which a tick ends; non-zero ends the stream. */
	int (*tick)(void *ctx, uint64_t now_ns);
	/* All exchanges so far: at the beginning, every 100 ms or more often, and after the last. */
	void (*latency)(void *ctx, uint64_t now_ns, const struct hist *total);
	void (*drained)(void *ctx);	/* live: that was the last record; stacks follow */
	stack_module_fn module;		/* before the first stack that it has a nameless frame in */
	named_stack_fn stack;		/* after the last record: every stack that one named, once */
};

#define SINKS_MAX 8

struct sinks {
	const struct sink *list[SINKS_MAX];
	size_t n;
};

void sinks_add(struct sinks *sinks, const struct sink *sink);	/* NULL is fine */

/*
 * What satisfies all of them. Those who need different exchanges get every exchange sent, and the
 * stream gives each its own.
 */
struct needs sinks_needs(const struct sinks *sinks);

bool sinks_hear_latency(const struct sinks *sinks);
bool sinks_hear_stacks(const struct sinks *sinks);

#endif
