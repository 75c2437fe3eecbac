/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.c - a connection's life: taken in, what it waits for, its answers, its end.
 *
 * While output is pending nothing more is read: a client that doesn't take its answers stops being
 * served, and costs one answer and one read of memory.
 *
 * A close with unread bytes resets the connection, and the reset may overtake the answer. So who is
 * turned away (a wrong request, one connection too many) lingers: we send our end, throw away what
 * still comes, and close when the client has or LINGER_MS have passed.
 */
#include "server.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS 1000

static void unlink_conn(struct conn_list *list, struct conn *c)
{
	*(c->prev ? &c->prev->next : &list->first) = c->next;
	*(c->next ? &c->next->prev : &list->last) = c->prev;
}

static void append_conn(struct conn_list *list, struct conn *c)
{
	c->next = NULL;
	c->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = c;
	list->last = c;
}

static uint32_t loop_ms(const struct loop *l)
{
	return (uint32_t)(l->now / 1000000);
}

static uint32_t wanted(const struct loop *l, const struct conn *c)
{
	/* Soon free again: until something comes, its mask is not worth two calls an exchange. */
	bool soon = (c->lent || c->drain) && !c->pressed && !c->paused && !c->closing && !c->ended;
	uint32_t events = 0;

	if (conn_open(c) || c->lingers || soon)
		events |= EPOLLIN | (l->cfg->backend == BACKEND_SELECT ? 0 : EPOLLRDHUP);
	if ((c->out && !c->drain) || c->hits & FAULT_BIT(FAULT_OUT_ARMED))
		events |= EPOLLOUT;
	if (l->cfg->trigger == TRIGGER_ONESHOT)
		events |= events ? EPOLLONESHOT : 0;
	else if (l->cfg->trigger == TRIGGER_EDGE)
		events |= EPOLLET;
	return events;
}

static void linger_over(struct loop *l, struct timer *t)
{
	struct conn *c;

	while ((c = l->lingering.first) != NULL && loop_ms(l) - c->active_ms >= LINGER_MS)
		conn_close(l, c);
	if (c)
		timer_set(&l->timers, t, l->now + LINGER_MS * 1000000u / 4);
}

static void linger(struct loop *l, struct conn *c)
{
	c->linger = 0;
	c->lingers = 1;
	c->active_ms = loop_ms(l);
	unlink_conn(&l->conns, c);
	append_conn(&l->lingering, c);
	shutdown(c->watch.fd, SHUT_WR);
	l->linger_timer.fire = linger_over;
	if (!l->linger_timer.place)
		timer_set(&l->timers, &l->linger_timer, l->now + LINGER_MS * 1000000u);
}

void conn_settle(struct loop *l, struct conn *c)
{
	bool idle = !c->out && !c->paused && !c->lent;
	uint32_t events;

	if (c->watch.fd < 0)
		return;
	if (l->stopping && idle && !c->closing) {
		c->closing = push_bye(l, c);
		idle = !c->out && !c->lent;
	}
	if (c->closing && idle && !c->lingers) {
		if (!c->linger || c->ended) {
			conn_close(l, c);
			return;
		}
		linger(l, c);
	}
	if (c->watch.fd < 0)
		return;
	if (conn_open(c))
		c->pressed = 0;
	events = wanted(l, c);
	if (events != c->watch.events)
		poller_change(&l->poller, &c->watch, events);
}

static void count_open(struct loop *l)
{
	struct stats *s = l->stats;

	stat_add(&s->open, 1);
	if (stat_get(&s->open) <= stat_get(&s->peak_open))
		return;
	stat_add(&s->peak_open, 1);
	atomic_store_explicit(&s->memory_at_peak, stat_get(&s->memory_bytes), memory_order_relaxed);
}

void conn_new(struct loop *l, int fd, uint16_t port, uint64_t accept_ns, uint32_t hits)
{
	uint64_t most = (l->cfg->max_connections + l->cfg->loops - 1) / l->cfg->loops;
	uint32_t place;
	struct conn *c = slot_take(l, &place);

	if (!c) {
		stat_add(&l->stats->accept_failed, 1);
		close(fd);
		return;
	}
	stat_add(&l->stats->accepted, 1);
	*c = (struct conn){
		.watch = { .fd = fd, .kind = WATCH_CONN }, .port = port, .accept_ns = accept_ns,
		.serial = ++l->serial, .active_ms = loop_ms(l),
		.refuse = most && stat_get(&l->stats->open) >= most,
	};
	c->hits = hits | (l->strikes_requests ? fault_connection(l, c->serial) : 0);
	if (l->cfg->protocol == PROTO_PUSH)
		push_opened(l, c, place);
	append_conn(&l->conns, c);
	count_open(l);
	if (poller_add(&l->poller, &c->watch, wanted(l, c))) {
		stat_add(&l->stats->accept_failed, 1);
		c->watch.kind = WATCH_LISTENER;		/* not in the poller */
		conn_close(l, c);
	} else if (c->refuse && l->cfg->protocol == PROTO_ECHO) {
		stat_add(&l->stats->refused, 1);
		conn_close(l, c);
	} else if (l->stopping) {
		conn_ready(l, c, EPOLLIN);
	}
}

