/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * push.c - the push protocol of tools/push.h: frames in, messages out in batches.
 *
 * What is to go out is queued by client and sent when --batch messages are due on this loop, or
 * --batch-us after the first: a client gets what came for it in one send, with its ack in each
 * header. Of the faults, those of handlers and connections work here, not those of answers.
 */
#include "topics.h"

#include "tools/push.h"

#include <stdlib.h>

static uint32_t now_ms(const struct loop *l)
{
	return (uint32_t)(l->now / 1000000);
}

/* Ends the exchange that is owed, if one is. */
static void send_bytes(struct loop *l, struct conn *c, const void *data, size_t bytes)
{
	struct push *p = c->push;
	struct record *r = p ? p->owed : NULL;

	if (p) {
		if (p->owing)
			stat_add(&l->stats->exchanges, 1);
		p->owing = false;
		p->told = p->rx;
		p->answer = false;
		p->sent_ms = now_ms(l);
	}
	if (r && r->return_ns) {
		r->number = ++c->number;
		r->bytes = bytes;
	} else {
		r = NULL;
	}
	if (!output_send(l, c, data, bytes, 0, r))
		conn_close(l, c);
	else if (r)
		r->return_ns = 0;
}

static struct push_frame frame(const struct loop *l, const struct push *p, uint8_t type,
	uint32_t length)
{
	return (struct push_frame){ .type = type, .length = length, .sequence = p ? p->tx : 0,
		.ack = p ? p->rx : 0, .window = (uint32_t)l->cfg->window };
}

/* A frame that is not data; two words as far as its type has them. */
static void control(struct loop *l, struct conn *c, uint8_t type, uint32_t a, uint32_t b)
{
	struct push_frame f = frame(l, c->push, type, push_fixed(type));
	uint8_t bytes[PUSH_HEADER + 8];

	push_encode(bytes, &f);
	push_put32(bytes + PUSH_HEADER, a);
	push_put32(bytes + PUSH_HEADER + 4, b);
	send_bytes(l, c, bytes, PUSH_HEADER + f.length);
}

static bool compose(struct loop *l, struct push *p, const struct message *m)
{
	struct push_frame f = frame(l, p, PUSH_MESSAGE, m->bytes + 8);
	uint8_t head[PUSH_HEADER + 8];

	f.sequence++;
	push_encode(head, &f);
	push_put32(head + PUSH_HEADER, m->topic);
	push_put32(head + PUSH_HEADER + 4, m->from);
	return reply_add(l, head, sizeof(head)) && reply_add(l, m->data, m->bytes);
}

static void dequeue(struct loop *l, struct push *p)
{
	struct queued *q = p->first;

	p->first = q->next;
	p->waiting--;
	message_drop(q->message);
	loop_free(l, q);
}

/* What the window and one buffer allow; an ACK if there is nothing and one is due. */
static void send_queued(struct loop *l, struct push *p)
{
	struct conn *c = p->conn;

	if (c->out)
		return;		/* comes again when that is sent */
	l->reply_fill = 0;
	while (p->first && push_after(p->limit, p->tx) && l->reply_fill < INPUT_BYTES &&
	       compose(l, p, p->first->message)) {
		p->tx++;
		stat_add(&l->stats->delivered, 1);
		dequeue(l, p);
	}
	if (l->reply_fill)
		send_bytes(l, c, l->reply, l->reply_fill);
	else if (p->told != p->rx || p->answer)
		control(l, c, PUSH_ACK, 0, 0);
}

static void mark_dirty(struct loop *l, struct push *p)
{
	if (l->batched++ == 0)
		l->batch_since = now_ns();
	if (p->dirty)
		return;
	p->dirty = true;
	p->next_dirty = l->dirty;
	l->dirty = p;
}

