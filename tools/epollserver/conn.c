/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.c - a connection: its memory, and the way from ready to read to its protocol.
 *
 * While output is pending nothing more is read: a client that doesn't take its answers stops being
 * served, and costs one answer and one read of memory.
 */
#include "server.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_LEAST 1024
#define INPUT_MOST (2 * INPUT_BYTES)

static ssize_t (*const protocol_input[])(struct loop *, struct conn *, const uint8_t *, size_t) = {
	[PROTO_ECHO] = echo_input, [PROTO_HTTP] = http_input, [PROTO_PUSH] = push_input,
};

/* With what malloc adds to it. */
static size_t cost(void *p)
{
	return malloc_usable_size(p) + sizeof(size_t);
}

void *loop_alloc(struct loop *l, size_t bytes)
{
	void *p = malloc(bytes);

	if (p)
		stat_add(&l->stats->memory_bytes, cost(p));
	return p;
}

void loop_free(struct loop *l, void *p)
{
	if (!p)
		return;
	stat_add(&l->stats->memory_bytes, -cost(p));
	free(p);
}

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

static uint32_t wanted(const struct loop *l, const struct conn *c)
{
	uint32_t events = 0;

	if (!c->paused && !c->out && !c->closing && !c->ended)
		events |= EPOLLIN | (l->cfg->backend == BACKEND_SELECT ? 0 : EPOLLRDHUP);
	if (c->out && !c->drain)
		events |= EPOLLOUT;
	if (c->hits & FAULT_BIT(FAULT_OUT_ARMED))
		events |= EPOLLOUT;
	if (l->cfg->trigger == TRIGGER_ONESHOT)
		events |= events ? EPOLLONESHOT : 0;
	else if (l->cfg->trigger == TRIGGER_EDGE)
		events |= EPOLLET;
	return events;
}

static bool may_read(const struct conn *c)
{
	return c->watch.fd >= 0 && !c->paused && !c->out && !c->closing && !c->ended;
}

void conn_settle(struct loop *l, struct conn *c)
{
	uint32_t events;

	if (c->watch.fd < 0)
		return;
	if (l->stopping && !c->out && !c->paused && !c->closing) {
		push_bye(l, c);
		c->closing = 1;
	}
	if (c->closing && !c->out && !c->paused) {
		conn_close(l, c);
		return;
	}
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
	uint64_t most = l->cfg->max_connections / l->cfg->loops;
	struct conn *c = loop_alloc(l, sizeof(*c));

	stat_add(&l->stats->accepted, 1);
	if (!c) {
		stat_add(&l->stats->accept_failed, 1);
		close(fd);
		return;
	}
	*c = (struct conn){
		.watch = { .fd = fd, .kind = WATCH_CONN }, .port = port, .accept_ns = accept_ns,
		.serial = ++l->serial, .active_ms = (uint32_t)(l->now / 1000000),
		.refuse = most && stat_get(&l->stats->open) >= most,
	};
	c->hits = hits | (l->strikes_requests ? fault_connection(l, c->serial) : 0);
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
	unlink_conn(&l->conns, c);
	append_conn(&l->dead, c);
	stat_add(&l->stats->closed, 1);
	stat_add(&l->stats->open, (uint64_t)-1);
}

void conn_bury(struct loop *l)
{
	for (struct conn *c = l->dead.first, *next; c; c = next) {
		next = c->next;
		loop_free(l, c);
	}
	l->dead = (struct conn_list){ NULL, NULL };
}

/* Room for more behind what is there; false: it is too long or there is no memory. */
static bool input_grow(struct loop *l, struct conn *c, size_t room)
{
	struct input *in;

	if (room > INPUT_MOST)
		return false;
	room = room < INPUT_LEAST ? INPUT_LEAST : room;
	in = loop_alloc(l, sizeof(*in) + room);
	if (!in)
		return false;
	in->fill = 0;
	in->room = room;
	if (c->in) {
		in->fill = c->in->fill;
		memcpy(in->bytes, c->in->bytes, in->fill);
		loop_free(l, c->in);
	}
	c->in = in;
	return true;
}

/* The rest of a read, which lies in the loop's buffer or in its own. */
static bool keep(struct loop *l, struct conn *c, const uint8_t *rest, size_t bytes)
{
	if (!bytes) {
		loop_free(l, c->in);
		c->in = NULL;
		return true;
	}
	if (!c->in && !input_grow(l, c, bytes * 2))
		return false;
	memmove(c->in->bytes, rest, bytes);
	c->in->fill = bytes;
	return true;
}

/* False when the connection is closed. */
static bool take(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes)
{
	size_t done = 0;
	ssize_t n;

	do {
		n = protocol_input[l->cfg->protocol](l, c, data + done, bytes - done);
		done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && done < bytes && may_read(c));
	if (c->watch.fd < 0)
		return false;
	if (n < 0 || !keep(l, c, data + done, bytes - done)) {
		stat_add(&l->stats->protocol_errors, 1);
		c->closing = 1;		/* after what it is told */
		conn_settle(l, c);
		return false;
	}
	return true;
}

static void was_active(struct loop *l, struct conn *c)
{
	if (!l->cfg->idle_ms && !l->cfg->heartbeat_ms)
		return;
	c->active_ms = (uint32_t)(l->now / 1000000);
	unlink_conn(&l->conns, c);
	append_conn(&l->conns, c);
}

