/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * push.c - the push protocol of tools/push.h, its receiving half: frames in, who gets which
 * message, and who is silent.
 *
 * Each loop knows its own clients and their topics only; a published message is mailed to every
 * loop of the process.
 */
#include "outbox.h"
#include "tools/push.h"

#include <stdlib.h>

#define RETRY_MS 1000

/* A client's id: 6 bits of the loop, 6 that change when the slot is used again, 20 of the slot. */
#define ID_SLOT_BITS 20
#define ID_LOOP_SHIFT 26

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

static void topics_close(struct loop *l)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct topic *t = l->topics->buckets[i], *next; t; t = next) {
			next = t->next;
			memory_free(l->stats, t);
		}
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

/*
 * False: no memory. A topic stays when its last client has left: names that were used once are used
 * again.
 */
static bool subscribe(struct loop *l, struct client *p, uint32_t name)
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

static void unsubscribe(struct loop *l, struct client *p, uint32_t name)
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

static void unsubscribe_all(struct loop *l, struct client *p)
{
	while (p->subscriptions)
		unsubscribe(l, p, p->subscriptions->topic->name);
}

void push_deliver(struct loop *l, void *message, uint64_t unused)
{
	struct message *m = message;
	struct client *p = conn_at(l, m->to & ((1u << ID_SLOT_BITS) - 1));
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

static void mail(struct loop *from, struct loop *to, struct message *m)
{
	if (loop_mail(from, to, MAIL_MESSAGE, message_ref(m), 0))
		return;
	stat_add(&from->stats->dropped, 1);
	message_drop(m);
}

/* To the clients of this loop and of the others; takes over the reference. */
static void post(struct loop *l, struct message *m)
{
	for (size_t i = 0; i < l->server->n_workers; i++) {
		struct loop *to = l->server->loops[i];

		if (to != l && (m->topic || to->index == m->to >> ID_LOOP_SHIFT))
			mail(l, to, m);
	}
	push_deliver(l, m, 0);
}

static void push_opened(struct loop *l, struct conn *c, uint32_t place)
{
	struct client *p = (struct client *)c;
	uint32_t id = place < SLOTS_MOST ? l->index << ID_LOOP_SHIFT | place : p->id;

	*p = (struct client){ .conn = *c, .id = id };
}

static void push_closed(struct loop *l, struct conn *c)
{
	if (!c->joined)
		return;
	outbox_forget(l, (struct client *)c);
	unsubscribe_all(l, (struct client *)c);
	c->joined = 0;
}

static bool hello(struct loop *l, struct client *p, const struct push_frame *f)
{
	uint32_t turns = 63u << ID_SLOT_BITS;

	if (f->type != PUSH_HELLO)
		return false;
	if (p->conn.refuse) {
		stat_add(&l->stats->refused, 1);
		outbox_control(l, p, PUSH_REFUSE, 0, RETRY_MS);
		p->conn.closing = p->conn.linger = 1;
		return true;
	}
	p->id = (p->id & ~turns) | ((p->id + (1u << ID_SLOT_BITS)) & turns);
	p->limit = f->window;
	p->conn.joined = 1;
	if (!outbox_owe(l, p))
		return false;
	outbox_control(l, p, PUSH_WELCOME, p->id, (uint32_t)l->cfg->heartbeat_ms);
	return true;
}

/* The data frame in turn, within what we granted. */
static bool in_order(const struct loop *l, const struct client *p, const struct push_frame *f)
{
	return f->type != PUSH_MESSAGE && f->sequence == p->rx + 1 &&
		!push_after(f->sequence, outbox_told(p) + (uint32_t)l->cfg->window);
}

/* What each frame says of our data frames; false if it acknowledges what was never sent. */
static bool take_ack(struct loop *l, struct client *p, const struct push_frame *f)
{
	if (push_after(f->ack, p->tx) || push_after(p->acked, f->ack))
		return false;
	p->acked = f->ack;
	p->limit = f->ack + f->window;
	return !p->outbox || outbox_due(l, p, false);
}

/* 1: served, 0: waits for a token, -1: close. */
static int serve_data(struct loop *l, struct client *p, const struct push_frame *f)
{
	uint32_t target = push_get32(f->payload);
	bool publish = f->type == PUSH_PUBLISH;
	struct message *m;
	enum verdict v;

	if (!in_order(l, p, f))
		return -1;
	v = overload_admit(l, &p->conn);
	if (v == QUEUE)
		return 0;
	if (!take_ack(l, p, f) || !outbox_due(l, p, false))
		return -1;
	p->rx++;
	if (v == REFUSE) {
		outbox_control(l, p, PUSH_REFUSE, f->sequence, RETRY_MS);
		return 1;
	}
	m = message_new(publish ? target : 0, publish ? 0 : target, p->id, f->payload + 4,
			f->length - 4);
	if (!m)
		return -1;
	stat_add(&l->stats->messages, 1);
	outbox_suffer(l, p);
	post(l, m);
	return 1;
}

static int serve_frame(struct loop *l, struct client *p, const struct push_frame *f)
{
	if (!p->conn.joined)
		return hello(l, p, f) ? 1 : -1;
	if (push_is_data(f->type))
		return serve_data(l, p, f);
	if (!take_ack(l, p, f))
		return -1;
	switch (f->type) {
	case PUSH_HEARTBEAT:
	case PUSH_ACK:
		return 1;
	case PUSH_SUBSCRIBE:
		if (!subscribe(l, p, push_get32(f->payload)))
			return -1;
		break;
	case PUSH_UNSUBSCRIBE:
		unsubscribe(l, p, push_get32(f->payload));
		break;
	case PUSH_BYE:
		p->conn.closing = 1;
		return 1;
	default:		/* a frame that only servers send */
		return -1;
	}
	return outbox_due(l, p, true) ? 1 : -1;
}

static ssize_t push_input(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes)
{
	struct client *p = (struct client *)c;
	struct push_frame f;
	size_t done = 0;
	int n, rc = 1;

	if (c->joined && !outbox_owe(l, p))
		return -1;
	do {
		n = push_decode(data + done, bytes - done, &f);
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)done;
		rc = serve_frame(l, p, &f);
		if (rc > 0)
			done += (size_t)n;
	} while (rc > 0 && done < bytes && conn_open(c));
	if (rc > 0 && c->closing)
		return (ssize_t)bytes;
	return rc < 0 ? -1 : (ssize_t)done;
}