static void flush_all(struct loop *l)
{
	struct push *p;
	struct conn *c;

	l->batched = 0;
	timer_cancel(&l->timers, &l->flush_timer);
	while ((p = l->dirty) != NULL) {
		l->dirty = p->next_dirty;
		p->dirty = false;
		c = p->conn;
		send_queued(l, p);
		conn_settle(l, c);
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

void push_enqueue(struct loop *l, struct push *p, struct message *m)
{
	struct queued *q = p->waiting < l->cfg->push_queue ? loop_alloc(l, sizeof(*q)) : NULL;

	if (!q) {
		stat_add(&l->stats->dropped, 1);
		return;
	}
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	*q = (struct queued){ NULL, m };
	*(p->first ? &p->last->next : &p->first) = q;
	p->last = q;
	p->waiting++;
	mark_dirty(l, p);
}

/* The stamps of the last read before the send count. */
static void owe(struct loop *l, struct conn *c)
{
	struct record *r = c->push->owed;
	uint32_t fault = c->hits;

	c->push->owing = true;
	if (!r)
		return;
	fault |= r->return_ns ? r->fault : 0;
	*r = l->exchange;
	r->fault |= fault;
	r->port = c->port;
	r->accept_ns = c->accept_ns;
	r->messages = 1;
	c->hits &= ~(FAULT_BIT(FAULT_ACCEPT_ONE) | FAULT_BIT(FAULT_ACCEPT_PAUSE));
}

static bool hello(struct loop *l, struct conn *c, const struct push_frame *f)
{
	struct push *p;

	if (f->type != PUSH_HELLO)
		return false;
	if (c->refuse) {
		stat_add(&l->stats->refused, 1);
		control(l, c, PUSH_REFUSE, 0, 1000);
		return false;
	}
	p = loop_alloc(l, sizeof(*p));
	if (!p)
		return false;
	*p = (struct push){ .conn = c, .limit = f->window };
	if (!topics_join(l, p)) {
		loop_free(l, p);
		return false;
	}
	c->push = p;
	if (l->truth && (p->owed = loop_alloc(l, sizeof(*p->owed))) != NULL)
		*p->owed = (struct record){ 0 };
	owe(l, c);
	return true;
}

/* The data frame in turn, within what we granted. */
static bool in_order(const struct loop *l, const struct push *p, const struct push_frame *f)
{
	return f->sequence == p->rx + 1 &&
		!push_after(f->sequence, p->told + (uint32_t)l->cfg->window);
}

/* False: no memory. */
static bool serve_data(struct loop *l, struct push *p, const struct push_frame *f)
{
	uint32_t target = push_get32(f->payload);
	bool publish = f->type == PUSH_PUBLISH;
	uint32_t fault = 0;
	struct message *m = message_new(publish ? target : 0, publish ? 0 : target, p->id,
			f->payload + 4, f->length - 4);

	if (!m)
		return false;
	stat_add(&l->stats->messages, 1);
	if (l->strikes_requests)
		fault = fault_handler(l, p->conn->serial);
	if (p->owed)
		p->owed->fault |= fault;
	topics_post(l, m);
	mark_dirty(l, p);
	return true;
}

/* What each frame says of our own: false if it claims what it can't have got. */
static bool take_ack(struct loop *l, struct push *p, const struct push_frame *f)
{
	if (push_after(f->ack, p->tx) || push_after(p->acked, f->ack))
		return false;
	p->acked = f->ack;
	p->limit = f->ack + f->window;
	if (p->first)
		mark_dirty(l, p);
	return true;
}

/* 1: served, 0: waits for a token, -1: close. */
static int serve_frame(struct loop *l, struct conn *c, const struct push_frame *f)
{
	struct push *p = c->push;
	enum verdict v = ADMIT;

	if (!p) {
		if (!hello(l, c, f))
			return -1;
		control(l, c, PUSH_WELCOME, c->push->id, (uint32_t)l->cfg->heartbeat_ms);
		return 1;
	}
	if (push_is_data(f->type)) {
		if (!in_order(l, p, f) || f->type == PUSH_MESSAGE)
			return -1;
		v = overload_admit(l, c);
		if (v == QUEUE)
			return 0;
		p->rx++;
	}
	if (!take_ack(l, p, f))
		return -1;
	switch (f->type) {
	case PUSH_PUBLISH:
	case PUSH_SEND:
		if (v == REFUSE)
			control(l, c, PUSH_REFUSE, f->sequence, 1000);
		else if (!serve_data(l, p, f))
			return -1;
		return 1;
	case PUSH_SUBSCRIBE:
		if (!topics_subscribe(l, p, push_get32(f->payload)))
			return -1;
		break;
	case PUSH_UNSUBSCRIBE:
		topics_unsubscribe(l, p, push_get32(f->payload));
		break;
	case PUSH_HEARTBEAT:
	case PUSH_ACK:
		return 1;
	default:		/* BYE, and what only a server says */
		return -1;
	}
	p->answer = true;
	mark_dirty(l, p);
	return 1;
}

ssize_t push_input(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes)
{
	struct push_frame f;
	size_t done = 0;
	int n, rc = 1;

	if (c->push)
		owe(l, c);
	while (rc > 0 && done < bytes && c->watch.fd >= 0) {
		n = push_decode(data + done, bytes - done, &f);
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)done;
		if (f.type == PUSH_BYE) {
			c->closing = 1;
			return (ssize_t)bytes;
		}
		rc = serve_frame(l, c, &f);
		if (rc > 0)
			done += (size_t)n;
	}
	return rc < 0 ? -1 : (ssize_t)done;
}

void push_writable(struct loop *l, struct conn *c)
{
	if (c->push && c->watch.fd >= 0)
		send_queued(l, c->push);
}

void push_tick(struct loop *l, struct conn *c)
{
	uint32_t beat = (uint32_t)l->cfg->heartbeat_ms;

	if (!beat || c->paused)
		return;		/* off, or it is we who don't listen */
	if (now_ms(l) - c->active_ms >= PUSH_MISSED * beat) {
		stat_add(&l->stats->idle_closed, 1);
		conn_close(l, c);
	} else if (c->push && !c->out && now_ms(l) - c->push->sent_ms >= beat / 2) {
		control(l, c, PUSH_HEARTBEAT, 0, 0);
		conn_settle(l, c);
	}
}

void push_bye(struct loop *l, struct conn *c)
{
	if (!c->push)
		return;
	send_queued(l, c->push);
	if (c->watch.fd >= 0)
		control(l, c, PUSH_BYE, 0, 0);
}

void push_closed(struct loop *l, struct conn *c)
{
	struct push *p = c->push;

	if (!p)
		return;
	topics_leave(l, p);
	while (p->first)
		dequeue(l, p);
	for (struct push **at = &l->dirty; p->dirty && *at; at = &(*at)->next_dirty)
		if (*at == p) {
			*at = p->next_dirty;
			break;
		}
	loop_free(l, p->owed);
	loop_free(l, p);
	c->push = NULL;
}