/* The client sends nothing more: it may still want its answers. */
static void end_of_input(struct loop *l, struct conn *c)
{
	c->ended = 1;
	if (c->hits & FAULT_BIT(FAULT_NEVER_CLOSE)) {
		stat_add(&l->stats->leaked, 1);
		return;
	}
	c->closing = 1;
	conn_settle(l, c);
}

static void broken(struct loop *l, struct conn *c)
{
	stat_add(&l->stats->resets, 1);
	conn_close(l, c);
}

/* One read and what follows from it: bytes, 0 if there was nothing or it has ended. */
static size_t read_once(struct loop *l, struct conn *c, size_t most)
{
	uint8_t *to = l->input;
	size_t room = INPUT_BYTES;
	ssize_t n;

	if (c->in) {
		if (c->in->fill == c->in->room && !input_grow(l, c, c->in->room * 2)) {
			conn_close(l, c);
			return 0;
		}
		to = c->in->bytes + c->in->fill;
		room = c->in->room - c->in->fill;
	}
	if (l->truth)
		l->exchange.read_ns = now_ns();
	n = recv(c->watch.fd, to, most < room ? most : room, 0);
	if (l->truth)
		l->exchange.got_ns = now_ns();
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			broken(l, c);
		return 0;
	}
	if (n == 0) {
		end_of_input(l, c);
		return 0;
	}
	stat_add(&l->stats->bytes_in, (uint64_t)n);
	was_active(l, c);
	if (c->in) {
		c->in->fill += (size_t)n;
		take(l, c, c->in->bytes, c->in->fill);
	} else {
		take(l, c, l->input, (size_t)n);
	}
	return (size_t)n;
}

/*
 * Level triggered, one read: if it left something, the next wait says so again, after the others
 * had their turn. Edge triggered, until there is nothing more: a read that got less than it had
 * room for has emptied the socket, but for an end that the event has told of.
 */
static void read_all(struct loop *l, struct conn *c, uint32_t events)
{
	bool once = l->cfg->trigger != TRIGGER_EDGE || l->cfg->backend != BACKEND_EPOLL;
	size_t most = INPUT_BYTES, n;

	l->exchange.fault = 0;
	if (!once && fault_strikes(&l->faults, FAULT_UNDRAINED, c->serial)) {
		most = l->cfg->faults[FAULT_UNDRAINED].amount;
		l->exchange.fault = FAULT_BIT(FAULT_UNDRAINED);
		once = true;
	}
	do {
		n = read_once(l, c, most);
	} while (!once && n && may_read(c) &&
		 (n == INPUT_BYTES || c->in || events & (EPOLLRDHUP | EPOLLHUP)));
}

void conn_resume(struct loop *l, struct conn *c)
{
	push_writable(l, c);
	/* Who has got its token is served, even if we are about to end. */
	if (c->in && (may_read(c) || (c->granted && !c->out)) &&
	    !take(l, c, c->in->bytes, c->in->fill))
		return;
	/* An edge that came meanwhile was not used. */
	if (may_read(c) && l->cfg->trigger == TRIGGER_EDGE)
		read_all(l, c, EPOLLRDHUP);
	conn_settle(l, c);
}

void conn_ready(struct loop *l, struct conn *c, uint32_t events)
{
	if (c->watch.fd < 0)
		return;
	if (l->cfg->trigger == TRIGGER_ONESHOT)
		c->watch.events = 0;	/* the kernel has disarmed it */
	if (events & EPOLLERR || (events & EPOLLHUP && !may_read(c))) {
		broken(l, c);
		return;
	}
	if (events & EPOLLOUT && c->out && !c->drain) {
		if (!output_flush(l, c))
			broken(l, c);
		else if (!c->out)
			conn_resume(l, c);
	}
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP) && may_read(c))
		read_all(l, c, events);
	conn_settle(l, c);
}

void conn_answer(struct loop *l, struct conn *c, const void *data, size_t bytes,
	uint32_t messages, off_t file_bytes)
{
	struct record *r = &l->exchange;

	stat_add(&l->stats->exchanges, 1);
	stat_add(&l->stats->messages, messages);
	r->port = c->port;
	r->number = ++c->number;
	r->accept_ns = c->accept_ns;
	r->messages = messages;
	r->bytes = bytes + (size_t)file_bytes;
	r->fault |= c->hits;
	c->hits &= ~(FAULT_BIT(FAULT_ACCEPT_ONE) | FAULT_BIT(FAULT_ACCEPT_PAUSE));
	if (l->strikes_requests)
		r->fault |= fault_answer(l, c->serial);
	for (uint64_t i = 0; r->fault & FAULT_BIT(FAULT_CTL_MOD) &&
	     i < l->cfg->faults[FAULT_CTL_MOD].amount; i++)
		poller_change(&l->poller, &c->watch, c->watch.events);
	if (r->fault & FAULT_BIT(FAULT_OTHER_THREAD) && !file_bytes &&
	    helper_answer(l->helper, c, data, bytes, r)) {
		c->lent = c->paused = 1;
	} else if (!output_send(l, c, data, bytes, file_bytes, r)) {
		broken(l, c);
	}
	r->fault = 0;
}
