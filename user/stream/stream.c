/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream.c - see stream.h. */
#include <stdlib.h>

#include "stream/correlate.h"
#include "stream/stream.h"
#include "stream/tail.h"

struct stream {
	const struct sinks *sinks;
	bool enough[SINKS_MAX];		/* the sink hears events and exchanges no more */
	bool done;
	bool judges;			/* finds the tail itself */
	struct tail_judge judge;
	struct correlate *correlate;	/* NULL: nobody needs answers */
	uint64_t records, bad_records;
};

/* Calls a function of each sink that has it. */
#define GIVE(s, function, ...)								\
	for (size_t i = 0; i < (s)->sinks->n; i++)					\
		if ((s)->sinks->list[i]->function)					\
			(s)->sinks->list[i]->function((s)->sinks->list[i]->ctx, ##__VA_ARGS__)

static uint64_t threshold_ns(const struct stream *s, const struct needs *n, uint64_t time_ns)
{
	if (n->exchanges == EXCHANGES_OVER)
		return n->over_ns;
	return n->exchanges == EXCHANGES_TAIL && s->judges ?
		       tail_judge_threshold(&s->judge, time_ns) : 0;
}

/* Gives an exchange to the sinks that wait for answers, or to those that do not. */
static void give_exchange(struct stream *s, const struct exchange_info *x, bool waited)
{
	for (size_t i = 0; i < s->sinks->n; i++) {
		const struct sink *sink = s->sinks->list[i];

		if (!sink->exchange || sink->needs.answers != waited || s->enough[i] ||
		    x->ex.latency_ns < threshold_ns(s, &sink->needs, x->ex.head.time_ns))
			continue;
		if (sink->exchange(sink->ctx, x))
			s->enough[i] = s->done = true;
	}
}

static void give_event(struct stream *s, const struct event *e)
{
	for (size_t i = 0; i < s->sinks->n; i++) {
		const struct sink *sink = s->sinks->list[i];

		if (sink->event[e->head.kind] && !s->enough[i] &&
		    sink->event[e->head.kind](sink->ctx, e))
			s->enough[i] = s->done = true;
	}
}

static void on_released(void *ctx, const struct exchange_info *x)
{
	give_exchange(ctx, x, true);
}

void stream_record(struct stream *s, const void *data, size_t size)
{
	struct event e;

	GIVE(s, record, data, size);
	s->records++;
	if (decode_event(data, size, &e)) {
		s->bad_records++;
		return;
	}
	if (e.head.kind == EV_EXCHANGE) {
		struct exchange_info x = { .ex = e.exchange };

		if (s->judges)
			tail_judge_see(&s->judge, e.exchange.latency_ns);
		give_exchange(s, &x, false);
	}
	if (s->correlate)
		correlate_feed(s->correlate, &e);
	give_event(s, &e);
}

/*
 * A recorder notes the tick behind the records of its round. What a tick releases is judged by the
 * threshold of before, as what is released between two ticks.
 */
void stream_tick(struct stream *s, uint64_t now_ns)
{
	for (size_t i = 0; i < s->sinks->n; i++) {
		const struct sink *sink = s->sinks->list[i];

		if (sink->tick && sink->tick(sink->ctx, now_ns))
			s->done = true;
	}
	if (s->correlate)
		correlate_tick(s->correlate, now_ns);
	if (s->judges)
		tail_judge_tick(&s->judge, now_ns);
}

void stream_begin(struct stream *s)
{
	GIVE(s, begin);
}

void stream_latency(struct stream *s, uint64_t now_ns, const struct hist *total)
{
	GIVE(s, latency, now_ns, total);
}

void stream_drained(struct stream *s)
{
	GIVE(s, drained);
}

void stream_module(struct stream *s, const struct stack_module *m)
{
	GIVE(s, module, m);
}

void stream_stack(struct stream *s, const struct named_stack *stack)
{
	GIVE(s, stack, stack);
}

void stream_flush(struct stream *s)
{
	if (s->correlate)
		correlate_flush(s->correlate);
}

bool stream_done(const struct stream *s)
{
	return s->done;
}

uint64_t stream_oldest_ns(const struct stream *s, uint64_t now_ns)
{
	return s->correlate ? correlate_oldest_ns(s->correlate, now_ns) : 0;
}

uint64_t stream_records(const struct stream *s)
{
	return s->records;
}

uint64_t stream_bad_records(const struct stream *s)
{
	return s->bad_records;
}

static bool needs_judge(const struct stream_config *config)
{
	for (size_t i = 0; config->every_exchange && i < config->sinks->n; i++)
		if (config->sinks->list[i]->needs.exchanges == EXCHANGES_TAIL)
			return true;
	return false;
}

struct stream *stream_new(const struct stream_config *config)
{
	struct correlate_limits limits = {
		.capacity = CORRELATE_CAPACITY, .wait_ns = CORRELATE_WAIT_NS,
		.grace_ns = CORRELATE_GRACE_NS,
	};
	struct needs needs = sinks_needs(config->sinks);
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sinks = config->sinks;
	s->judges = needs_judge(config);
	s->judge.tail.window_ns = config->window_ns;
	if (!needs.answers && !needs.prompt_answers)
		return s;
	s->correlate = correlate_new(&limits, on_released, s);
	if (s->correlate)
		return s;
	free(s);
	return NULL;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	correlate_free(s->correlate);
	free(s);
}

static int add_exchange(void *ctx, const struct event *e)
{
	aggregate_add_exchange(ctx, &e->exchange);
	return 0;
}

static int add_answer(void *ctx, const struct event *e)
{
	aggregate_add_answer(ctx, &e->answer);
	return 0;
}

struct sink aggregate_sink(struct aggregate *sums)
{
	return (struct sink){
		.event = { [EV_EXCHANGE] = add_exchange, [EV_ANSWER] = add_answer }, .ctx = sums,
	};
}