static void push_tick(struct loop *l, struct conn *c)
{
	uint32_t now_ms = (uint32_t)(l->now / 1000000), beat = (uint32_t)l->cfg->heartbeat_ms;
	struct client *p = (struct client *)c;

	if (!beat || c->paused || c->lent)
		return;		/* off, or it is us who do not read */
	if (now_ms - c->active_ms >= PUSH_MISSED * beat) {
		stat_add(&l->stats->idle_closed, 1);
		conn_close(l, c);
	} else if (c->joined && !c->out && !c->closing && now_ms - p->sent_ms >= beat / 2) {
		outbox_control(l, p, PUSH_HEARTBEAT, 0, 0);
		conn_settle(l, c);
	}
}

static void push_writable(struct loop *l, struct conn *c)
{
	if (c->joined)
		outbox_send(l, (struct client *)c);
}

static bool push_bye(struct loop *l, struct conn *c)
{
	if (!c->joined)
		return true;
	outbox_send(l, (struct client *)c);
	if (c->watch.fd < 0 || c->out || c->lent)
		return false;
	outbox_control(l, (struct client *)c, PUSH_BYE, 0, 0);
	return true;
}

static int push_start(struct loop *l)
{
	l->topics = calloc(1, sizeof(*l->topics));
	return l->topics ? outboxes_open(l) : -1;
}

const struct protocol push_protocol = {
	.conn_bytes = sizeof(struct client),
	.open = push_start,
	.close = topics_close,
	.before_wait = outboxes_flush_due,
	.opened = push_opened,
	.closed = push_closed,
	.input = push_input,
	.writable = push_writable,
	.tick = push_tick,
	.bye = push_bye,
};
