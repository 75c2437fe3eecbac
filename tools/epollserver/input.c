/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * input.c - the reading half: from ready over read to the protocol, and what is kept of a request
 * that is not complete yet.
 */
#include "suffer.h"

#include "tools/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define INPUT_LEAST 1024
#define INPUT_MOST (2 * INPUT_BYTES)
#define LINGER_READS 64		/* of INPUT_BYTES, thrown away; a client that sends more is reset */

/* Room for more behind what is there; false: it is too long or there is no memory. */
static bool input_grow(struct loop *l, struct conn *c, size_t room)
{
	struct input *in;

	if (room > INPUT_MOST)
		return false;
	room = room < INPUT_LEAST ? INPUT_LEAST : room;
	in = memory_alloc(l->stats, sizeof(*in) + room);
	if (!in)
		return false;
	in->fill = 0;
	in->room = room;
	if (c->in) {
		in->fill = c->in->fill;
		memcpy(in->bytes, c->in->bytes, in->fill);
		memory_free(l->stats, c->in);
	}
	c->in = in;
	return true;
}

/* Keeps the rest of a read, which lies in the loop's buffer or in the connection's own. */
static bool keep(struct loop *l, struct conn *c, const uint8_t *rest, size_t bytes)
{
	if (!bytes) {
		memory_free(l->stats, c->in);
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
		n = l->protocol->input(l, c, data + done, bytes - done);
		done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && done < bytes && conn_open(c));
	if (c->watch.fd < 0)
		return false;
	if (n < 0 || !keep(l, c, data + done, bytes - done)) {
		stat_add(&l->stats->protocol_errors, 1);
		c->closing = c->linger = 1;	/* after what it was answered */
		conn_settle(l, c);
		return false;
	}
	return true;
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

/* One read and what follows from it. Returns its bytes, 0 if there were none or it was the end. */
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
			conn_broken(l, c);
		return 0;
	}
	if (n == 0) {
		end_of_input(l, c);
		return 0;
	}
	stat_add(&l->stats->bytes_in, (uint64_t)n);
	conn_active(l, c);
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
		c->hits |= FAULT_BIT(FAULT_UNDRAINED);	/* of the exchange that it delays */
		once = true;
	}
	do {
		n = read_once(l, c, most);
	} while (!once && n && conn_open(c) &&
		 (n == INPUT_BYTES || c->in || events & (EPOLLRDHUP | EPOLLHUP)));
}

void input_resume(struct loop *l, struct conn *c)
{
	if (l->protocol->writable)
		l->protocol->writable(l, c);
	/* A request that has got its token is served, even if the loop is stopping. */
	if (c->in && (conn_open(c) || (c->granted && !c->out && !c->lent)) &&
	    !take(l, c, c->in->bytes, c->in->fill))
		return;
	/* An edge that came during the pause was not used. */
	if (conn_open(c) && l->cfg->trigger == TRIGGER_EDGE)
		read_all(l, c, EPOLLRDHUP);
	conn_settle(l, c);
}

/* Throws away what comes until the client closes. */
static void read_to_end(struct loop *l, struct conn *c)
{
	ssize_t n = 1;

	for (int i = 0; i < LINGER_READS && n > 0; i++)
		n = recv(c->watch.fd, l->input, INPUT_BYTES, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		conn_settle(l, c);
	else
		conn_close(l, c);
}

void input_drained(struct loop *l, struct timer *t)
{
	struct output *o = (struct output *)((char *)t - offsetof(struct output, timer));
	struct conn *c = o->conn;

	c->drain = 0;
	if (!output_flush(l, c))
		conn_close(l, c);
	else if (!c->out)
		input_resume(l, c);
	conn_settle(l, c);
}

void input_answered(struct loop *l, void *job, uint64_t unused)
{
	struct job *j = job;
	struct conn *c = j->conn;

	(void)unused;
	c->lent = 0;
	if (l->truth && j->record.answered_ns)
		truth_add(l->truth, &j->record);
	stat_add(&l->stats->bytes_out, j->bytes);
	if (j->broken)
		conn_close(l, c);
	else
		input_resume(l, c);
	conn_settle(l, c);
	free(j);
}

void input_ready(struct loop *l, struct watch *w, uint32_t events)
{
	struct conn *c = (struct conn *)w;

	if (c->watch.fd < 0)
		return;
	if (l->cfg->trigger == TRIGGER_ONESHOT)
		c->watch.events = 0;	/* the kernel has disarmed it */
	if (c->lingers) {
		read_to_end(l, c);
		return;
	}
	if (events & EPOLLERR || (events & EPOLLHUP && !conn_open(c))) {
		conn_broken(l, c);
		return;
	}
	if (events & EPOLLOUT && c->out && !c->drain) {
		if (!output_flush(l, c))
			conn_broken(l, c);
		else if (!c->out)
			input_resume(l, c);
	}
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP) && conn_open(c))
		read_all(l, c, events);
	else if (events & (EPOLLIN | EPOLLRDHUP))
		c->pressed = 1;
	conn_settle(l, c);
}
