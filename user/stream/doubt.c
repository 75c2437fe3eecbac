/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * doubt.c - see doubt.h. The states of a connection and what moves it; B = all that is held is given
 * back:
 *
 *  state   | record              | answer  | judged        | close, DOUBT_NS, | tick, when the
 *          |                     |         |               | no room          | judgement is old
 *  --------+---------------------+---------+---------------+------------------+-----------------
 *  unknown | -> held             | (not us)| -> judged     | (stays)          | (stays)
 *  held    | (stays)             | (stays) | B -> judged   | B -> unknown     | (stays)
 *  judged  | older: given back   | (not us)| (the new one) | (stays)          | -> unknown
 *          | younger: -> held    |         |               |                  |
 *
 * Rings are emptied one after the other, so a judgement may come before records that are older.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "stream/doubt.h"

#define NIL		MAP_NONE
#define JUDGED_NS	1000000000ULL	/* records that are older than a judgement come within it */
#define SWEEP_NS	100000000ULL

struct held {
	union {
		struct event_head head;
		struct ev_record record;
		struct ev_answer answer;
	};
	uint32_t conn;		/* its place in conns */
	uint32_t next;		/* of its connection; of the free list */
	uint32_t older, newer;	/* of all */
};

struct doubted {
	uint64_t id;		/* socket cookie */
	uint32_t first, last;	/* of its records; NIL: none */
	uint32_t free;		/* the next free place */
	uint32_t kind;		/* KIND_NONE: not judged */
	uint64_t judged_ns;
	bool used;
};

struct doubt {
	doubt_fn fn;
	void *ctx;
	uint64_t wait_ns, next_sweep_ns;
	size_t capacity, n_held;
	struct held *held;
	struct doubted *conns;	/* twice as many: judged ones have places of their own */
	struct map by_id;
	uint32_t free_held, free_conn;
	uint32_t used_held, used_conns;	/* from here on never used: their memory is untouched */
	uint32_t oldest, newest;
};

static bool same(const void *conns, uint32_t i, const void *id)
{
	return ((const struct doubted *)conns)[i].id == *(const uint64_t *)id;
}

static struct doubted *find(struct doubt *d, uint64_t id)
{
	uint32_t i = map_find(&d->by_id, &id, sizeof(id), same, d->conns);

	return i == NIL ? NULL : &d->conns[i];
}

static void forget(struct doubt *d, struct doubted *c)
{
	uint32_t i = (uint32_t)(c - d->conns);

	map_remove(&d->by_id, &c->id, sizeof(c->id), i);
	c->used = false;
	c->free = d->free_conn;
	d->free_conn = i;
}

/* NULL if all places are taken. The map has room for all: adding does not fail. */
static struct doubted *add(struct doubt *d, uint64_t id)
{
	struct doubted *c;

	if (d->free_conn != NIL) {
		c = &d->conns[d->free_conn];
		d->free_conn = c->free;
	} else if (d->used_conns < 2 * d->capacity) {
		c = &d->conns[d->used_conns++];
	} else {
		return NULL;
	}
	*c = (struct doubted){ .id = id, .first = NIL, .last = NIL, .used = true };
	(void)map_add(&d->by_id, &id, sizeof(id), (uint32_t)(c - d->conns));
	return c;
}

static void unlink_held(struct doubt *d, struct held *h)
{
	if (h->older != NIL)
		d->held[h->older].newer = h->newer;
	else
		d->oldest = h->newer;
	if (h->newer != NIL)
		d->held[h->newer].older = h->older;
	else
		d->newest = h->older;
	d->n_held--;
}

/* All that is held of a connection. */
static void give_back(struct doubt *d, struct doubted *c, enum traffic_kind kind)
{
	uint32_t i = c->first;

	c->first = c->last = NIL;
	while (i != NIL) {
		struct held *h = &d->held[i];
		uint32_t next = h->next;

		unlink_held(d, h);
		d->fn(d->ctx, &h->head, kind);
		h->next = d->free_held;
		d->free_held = i;
		i = next;
	}
}

