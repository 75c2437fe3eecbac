/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * push_out.c - the sending half of push: messages out in batches.
 *
 * What is to go out is queued by client and sent when --batch messages are due on this loop, or
 * --batch-us after the first: a client gets what came for it in one send, with its ack in each
 * header. The queue is memory that a client has only while it has something in it.
 */
#include "topics.h"

#include "tools/push.h"

struct queued {
	struct queued *next;
	struct message *message;
};

struct outbox {
	struct client *client;
	struct outbox **place, *next;	/* in the loop's list of those who are due; NULL: is not */
	struct queued *first, *last;	/* wait for the batch or for the window */
	uint32_t waiting, told;
	bool answer;			/* an ACK at least */
	struct record record;		/* of the exchange it owes, if somebody asks: */
	bool recorded;
};

static struct outbox *outbox_of(struct loop *l, struct client *p)
{
	if (p->outbox)
		return p->outbox;
	p->outbox = loop_alloc(l, sizeof(*p->outbox));
	if (p->outbox)
		*p->outbox = (struct outbox){ .client = p, .told = p->rx };
	return p->outbox;
}

uint32_t push_told(const struct client *p)
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

bool push_due(struct loop *l, struct client *p, bool answer)
{
	struct outbox *o = outbox_of(l, p);

	if (!o)
		return false;
	o->answer |= answer;
	if (l->batched++ == 0)
		l->batch_since = now_ns();
	if (o->place)
		return true;
	o->place = &l->dirty;
	o->next = l->dirty;
	if (o->next)
		o->next->place = &o->next;
	l->dirty = o;
	return true;
}

void push_enqueue(struct loop *l, struct client *p, struct message *m)
{
	struct outbox *o = push_due(l, p, false) ? p->outbox : NULL;
	struct queued *q = o && o->waiting < l->cfg->push_queue ? loop_alloc(l, sizeof(*q)) : NULL;

	if (!q) {
		stat_add(&l->stats->dropped, 1);
		return;
	}
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	*q = (struct queued){ NULL, m };
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
	loop_free(l, q);
}

void push_forget(struct loop *l, struct client *p)
{
	struct outbox *o = p->outbox;

	if (!o)
		return;
	while (o->first)
		dequeue(l, o);
	not_due(o);
	loop_free(l, o);
	p->outbox = NULL;
}

/* The stamps of the last read before the send count, the faults of all. */
bool push_owe(struct loop *l, struct client *p)
{
	struct conn *c = &p->conn;
	struct record *r, old;
	struct outbox *o;

	if (l->truth || l->strikes_requests) {
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
			conn_exchange(c, r, 1);
		}
		o->recorded = true;
	}
	c->owing = 1;
	return true;
}

void push_suffer(struct loop *l, struct client *p)
{
	if (l->strikes_requests && p->outbox)
		p->outbox->record.fault |= fault_handler(l, p->conn.serial);
}

/* Ends the exchange that is owed, if one is. Not while output is pending. */
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
	conn_send(l, c, data, bytes, 0, r);
}

static struct push_frame frame(const struct loop *l, const struct client *p, uint8_t type,
	uint32_t length)
{
	return (struct push_frame){ .type = type, .length = length, .sequence = p->tx,
		.ack = p->rx, .window = (uint32_t)l->cfg->window };
}

void push_control(struct loop *l, struct client *p, uint8_t type, uint32_t a, uint32_t b)
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

	l->reply_fill = 0;
	while (o->first && push_after(p->limit, p->tx) && l->reply_fill < INPUT_BYTES &&
	       compose(l, p, o->first->message)) {
		p->tx++;
		stat_add(&l->stats->delivered, 1);
		dequeue(l, o);
	}
	if (l->reply_fill)
		say(l, p, l->reply, l->reply_fill);
	return l->reply_fill;
}

/* All that may go; an ACK if there is nothing and one is due. */
static void send_queued(struct loop *l, struct client *p)
{
	struct conn *c = &p->conn;

	while (p->outbox && !c->out && !c->lent) {
		if (send_batch(l, p))
			continue;	/* or until it comes again when that is sent */
		if (p->outbox->told != p->rx || p->outbox->answer)
			push_control(l, p, PUSH_ACK, 0, 0);
		break;
	}
	if (p->outbox && !p->outbox->first && !p->outbox->recorded && p->outbox->told == p->rx)
		push_forget(l, p);
}

static void flush_all(struct loop *l)
{
	struct client *p;

	l->batched = 0;
	timer_cancel(&l->timers, &l->flush_timer);
	while (l->dirty) {
		p = l->dirty->client;
		not_due(l->dirty);
		send_queued(l, p);
		conn_settle(l, &p->conn);
	}
}

void push_flush(struct loop *l, struct timer *t)
{
	(void)t;
	flush_all(l);
}

void push_flush_due(struct loop *l)
{
	uint64_t due = l->batch_since + l->cfg->batch_us * 1000;

	if (!l->dirty)
		return;
	if (l->batched >= l->cfg->batch || l->stopping || now_ns() >= due)
		flush_all(l);
	else if (!l->flush_timer.place)
		timer_set(&l->timers, &l->flush_timer, due);
}

void push_writable(struct loop *l, struct conn *c)
{
	if (c->joined)
		send_queued(l, (struct client *)c);
}

bool push_bye(struct loop *l, struct conn *c)
{
	if (!c->joined)
		return true;
	send_queued(l, (struct client *)c);
	if (c->watch.fd < 0 || c->out || c->lent)
		return false;
	push_control(l, (struct client *)c, PUSH_BYE, 0, 0);
	return true;
}
