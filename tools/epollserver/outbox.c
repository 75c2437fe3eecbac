/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * outbox.c - the sending half of push: messages out in batches.
 *
 * What is to go out is queued by client and sent when --batch messages are due on this loop, or
 * --batch-us after the first: a client gets what came for it in one send, with its ack in each
 * header. A client has the memory of its queue only while there is something in the queue.
 */
#include "outbox.h"

#include "suffer.h"
#include "tools/clock.h"
#include "tools/push.h"

#include <stdlib.h>
#include <string.h>

struct queued {
	struct queued *next;
	struct message *message;
};

struct outbox {
	struct client *client;
	struct outbox **place, *next;	/* in the loop's list of what is due; NULL: not in it */
	struct queued *first, *last;	/* wait for the batch or for the window */
	uint32_t waiting, told;
	bool answer;			/* an ACK at least */
	struct record record;		/* of the exchange it owes, if somebody asks: */
	bool recorded;
};

/* The clients of a loop with something to send in this batch. */
struct outboxes {
	struct outbox *due;
	uint64_t count, since_ns;	/* of what is due: how much, and when the first came */
	struct timer timer;
};

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

struct message *message_ref(struct message *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void message_drop(struct message *m)
{
	if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		free(m);
}

static struct outbox *outbox_of(struct loop *l, struct client *p)
{
	if (p->outbox)
		return p->outbox;
	p->outbox = memory_alloc(l->stats, sizeof(*p->outbox));
	if (p->outbox)
		*p->outbox = (struct outbox){ .client = p, .told = p->rx };
	return p->outbox;
}

uint32_t outbox_told(const struct client *p)
{
	return p->outbox ? p->outbox->told : p->rx;
}

static void not_due(struct outbox *o)
{
	if (!o->place)
		return;
	*o->place = o->next;
	if (o->next)
		o->next->place = o->place;
	o->place = NULL;
}

bool outbox_due(struct loop *l, struct client *p, bool answer)
{
	struct outboxes *all = l->outboxes;
	struct outbox *o = outbox_of(l, p);

	if (!o)
		return false;
	o->answer |= answer;
	if (all->count++ == 0)
		all->since_ns = now_ns();
	if (o->place)
		return true;
	o->place = &all->due;
	o->next = all->due;
	if (o->next)
		o->next->place = &o->next;
	all->due = o;
	return true;
}

void outbox_add(struct loop *l, struct client *p, struct message *m)
{
	struct outbox *o = outbox_due(l, p, false) ? p->outbox : NULL;
	struct queued *q = NULL;

	if (o && o->waiting < l->cfg->push_queue)
		q = memory_alloc(l->stats, sizeof(*q));
	if (!q) {
		stat_add(&l->stats->dropped, 1);
		return;
	}
	*q = (struct queued){ NULL, message_ref(m) };
	*(o->first ? &o->last->next : &o->first) = q;
	o->last = q;
	o->waiting++;
}

static void dequeue(struct loop *l, struct outbox *o)
{
	struct queued *q = o->first;

	o->first = q->next;
	o->waiting--;
	message_drop(q->message);
	memory_free(l->stats, q);
}

void outbox_forget(struct loop *l, struct client *p)
{
	struct outbox *o = p->outbox;

	if (!o)
		return;
	while (o->first)
		dequeue(l, o);
	not_due(o);
	memory_free(l->stats, o);
	p->outbox = NULL;
}

/* Of several reads before one send, the stamps of the last one count, and the faults of all. */
bool outbox_owe(struct loop *l, struct client *p)
{
	struct conn *c = &p->conn;
	struct record *r, old;
	struct outbox *o;

	if (l->truth || l->faults.any) {
		o = outbox_of(l, p);
		if (!o)
			return false;
		r = &o->record;
		old = *r;
		*r = l->exchange;
		if (o->recorded) {
			r->port = old.port;
			r->number = old.number;
			r->accept_ns = old.accept_ns;
			r->messages = old.messages;
			r->fault |= old.fault;
		} else {
			answer_next(c, r, 1);
		}
		o->recorded = true;
	}
	c->owing = 1;
	return true;
}

void outbox_suffer(struct loop *l, struct client *p)
{
	if (l->faults.any && p->outbox)
		p->outbox->record.fault |= suffer_request(l, p->conn.serial);
}

/* Sends, which ends the exchange that is owed, if one is. Not called while output is pending. */
static void say(struct loop *l, struct client *p, const void *data, size_t bytes)
{
	struct conn *c = &p->conn;
	struct record *r = NULL, copy;
	struct outbox *o = p->outbox;

	stat_add(&l->stats->exchanges, c->owing);
	c->owing = 0;
	p->sent_ms = (uint32_t)(l->now / 1000000);
	if (o) {
		o->told = p->rx;
		o->answer = false;
		if (o->recorded) {
			copy = o->record;
			copy.bytes = bytes;
			r = &copy;
		}
		o->recorded = false;
	}
	answer_send(l, c, data, bytes, 0, r);
}

static struct push_frame frame(const struct loop *l, const struct client *p, uint8_t type,
	uint32_t length)
{
	return (struct push_frame){ .type = type, .length = length, .sequence = p->tx,
		.ack = p->rx, .window = (uint32_t)l->cfg->window };
}

void outbox_control(struct loop *l, struct client *p, uint8_t type, uint32_t a, uint32_t b)
{
	struct push_frame f = frame(l, p, type, push_fixed(type));
	uint8_t bytes[PUSH_HEADER + 8];

	push_encode(bytes, &f);
	push_put32(bytes + PUSH_HEADER, a);
	push_put32(bytes + PUSH_HEADER + 4, b);
	say(l, p, bytes, PUSH_HEADER + f.length);
}

static bool compose(struct loop *l, struct client *p, const struct message *m)
{
	struct push_frame f = frame(l, p, PUSH_MESSAGE, m->bytes + 8);
	uint8_t head[PUSH_HEADER + 8];

	f.sequence++;
	push_encode(head, &f);
	push_put32(head + PUSH_HEADER, m->topic);
	push_put32(head + PUSH_HEADER + 4, m->from);
	return reply_add(l, head, sizeof(head)) && reply_add(l, m->data, m->bytes);
}

/* What the window and one buffer allow; false: there is nothing more to be sent for now. */
static bool send_batch(struct loop *l, struct client *p)
{
	struct outbox *o = p->outbox;

	l->reply.fill = 0;
	while (o->first && push_after(p->limit, p->tx) && l->reply.fill < INPUT_BYTES &&
	       compose(l, p, o->first->message)) {
		p->tx++;
		stat_add(&l->stats->delivered, 1);
		dequeue(l, o);
	}
	if (l->reply.fill)
		say(l, p, l->reply.bytes, l->reply.fill);
	return l->reply.fill;
}

/* An ACK if there is nothing else and one is due. */
void outbox_send(struct loop *l, struct client *p)
{
	struct conn *c = &p->conn;

	while (p->outbox && !c->out && !c->lent) {
		if (send_batch(l, p))
			continue;	/* if the socket is full, push_writable() goes on */
		if (p->outbox->told != p->rx || p->outbox->answer)
			outbox_control(l, p, PUSH_ACK, 0, 0);
		break;
	}
	if (p->outbox && !p->outbox->first && !p->outbox->recorded && p->outbox->told == p->rx)
		outbox_forget(l, p);
}

static void flush(struct loop *l, struct timer *t)
{
	struct outboxes *all = l->outboxes;
	struct client *p;

	all->count = 0;
	timer_cancel(&l->timers, t);
	while (all->due) {
		p = all->due->client;
		not_due(all->due);
		outbox_send(l, p);
		conn_settle(l, &p->conn);
	}
}

void outboxes_flush_due(struct loop *l)
{
	struct outboxes *all = l->outboxes;
	uint64_t due_ns = all->since_ns + l->cfg->batch_us * 1000;

	if (!all->due)
		return;
	if (all->count >= l->cfg->batch || l->stopping || now_ns() >= due_ns)
		flush(l, &all->timer);
	else if (!all->timer.place)
		timer_set(&l->timers, &all->timer, due_ns);
}

int outboxes_open(struct loop *l)
{
	l->outboxes = calloc(1, sizeof(*l->outboxes));
	if (!l->outboxes)
		return -1;
	l->outboxes->timer.fire = flush;
	return 0;
}
