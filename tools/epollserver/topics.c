/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "topics.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024	/* topics of a loop, by their low bits */

struct topic {
	struct topic *next;
	uint32_t name;
	struct subscription *first;
};

/* In the list of its topic and in that of its client. */
struct subscription {
	struct topic *topic;
	struct push *push;
	struct subscription *prev, *next, *next_of_push;
};

struct place {
	struct push *push;
	uint32_t id;		/* of who was there last */
	uint32_t next_free;	/* from 1; 0: none */
};

struct topics {
	struct topic *buckets[BUCKETS];
	struct place *places;
	uint32_t count, room, free;
};

int topics_open(struct loop *l)
{
	l->topics = calloc(1, sizeof(*l->topics));
	return l->topics ? 0 : -1;
}

void topics_close(struct loop *l)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct topic *t = l->topics->buckets[i], *next; t; t = next) {
			next = t->next;
			loop_free(l, t);
		}
	free(l->topics->places);
	free(l->topics);
}

struct message *message_new(uint32_t topic, uint32_t to, uint32_t from, const uint8_t *data,
	uint32_t bytes)
{
	struct message *m = malloc(sizeof(*m) + bytes);

	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->topic = topic;
	m->to = to;
	m->from = from;
	m->bytes = bytes;
	memcpy(m->data, data, bytes);
	return m;
}

void message_drop(struct message *m)
{
	if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		free(m);
}

static void mail(struct loop *from, struct loop *to, struct message *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	if (mail_send(from, to, MAIL_MESSAGE, m, 0))
		return;
	stat_add(&from->stats->dropped, 1);
	message_drop(m);
}

void topics_post(struct loop *l, struct message *m)
{
	for (size_t i = 0; i < l->server->n_workers; i++) {
		struct loop *to = l->server->loops[i];

		if (to != l && (m->topic || to->index == m->to >> ID_LOOP_SHIFT))
			mail(l, to, m);
	}
	topics_deliver(l, m);
}

static bool grow(struct topics *ts)
{
	uint32_t room = ts->room ? ts->room * 2 : 64;
	struct place *p;

	if (ts->count < ts->room)
		return true;
	p = room <= 1u << ID_PLACE_BITS ? realloc(ts->places, room * sizeof(*p)) : NULL;
	if (!p)
		return false;
	ts->places = p;
	ts->room = room;
	return true;
}

bool topics_join(struct loop *l, struct push *p)
{
	struct topics *ts = l->topics;
	uint32_t at;

	if (ts->free) {
		at = ts->free - 1;
		ts->free = ts->places[at].next_free;
	} else {
		if (!grow(ts))
			return false;
		at = ts->count++;
		ts->places[at].id = l->index << ID_LOOP_SHIFT | at;
	}
	/* The middle bits go round, the others stay. */
	p->id = (ts->places[at].id & ~(63u << ID_PLACE_BITS)) |
		((ts->places[at].id + (1u << ID_PLACE_BITS)) & 63u << ID_PLACE_BITS);
	ts->places[at].id = p->id;
	ts->places[at].push = p;
	return true;
}

void topics_leave(struct loop *l, struct push *p)
{
	struct place *place = &l->topics->places[p->id & ((1u << ID_PLACE_BITS) - 1)];

	while (p->subscriptions)
		topics_unsubscribe(l, p, p->subscriptions->topic->name);
	place->push = NULL;
	place->next_free = l->topics->free;
	l->topics->free = (uint32_t)(place - l->topics->places) + 1;
}

static struct topic *find(struct loop *l, uint32_t name, bool make)
{
	struct topic **bucket = &l->topics->buckets[name % BUCKETS], *t = *bucket;

	while (t && t->name != name)
		t = t->next;
	if (t || !make)
		return t;
	t = loop_alloc(l, sizeof(*t));
	if (!t)
		return NULL;
	*t = (struct topic){ *bucket, name, NULL };
	*bucket = t;
	return t;
}

/* Topics stay when the last has left them: names that were used once are used again. */
bool topics_subscribe(struct loop *l, struct push *p, uint32_t name)
{
	struct topic *t = find(l, name, true);
	struct subscription *s;

	for (s = p->subscriptions; s; s = s->next_of_push)
		if (s->topic == t)
			return true;
	s = t ? loop_alloc(l, sizeof(*s)) : NULL;
	if (!s)
		return false;
	*s = (struct subscription){ t, p, NULL, t->first, p->subscriptions };
	if (t->first)
		t->first->prev = s;
	t->first = s;
	p->subscriptions = s;
	return true;
}

void topics_unsubscribe(struct loop *l, struct push *p, uint32_t name)
{
	struct subscription **at = &p->subscriptions, *s;

	while (*at && (*at)->topic->name != name)
		at = &(*at)->next_of_push;
	s = *at;
	if (!s)
		return;
	*at = s->next_of_push;
	*(s->prev ? &s->prev->next : &s->topic->first) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	loop_free(l, s);
}

void topics_deliver(struct loop *l, struct message *m)
{
	uint32_t at = m->to & ((1u << ID_PLACE_BITS) - 1);
	struct topic *t;

	if (m->topic) {
		t = find(l, m->topic, false);
		for (struct subscription *s = t ? t->first : NULL; s; s = s->next)
			push_enqueue(l, s->push, m);
	} else if (at < l->topics->count && l->topics->places[at].id == m->to &&
		   l->topics->places[at].push) {
		push_enqueue(l, l->topics->places[at].push, m);
	} else if (m->to >> ID_LOOP_SHIFT == l->index) {
		stat_add(&l->stats->dropped, 1);	/* nobody is there */
	}
	message_drop(m);
}
