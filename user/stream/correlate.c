/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * correlate.c - joins each exchange with its answer.
 *
 * The states of one (connection, number) and what moves it; R = released to the sink:
 *
 *  state     | EXCHANGE        | ANSWER          | CONN_CLOSE      | tick, when due
 *  ----------+-----------------+-----------------+-----------------+--------------------------
 *  none      | -> waiting      | -> lone         | (stays)         |
 *  waiting   | duplicate       | R joined        | -> closing      | wait_ns:  R expired
 *  closing   | duplicate       | R joined        | (stays)         | grace_ns: R closed
 *  lone      | R joined        | duplicate       | (stays)         | grace_ns: dropped, counted
 *
 * Without room the oldest is released (evicted) or, if it is lone, dropped. A flush releases all.
 * Two heaps by due time, one of what waits and one of the rest: rings are drained one after the
 * other, so times come in long runs out of order, which a sorted list would pay for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "stream/correlate.h"

#define NIL MAP_NONE

enum state { WAITING, CLOSING, LONE };

struct entry {
	struct exchange_info x;	/* of a lone answer only x.answer is filled */
	struct key {
		uint64_t conn, number;
	} key;
	uint64_t born_ns;	/* time of the event that made it */
	enum state state;
	uint32_t place;		/* in its heap */
	uint32_t newer, older;	/* of those that wait on its connection; older: of the free list too */
};

struct due {
	uint64_t ns;
	uint32_t entry;
};

/* The one due first is at 0; what stands at i is due no later than 2 i + 1 and 2 i + 2. */
struct heap {
	struct due *at;
	uint32_t n;
};

struct correlate {
	struct correlate_limits limits;
	correlate_sink sink;
	void *ctx;
	struct correlate_stats stats;
	struct heap waiting, rest;
	uint32_t free;		/* those that were used before; NIL: none */
	uint32_t used;		/* entries from here on never were: their memory is untouched */
	struct entry *entries;
	struct map by_key;	/* every entry that is held */
	struct map by_conn;	/* the newest that waits on a connection: a close must find all */
};

static uint64_t later(uint64_t ns, uint64_t by)
{
	return by > UINT64_MAX - ns ? UINT64_MAX : ns + by;
}

static bool same_key(const void *entries, uint32_t number, const void *key)
{
	return !memcmp(&((const struct entry *)entries)[number].key, key, sizeof(struct key));
}

static bool same_conn(const void *entries, uint32_t number, const void *conn)
{
	return ((const struct entry *)entries)[number].key.conn == *(const uint64_t *)conn;
}

static struct entry *find(struct correlate *c, uint64_t conn, uint64_t number)
{
	struct key key = { conn, number };
	uint32_t i = map_find(&c->by_key, &key, sizeof(key), same_key, c->entries);

	return i == NIL ? NULL : &c->entries[i];
}

static uint32_t newest_of(const struct correlate *c, uint64_t conn)
{
	return map_find(&c->by_conn, &conn, sizeof(conn), same_conn, c->entries);
}

/* The maps have room for all entries: adding to them does not fail. */
static void set_newest(struct correlate *c, uint64_t conn, uint32_t before, uint32_t after)
{
	if (before != NIL)
		map_remove(&c->by_conn, &conn, sizeof(conn), before);
	if (after != NIL)
		(void)map_add(&c->by_conn, &conn, sizeof(conn), after);
}

/* Puts e among those that wait on its connection. */
static void link_waiting(struct correlate *c, struct entry *e)
{
	uint32_t self = (uint32_t)(e - c->entries);

	e->newer = NIL;
	e->older = newest_of(c, e->key.conn);
	if (e->older != NIL)
		c->entries[e->older].newer = self;
	set_newest(c, e->key.conn, e->older, self);
}

static void unlink_waiting(struct correlate *c, struct entry *e)
{
	if (e->older != NIL)
		c->entries[e->older].newer = e->newer;
	if (e->newer != NIL)
		c->entries[e->newer].older = e->older;
	else
		set_newest(c, e->key.conn, (uint32_t)(e - c->entries), e->older);
}

static struct heap *heap_of(struct correlate *c, enum state state)
{
	return state == WAITING ? &c->waiting : &c->rest;
}

static void place(struct correlate *c, struct heap *h, uint32_t i, struct due due)
{
	h->at[i] = due;
	c->entries[due.entry].place = i;
}

