/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live_records.c - what comes out of the kernel side's rings on its way to the stream: records of
 * exchanges are added up here, and those that a sink needs get their names and go on.
 */
#include <string.h>

#include "stream/record.h"
#include "watch/live_private.h"

#define SAMPLE_EVERY 1024	/* exchanges beside the tail, for sinks that want a few */

static void give(struct live *live, const void *data, size_t size)
{
	stream_record(live->stream, data, size);
}

/* The kernel side knows the threshold: what is slow, and one in so many of the others. */
static bool is_needed(struct live *live, const struct ev_record *r)
{
	if (r->flags & RECORD_SLOW)
		return true;
	if (live->needs.exchanges != EXCHANGES_SAMPLED || ++live->beside < SAMPLE_EVERY)
		return false;
	live->beside = 0;
	return true;
}

static void take_exchange(struct live *live, const struct ev_record *r)
{
	struct ev_exchange exchange;
	struct ev_answer answer;

	aggregate_add_record(live->sums, r);
	if (r->flags & RECORD_PREV_SLOW && record_answer(r, &answer))
		give(live, &answer, sizeof(answer));
	if (!is_needed(live, r))
		return;
	record_exchange(r, &exchange);
	known_name(live->known, &exchange);
	give(live, &exchange, sizeof(exchange));
}

/*
 * Of another kind it is no exchange: the kernel side counts its successors itself. The answer in the record
 * is that of the one before it, which went the same way.
 */
void live_doubt_over(void *ctx, const struct event_head *record, enum traffic_kind kind)
{
	const struct ev_record *r = (const struct ev_record *)record;
	struct live *live = ctx;

	if (kind == KIND_REQUEST && record->kind == EV_RECORD)
		take_exchange(live, r);
	else if (kind == KIND_REQUEST)
		give(live, record, record->size);
	else if (kind == KIND_OVERLAPPING && record->kind == EV_RECORD)
		aggregate_add_overlapping(live->sums, r->head.time_ns - r->first_ns);
}

static void on_exchange(struct live *live, const struct ev_record *r)
{
	if (r->flags & RECORD_DOUBTFUL)
		doubt_record(live->doubt, r);
	else
		take_exchange(live, r);
}

static void on_record(void *ctx, const void *data, size_t size)
{
	const struct event_head *head = data;
	struct live *live = ctx;
	struct ev_offcpu room;
	struct ev_turn turn;

	switch (head->kind) {
	case EV_RECORD:
		on_exchange(live, data);
		return;
	case EV_CONN:
		known_conn(live->known, data);
		return;
	case EV_THREAD:
		known_thread(live->known, data);
		return;
	case EV_KIND:
		doubt_judged(live->doubt, data);
		return;
	case EV_ANSWER:
		if (doubt_answer(live->doubt, data))
			return;
		break;
	case EV_CONN_CLOSE:
		known_close(live->known, ((const struct ev_conn_close *)data)->conn);
		if (!live->needs.conn_closes)
			return;
		break;
	case EV_TURN:
		memcpy(&turn, data, sizeof(turn));
		if (live_holds_turn(live, &turn))
			give(live, &turn, sizeof(turn));
		return;
	default:
		break;
	}
	if (live->stacks)
		data = stack_names_record(live->stacks, data, &size, &room);
	give(live, data, size);
}

static void on_closed(void *ctx, __u64 conn)
{
	doubt_close(ctx, conn);
}

long live_drain(struct live *live)
{
	long n = session_drain(live->session, on_record, live);

	/* Records come last: what closed before them has no more. */
	if (doubt_held(live->doubt))
		known_closed(live->known, on_closed, live->doubt);
	known_settle(live->known);
	live->r->events = stream_records(live->stream);
	live->r->bad_events = stream_bad_records(live->stream);
	return n;
}
