/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.c - a connection's life: taken in, what it waits for, its end.
 *
 * While output is pending nothing more is read: a client that does not take its answers stops being
 * served, and costs one answer and one read of memory.
 *
 * A close with unread bytes resets the connection, and the reset may overtake the answer. So a
 * connection that is turned away (a wrong request, one connection too many) lingers: we send our
 * end, throw away what still comes, and close when the client has or LINGER_MS have passed.
 */
#include "conn.h"

#include <stdlib.h>
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
	/*
	 * The helper or a timer frees it soon: until input comes, taking EPOLLIN out of the mask
	 * and putting it back is not worth two system calls an exchange.
	 */
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

	while ((c = l->conns->lingering.first) != NULL && loop_ms(l) - c->active_ms >= LINGER_MS)
		conn_close(l, c);
	if (c)
		timer_set(&l->timers, t, l->now + LINGER_MS * 1000000u / 4);
}

static void linger(struct loop *l, struct conn *c)
{
	c->linger = 0;
	c->lingers = 1;
	c->active_ms = loop_ms(l);
	unlink_conn(&l->conns->open, c);
	append_conn(&l->conns->lingering, c);
	shutdown(c->watch.fd, SHUT_WR);
	if (!l->conns->linger_timer.place)
		timer_set(&l->timers, &l->conns->linger_timer, l->now + LINGER_MS * 1000000u);
}

void conn_settle(struct loop *l, struct conn *c)
{
	bool idle = !c->out && !c->paused && !c->lent;
	uint32_t events;

	if (c->watch.fd < 0)
		return;
	if (l->stopping && idle && !c->closing) {
		c->closing = !l->protocol->bye || l->protocol->bye(l, c);
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

void *conn_at(const struct loop *l, uint32_t place)
{
	const struct conns *all = l->conns;

	if (place >= all->count)
		return NULL;
	return all->pieces[place / PIECE] + place % PIECE * l->protocol->conn_bytes;
}

/* A slot that is free, or a new one; NULL: no memory, or SLOTS_MOST are in use. */
static struct conn *take_slot(struct loop *l, uint32_t *place)
{
	struct conns *all = l->conns;
	struct conn *c = all->free;
	uint8_t **piece = &all->pieces[all->count / PIECE];

	*place = SLOTS_MOST;
	if (c) {
		all->free = c->next;
		return c;
	}
	if (all->count == SLOTS_MOST)
		return NULL;
	if (!*piece)
		*piece = memory_alloc(l->stats, PIECE * l->protocol->conn_bytes);
	if (!*piece)
		return NULL;
	*place = all->count++;
	return memset(conn_at(l, *place), 0, l->protocol->conn_bytes);
}

struct conn *conn_new(struct loop *l, int fd, uint16_t port, uint64_t accept_ns, uint32_t hits)
{
	uint64_t most = (l->cfg->max_connections + l->cfg->loops - 1) / l->cfg->loops;
	uint32_t place;
	struct conn *c = take_slot(l, &place);

	if (!c) {
		stat_add(&l->stats->accept_failed, 1);
		close(fd);
		return NULL;
	}
	stat_add(&l->stats->accepted, 1);
	*c = (struct conn){
		.watch = { .fd = fd, .kind = WATCH_CONN }, .port = port, .accept_ns = accept_ns,
		.serial = ++l->conns->serial, .active_ms = loop_ms(l),
		.refuse = most && stat_get(&l->stats->open) >= most,
	};
	c->hits = hits;
	if (l->faults.any)
		c->hits |= faults_strike(&l->faults, FAULT_BIT(FAULT_OUT_ARMED) |
				FAULT_BIT(FAULT_NEVER_CLOSE), c->serial);
	if (l->protocol->opened)
		l->protocol->opened(l, c, place);
	append_conn(&l->conns->open, c);
	count_open(l);
	if (poller_add(&l->poller, &c->watch, wanted(l, c))) {
		stat_add(&l->stats->accept_failed, 1);
		c->watch.kind = WATCH_LISTENER;		/* it is not in the poller */
		conn_close(l, c);
		return NULL;
	}
	if (c->refuse && l->protocol->mute) {
		stat_add(&l->stats->refused, 1);
		conn_close(l, c);
		return NULL;
	}
	return c;
}

void conn_drop_output(struct loop *l, struct conn *c)
{
	if (!c->out)
		return;
	timer_cancel(&l->timers, &c->out->timer);
	memory_free(l->stats, c->out);
	c->out = NULL;
	c->drain = 0;
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
	if (l->protocol->closed)
		l->protocol->closed(l, c);
	conn_drop_output(l, c);
	memory_free(l->stats, c->in);
	c->in = NULL;
	/* A close takes it out of an epoll; the table of poll and select must be told. */
	if (l->poller.backend != BACKEND_EPOLL && c->watch.kind == WATCH_CONN)
		poller_remove(&l->poller, &c->watch);
	close(c->watch.fd);
	c->watch.fd = -1;
	unlink_conn(c->lingers ? &l->conns->lingering : &l->conns->open, c);
	append_conn(&l->conns->dead, c);
	stat_add(&l->stats->closed, 1);
	stat_add(&l->stats->open, (uint64_t)-1);
}

void conn_broken(struct loop *l, struct conn *c)
{
	stat_add(&l->stats->resets, c->watch.fd >= 0 && !c->lent);
	conn_close(l, c);
}

bool conns_bury(struct loop *l)
{
	struct conns *all = l->conns;

	for (struct conn *c = all->dead.first, *next; c; c = next) {
		next = c->next;
		c->next = all->free;
		all->free = c;
	}
	all->dead = (struct conn_list){ NULL, NULL };
	return all->open.first || all->lingering.first;
}

void conn_active(struct loop *l, struct conn *c)
{
	if (!l->cfg->idle_ms && !l->cfg->heartbeat_ms)
		return;
	c->active_ms = loop_ms(l);
	unlink_conn(&l->conns->open, c);
	append_conn(&l->conns->open, c);
}

/* The list is in order of activity: the first few are enough, unless the protocol sees all. */
void conns_tick(struct loop *l)
{
	for (struct conn *c = l->conns->open.first, *next; c; c = next) {
		next = c->next;
		if (l->protocol->tick)
			l->protocol->tick(l, c);
		if (c->watch.fd < 0 || c->paused || c->hits & FAULT_BIT(FAULT_NEVER_CLOSE))
			continue;
		if (l->cfg->idle_ms && loop_ms(l) - c->active_ms >= l->cfg->idle_ms) {
			stat_add(&l->stats->idle_closed, 1);
			conn_close(l, c);
		} else if (!l->protocol->tick) {
			break;
		}
	}
}

int conns_open(struct loop *l)
{
	l->conns = calloc(1, sizeof(*l->conns));
	if (!l->conns)
		return -1;
	l->conns->linger_timer.fire = linger_over;
	return 0;
}

void conns_close(struct loop *l)
{
	struct conns *all = l->conns;

	while (all->open.first)
		conn_close(l, all->open.first);
	while (all->lingering.first)
		conn_close(l, all->lingering.first);
	for (size_t i = 0; i < SLOTS_MOST / PIECE; i++)
		memory_free(l->stats, all->pieces[i]);
	free(all);
	l->conns = NULL;
}