/* The memory stays until the turn ends: events of this turn may still point to it. */
void conn_close(struct loop *l, struct conn *c)
{
	if (c->watch.fd < 0)
		return;
	if (c->lent) {			/* its descriptor is in use */
		c->closing = 1;
		return;
	}
	push_closed(l, c);
	overload_forget(l, c);
	output_drop(l, c);
	loop_free(l, c->in);
	c->in = NULL;
	/* The close takes it out of an epoll; a table must be told. */
	if (l->poller.backend != BACKEND_EPOLL && c->watch.kind == WATCH_CONN)
		poller_remove(&l->poller, &c->watch);
	close(c->watch.fd);
	c->watch.fd = -1;
	unlink_conn(c->lingers ? &l->lingering : &l->conns, c);
	append_conn(&l->dead, c);
	stat_add(&l->stats->closed, 1);
	stat_add(&l->stats->open, (uint64_t)-1);
}

void conn_broken(struct loop *l, struct conn *c)
{
	stat_add(&l->stats->resets, c->watch.fd >= 0 && !c->lent);
	conn_close(l, c);
}

void conn_bury(struct loop *l)
{
	for (struct conn *c = l->dead.first, *next; c; c = next) {
		next = c->next;
		slot_give(l, c);
	}
	l->dead = (struct conn_list){ NULL, NULL };
}

void conn_active(struct loop *l, struct conn *c)
{
	if (!l->cfg->idle_ms && !l->cfg->heartbeat_ms)
		return;
	c->active_ms = loop_ms(l);
	unlink_conn(&l->conns, c);
	append_conn(&l->conns, c);
}

void conn_send(struct loop *l, struct conn *c, const void *data, size_t bytes, off_t file_bytes,
	struct record *r)
{
	uint32_t hits = r && l->strikes_requests ? fault_answer(l, c->serial) : 0;
	uint64_t mods = hits & FAULT_BIT(FAULT_CTL_MOD) ? l->cfg->faults[FAULT_CTL_MOD].amount : 0;

	while (mods-- > 0)
		poller_change(&l->poller, &c->watch, c->watch.events);
	if (hits & FAULT_BIT(FAULT_OTHER_THREAD)) {
		/* It sends all at once, but no file. */
		r->fault |= hits & ~(FAULT_BIT(FAULT_SMALL_WRITES) | FAULT_BIT(FAULT_SLOW_DRAIN));
		if (!file_bytes && helper_answer(l->helper, c, data, bytes, r)) {
			c->lent = 1;
			return;
		}
		r->fault &= ~FAULT_BIT(FAULT_OTHER_THREAD);
	}
	if (r)
		r->fault |= hits & ~FAULT_BIT(FAULT_OTHER_THREAD);
	if (!output_send(l, c, data, bytes, file_bytes, r))
		conn_broken(l, c);
}

void conn_exchange(struct conn *c, struct record *r, uint32_t messages)
{
	r->port = c->port;
	r->number = ++c->number;
	r->accept_ns = c->accept_ns;
	r->messages = messages;
	r->fault |= c->hits;
	c->hits &= ~(FAULT_BIT(FAULT_ACCEPT_ONE) | FAULT_BIT(FAULT_ACCEPT_PAUSE) |
		     FAULT_BIT(FAULT_UNDRAINED));
}

void conn_answer(struct loop *l, struct conn *c, const void *data, size_t bytes,
	uint32_t messages, off_t file_bytes)
{
	struct record *r = &l->exchange;

	stat_add(&l->stats->exchanges, 1);
	stat_add(&l->stats->messages, messages);
	conn_exchange(c, r, messages);
	r->bytes = bytes + (size_t)file_bytes;
	conn_send(l, c, data, bytes, file_bytes, r);
	r->fault = 0;
}
