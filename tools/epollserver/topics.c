/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "topics.h"

#include <stdlib.h>

#define BUCKETS 1024	/* topics of a loop, by their low bits */

struct topic {
	struct topic *next;
	uint32_t name;
	struct subscription *first;
};

/* In the list of its topic and in that of its client. */
struct subscription {
	struct topic *topic;
	struct client *client;
	struct subscription *prev, *next, *next_of_client;
};

struct topics {
	struct topic *buckets[BUCKETS];
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
			memory_free(l->stats, t);
		}
	free(l->topics);
}

static void mail(struct loop *from, struct loop *to, struct message *m)
{
	if (loop_mail(from, to, MAIL_MESSAGE, message_ref(m), 0))
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
	topics_deliver(l, m, 0);
}

void topics_leave(struct loop *l, struct client *p)
{
	while (p->subscriptions)
		topics_unsubscribe(l, p, p->subscriptions->topic->name);
}

static struct topic *find(struct loop *l, uint32_t name, bool make)
{
	struct topic **bucket = &l->topics->buckets[name % BUCKETS], *t = *bucket;

	while (t && t->name != name)
		t = t->next;
	if (t || !make)
		return t;
	t = memory_alloc(l->stats, sizeof(*t));
	if (!t)
		return NULL;
	*t = (struct topic){ *bucket, name, NULL };
	*bucket = t;
	return t;
}

/* A topic stays when its last client has left: names that were used once are used again. */
bool topics_subscribe(struct loop *l, struct client *p, uint32_t name)
{
	struct topic *t = find(l, name, true);
	struct subscription *s;

	for (s = p->subscriptions; s; s = s->next_of_client)
		if (s->topic == t)
			return true;
	s = t ? memory_alloc(l->stats, sizeof(*s)) : NULL;
	if (!s)
		return false;
	*s = (struct subscription){ t, p, NULL, t->first, p->subscriptions };
	if (t->first)
		t->first->prev = s;
	t->first = s;
	p->subscriptions = s;
	return true;
}

void topics_unsubscribe(struct loop *l, struct client *p, uint32_t name)
{
	struct subscription **at = &p->subscriptions, *s;

	while (*at && (*at)->topic->name != name)
		at = &(*at)->next_of_client;
	s = *at;
	if (!s)
		return;
	*at = s->next_of_client;
	*(s->prev ? &s->prev->next : &s->topic->first) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	memory_free(l->stats, s);
}

void topics_deliver(struct loop *l, void *message, uint64_t unused)
{
	struct message *m = message;
	struct client *p = slot_at(&l->conns->slots, m->to & ((1u << ID_SLOT_BITS) - 1));
	struct topic *t;

	(void)unused;
	if (m->topic) {
		t = find(l, m->topic, false);
		for (struct subscription *s = t ? t->first : NULL; s; s = s->next)
			outbox_add(l, s->client, m);
	} else if (p && p->id == m->to && p->conn.joined) {
		outbox_add(l, p, m);
	} else if (m->to >> ID_LOOP_SHIFT == l->index) {
		stat_add(&l->stats->dropped, 1);	/* that client has left */
	}
	message_drop(m);
}