/* Puts due at i or where it belongs above or below; i is vacant. */
static void settle(struct correlate *c, struct heap *h, uint32_t i, struct due due)
{
	while (i && h->at[(i - 1) / 2].ns > due.ns) {
		place(c, h, i, h->at[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < h->n && h->at[child + 1].ns < h->at[child].ns)
			child++;
		if (child >= h->n || h->at[child].ns >= due.ns)
			break;
		place(c, h, i, h->at[child]);
		i = child;
	}
	place(c, h, i, due);
}

static void enter(struct correlate *c, struct entry *e, enum state state, uint64_t due_ns)
{
	struct heap *h = heap_of(c, state);

	e->state = state;
	if (state == WAITING)
		link_waiting(c, e);
	h->n++;
	settle(c, h, h->n - 1, (struct due){ due_ns, (uint32_t)(e - c->entries) });
}

static void leave(struct correlate *c, struct entry *e)
{
	struct heap *h = heap_of(c, e->state);

	if (e->state == WAITING)
		unlink_waiting(c, e);
	h->n--;
	if (e->place != h->n)
		settle(c, h, e->place, h->at[h->n]);
}

/* Forgets e; what it held stays readable until the next entry is taken. */
static void drop(struct correlate *c, struct entry *e)
{
	uint32_t self = (uint32_t)(e - c->entries);

	map_remove(&c->by_key, &e->key, sizeof(e->key), self);
	leave(c, e);
	e->older = c->free;
	c->free = self;
}

/* Lets go of e without a partner; `counter` is for one that goes to the sink. */
static void give_up(struct correlate *c, struct entry *e, uint64_t *counter)
{
	drop(c, e);
	if (e->state == LONE) {
		c->stats.lone_answers++;
		return;
	}
	++*counter;
	c->sink(c->ctx, &e->x);
}

static void join(struct correlate *c, struct entry *e)
{
	drop(c, e);
	e->x.has_answer = true;
	c->stats.joined++;
	c->sink(c->ctx, &e->x);
}

static struct entry *first(struct correlate *c, const struct heap *h)
{
	return h->n ? &c->entries[h->at[0].entry] : NULL;
}

static struct entry *oldest(struct correlate *c)
{
	struct entry *a = first(c, &c->waiting);
	struct entry *b = first(c, &c->rest);

	return !a || (b && b->born_ns < a->born_ns) ? b : a;
}

static struct entry *take(struct correlate *c, uint64_t conn, uint64_t number, uint64_t now_ns)
{
	struct entry *e;

	if (c->free == NIL && c->used == c->limits.capacity)
		give_up(c, oldest(c), &c->stats.evicted);
	if (c->free != NIL) {
		e = &c->entries[c->free];
		c->free = e->older;
	} else {
		e = &c->entries[c->used++];
	}
	e->key = (struct key){ conn, number };
	e->born_ns = now_ns;
	e->x.has_answer = false;
	(void)map_add(&c->by_key, &e->key, sizeof(e->key), (uint32_t)(e - c->entries));
	return e;
}

static void feed_exchange(struct correlate *c, const struct ev_exchange *ex)
{
	struct entry *e = find(c, ex->conn, ex->number);

	if (e && e->state != LONE) {
		c->stats.duplicates++;
		return;
	}
	c->stats.exchanges++;
	if (e) {
		e->x.ex = *ex;
		join(c, e);
		return;
	}
	e = take(c, ex->conn, ex->number, ex->head.time_ns);
	e->x.ex = *ex;
	enter(c, e, WAITING, later(ex->head.time_ns, c->limits.wait_ns));
}

static void feed_answer(struct correlate *c, const struct ev_answer *answer)
{
	struct entry *e = find(c, answer->conn, answer->number);

	if (e && e->state == LONE) {
		c->stats.duplicates++;
		return;
	}
	if (e) {
		e->x.answer = *answer;
		join(c, e);
		return;
	}
	e = take(c, answer->conn, answer->number, answer->head.time_ns);
	e->x.answer = *answer;
	enter(c, e, LONE, later(answer->head.time_ns, c->limits.grace_ns));
}

static void feed_close(struct correlate *c, const struct ev_conn_close *close)
{
	uint64_t due_ns = later(close->head.time_ns, c->limits.grace_ns);

	for (uint32_t i = newest_of(c, close->conn), next; i != NIL; i = next) {
		struct entry *e = &c->entries[i];

		next = e->older;
		leave(c, e);
		enter(c, e, CLOSING, due_ns);
	}
}

void correlate_feed(struct correlate *c, const struct event *e)
{
	switch (e->head.kind) {
	case EV_EXCHANGE:
		feed_exchange(c, &e->exchange);
		break;
	case EV_ANSWER:
		feed_answer(c, &e->answer);
		break;
	case EV_CONN_CLOSE:
		feed_close(c, &e->conn_close);
		break;
	default:
		c->stats.ignored++;
	}
}

static void release_due(struct correlate *c, struct heap *h, uint64_t now_ns, uint64_t *counter)
{
	while (h->n && h->at[0].ns <= now_ns)
		give_up(c, first(c, h), counter);
}

void correlate_tick(struct correlate *c, uint64_t now_ns)
{
	release_due(c, &c->waiting, now_ns, &c->stats.expired);
	release_due(c, &c->rest, now_ns, &c->stats.closed);
}

uint64_t correlate_oldest_ns(const struct correlate *c, uint64_t now_ns)
{
	uint64_t born_ns;

	if (!c->waiting.n)
		return 0;
	born_ns = c->entries[c->waiting.at[0].entry].born_ns;
	return born_ns < now_ns ? now_ns - born_ns : 0;
}

size_t correlate_held(const struct correlate *c)
{
	return (size_t)c->waiting.n + c->rest.n;
}

void correlate_flush(struct correlate *c)
{
	struct entry *e;

	while ((e = oldest(c)))
		give_up(c, e, &c->stats.flushed);
}

const struct correlate_stats *correlate_stats(const struct correlate *c)
{
	return &c->stats;
}

struct correlate *correlate_new(const struct correlate_limits *limits, correlate_sink sink,
				void *ctx)
{
	struct correlate *c;

	if (!limits->capacity || limits->capacity > UINT32_MAX / 2)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->entries = calloc(limits->capacity, sizeof(*c->entries));
	c->waiting.at = calloc(limits->capacity, sizeof(*c->waiting.at));
	c->rest.at = calloc(limits->capacity, sizeof(*c->rest.at));
	if (!c->entries || !c->waiting.at || !c->rest.at ||
	    map_reserve(&c->by_key, limits->capacity) ||
	    map_reserve(&c->by_conn, limits->capacity)) {
		correlate_free(c);
		return NULL;
	}
	c->limits = *limits;
	c->sink = sink;
	c->ctx = ctx;
	c->free = NIL;
	return c;
}

void correlate_free(struct correlate *c)
{
	if (!c)
		return;
	free(c->entries);
	map_free(&c->by_key);
	map_free(&c->by_conn);
	free(c->waiting.at);
	free(c->rest.at);
	free(c);
}
