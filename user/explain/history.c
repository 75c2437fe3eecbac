/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* history.c - see history.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "explain/history.h"

/* How much later than others of the same time a record may come: each ring is drained by itself. */
#define DISORDER_NS 1000000000ULL

struct history_entry {
	uint32_t tid;
	uint64_t end_ns;
	const void *record;
};

/* Records begin with their head, whose time is their end. */
struct list {
	char *records;
	size_t first, n, room;		/* n of them from `first` on */
	struct history_entry *index;	/* by thread and end */
};

struct history {
	struct list list[EV_KINDS];
	size_t limit;
	uint64_t dropped;
	bool indexed;
	struct hold_list holds;
};

static const struct {
	size_t size, tid;	/* of a record; where its thread's number is in it */
} layout[EV_KINDS] = {
	[EV_EXCHANGE] = { sizeof(struct ev_exchange), offsetof(struct ev_exchange, tid) },
	[EV_TURN] = { sizeof(struct ev_turn), offsetof(struct ev_turn, tid) },
	[EV_OFFCPU] = { sizeof(struct ev_offcpu), offsetof(struct ev_offcpu, tid) },
	[EV_SAMPLE] = { sizeof(struct ev_sample), offsetof(struct ev_sample, tid) },
};

struct history *history_new(size_t limit)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h)
		h->limit = limit;
	return h;
}

void history_free(struct history *h)
{
	for (unsigned kind = 0; h && kind < EV_KINDS; kind++) {
		free(h->list[kind].records);
		free(h->list[kind].index);
	}
	free(h);
}

static void *record_at(const struct history *h, enum event_kind kind, size_t i)
{
	const struct list *l = &h->list[kind];

	return l->records ? l->records + (l->first + i) * layout[kind].size : NULL;
}

static uint64_t end_of(const struct history *h, enum event_kind kind, size_t i)
{
	return ((const struct event_head *)record_at(h, kind, i))->time_ns;
}

/* What was forgotten leaves a gap at the start, which is closed now and then. */
void history_add(struct history *h, enum event_kind kind, const void *record)
{
	struct list *l = &h->list[kind];
	size_t size = layout[kind].size;

	h->indexed = false;
	if (l->n == h->limit) {
		l->first++;
		l->n--;
		h->dropped++;
	}
	if (l->first > h->limit / 8) {
		memmove(l->records, record_at(h, kind, 0), l->n * size);
		l->first = 0;
	}
	if (array_reserve(&l->records, &l->room, l->first + l->n + 1, size)) {
		h->dropped++;
		return;
	}
	memcpy(record_at(h, kind, l->n++), record, size);
}

static int on_event(void *ctx, const struct event *e)
{
	history_add(ctx, e->head.kind, e);
	return 0;
}

static int on_turn(void *ctx, const struct event *e)
{
	hold_list_turn(&((struct history *)ctx)->holds, &e->turn);
	return on_event(ctx, e);
}

static int on_offcpu(void *ctx, const struct event *e)
{
	hold_list_offcpu(&((struct history *)ctx)->holds, &e->offcpu);
	return on_event(ctx, e);
}

static int on_behind(void *ctx, const struct event *e)
{
	hold_list_behind(&((struct history *)ctx)->holds, &e->behind);
	return 0;
}

struct sink history_sink(struct history *h)
{
	return (struct sink){
		.needs.intervals = true, .ctx = h,
		.event = { [EV_TURN] = on_turn, [EV_OFFCPU] = on_offcpu, [EV_SAMPLE] = on_event,
			   [EV_BEHIND] = on_behind },
	};
}

const struct hold_list *history_holds(const struct history *h)
{
	return &h->holds;
}

void history_forget(struct history *h, uint64_t before_ns)
{
	h->indexed = false;
	hold_list_forget(&h->holds, before_ns);
	h->list[EV_EXCHANGE].n = 0;
	for (unsigned kind = 0; kind < EV_KINDS; kind++) {
		size_t kept = 0;

		for (size_t i = 0; i < h->list[kind].n; i++)
			if (end_of(h, kind, i) >= before_ns)
				memmove(record_at(h, kind, kept++), record_at(h, kind, i),
					layout[kind].size);
		h->list[kind].n = kept;
	}
}

uint64_t history_dropped(const struct history *h)
{
	return h->dropped;
}

size_t history_count(const struct history *h, enum event_kind kind)
{
	return h->list[kind].n;
}

const void *history_records(const struct history *h, enum event_kind kind)
{
	return record_at(h, kind, 0);
}

size_t history_since(const struct history *h, enum event_kind kind, uint64_t time_ns)
{
	size_t i = h->list[kind].n;

	while (i > 0 && end_of(h, kind, i - 1) + DISORDER_NS >= time_ns)
		i--;
	return i;
}

static bool before(const void *item, const void *key)
{
	const struct history_entry *a = item, *b = key;

	return a->tid != b->tid ? a->tid < b->tid : a->end_ns < b->end_ns;
}

static int entry_order(const void *a, const void *b)
{
	return before(a, b) ? -1 : before(b, a);
}

static int index_kind(struct history *h, enum event_kind kind)
{
	struct list *l = &h->list[kind];
	struct history_entry *index = reallocarray(l->index, l->n + 1, sizeof(*index));

	if (!index)
		return -ENOMEM;
	l->index = index;
	for (size_t i = 0; i < l->n; i++) {
		index[i].record = record_at(h, kind, i);
		index[i].end_ns = end_of(h, kind, i);
		memcpy(&index[i].tid, (const char *)index[i].record + layout[kind].tid,
		       sizeof(index[i].tid));
	}
	qsort(index, l->n, sizeof(*index), entry_order);
	return 0;
}

int history_index(struct history *h)
{
	int err = 0;

	/* Exchanges, which are not walked, come before. */
	for (unsigned kind = EV_TURN; !h->indexed && !err && kind < EV_KINDS; kind++)
		err = index_kind(h, kind);
	h->indexed = !err;
	return err;
}

struct history_walk history_walk(const struct history *h, enum event_kind kind, uint32_t tid,
				 uint64_t from_ns)
{
	const struct list *l = &h->list[kind];
	struct history_entry key = { .tid = tid, .end_ns = from_ns };
	struct history_walk w;

	w.at = l->index + array_lower_bound(l->index, l->n, sizeof(key), before, &key);
	key.end_ns = UINT64_MAX;
	w.end = l->index + array_lower_bound(l->index, l->n, sizeof(key), before, &key);
	return w;
}

struct history_walk history_walk_all(const struct history *h, enum event_kind kind)
{
	return (struct history_walk){ h->list[kind].index, h->list[kind].index + h->list[kind].n };
}

const void *history_next(struct history_walk *w)
{
	return w->at < w->end ? (w->at++)->record : NULL;
}

const struct ev_offcpu *history_next_offcpu(struct history_walk *w, uint64_t before_ns)
{
	const struct ev_offcpu *o = history_next(w);

	return o && o->start_ns < before_ns ? o : NULL;
}

const struct ev_turn *history_turn_at(const struct history *h, uint32_t tid, uint64_t at_ns)
{
	struct history_walk w = history_walk(h, EV_TURN, tid, at_ns + 1);
	const struct ev_turn *t = history_next(&w);

	return t && t->start_ns <= at_ns ? t : NULL;
}