static void settle(struct doubt *d, struct doubted *c)
{
	give_back(d, c, KIND_REQUEST);
	if (!c->kind)
		forget(d, c);
}

static void hold(struct doubt *d, struct doubted *c, const void *record, size_t size)
{
	uint32_t i = d->free_held;
	struct held *h;

	if (i != NIL)
		d->free_held = d->held[i].next;
	else
		i = d->used_held++;
	h = &d->held[i];
	memcpy(h, record, size);
	h->conn = (uint32_t)(c - d->conns);
	h->next = NIL;
	if (c->last != NIL)
		d->held[c->last].next = i;
	else
		c->first = i;
	c->last = i;
	h->newer = NIL;
	h->older = d->newest;
	if (d->newest != NIL)
		d->held[d->newest].newer = i;
	else
		d->oldest = i;
	d->newest = i;
	d->n_held++;
}

static void make_room(struct doubt *d)
{
	if (d->n_held == d->capacity)
		settle(d, &d->conns[d->held[d->oldest].conn]);
}

void doubt_record(struct doubt *d, const struct ev_record *r)
{
	struct doubted *c;

	make_room(d);
	c = find(d, r->conn);
	if (c && c->kind && c->judged_ns >= r->head.time_ns) {
		d->fn(d->ctx, &r->head, c->kind);
		return;
	}
	if (!c)
		c = add(d, r->conn);
	if (!c) {
		d->fn(d->ctx, &r->head, KIND_REQUEST);
		return;
	}
	c->kind = KIND_NONE;
	hold(d, c, r, r->head.size < sizeof(*r) ? r->head.size : sizeof(*r));
}

bool doubt_answer(struct doubt *d, const struct ev_answer *answer)
{
	struct doubted *c = find(d, answer->conn);

	if (!c || c->first == NIL)
		return false;
	make_room(d);
	c = find(d, answer->conn);
	if (!c || c->first == NIL)
		return false;
	hold(d, c, answer, sizeof(*answer));
	return true;
}

void doubt_judged(struct doubt *d, const struct ev_kind *k)
{
	struct doubted *c = find(d, k->conn);

	if (c)
		give_back(d, c, k->kind);
	else
		c = add(d, k->conn);
	if (!c)
		return;
	c->kind = k->kind;
	c->judged_ns = k->head.time_ns;
}

void doubt_close(struct doubt *d, uint64_t conn)
{
	struct doubted *c = find(d, conn);

	if (c && c->first != NIL)
		settle(d, c);
}

void doubt_tick(struct doubt *d, uint64_t now_ns)
{
	if (now_ns < d->next_sweep_ns)
		return;
	d->next_sweep_ns = now_ns + SWEEP_NS;
	for (uint32_t i = 0; i < d->used_conns; i++) {
		struct doubted *c = &d->conns[i];

		if (!c->used)
			continue;
		if (c->first != NIL && now_ns > d->held[c->first].head.time_ns + d->wait_ns)
			settle(d, c);
		else if (c->first == NIL && now_ns > c->judged_ns + JUDGED_NS)
			forget(d, c);
	}
}

void doubt_flush(struct doubt *d)
{
	while (d->oldest != NIL)
		settle(d, &d->conns[d->held[d->oldest].conn]);
}

size_t doubt_held(const struct doubt *d)
{
	return d->n_held;
}

struct doubt *doubt_new(size_t capacity, uint64_t wait_ns, doubt_fn fn, void *ctx)
{
	struct doubt *d;

	if (!capacity || capacity > UINT32_MAX / 4)
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->capacity = capacity;
	d->wait_ns = wait_ns;
	d->fn = fn;
	d->ctx = ctx;
	d->free_held = d->free_conn = d->oldest = d->newest = NIL;
	d->held = calloc(capacity, sizeof(*d->held));
	d->conns = calloc(2 * capacity, sizeof(*d->conns));
	if (d->held && d->conns && !map_reserve(&d->by_id, 2 * capacity))
		return d;
	doubt_free(d);
	return NULL;
}

void doubt_free(struct doubt *d)
{
	if (!d)
		return;
	free(d->held);
	free(d->conns);
	map_free(&d->by_id);
	free(d);
}
