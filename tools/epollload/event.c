/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event.c - see event.h. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tools/clock.h"
#include "conn.h"
#include "conn_io.h"
#include "event.h"
#include "protocol_push.h"
#include "truth.h"

static void established(struct worker *w, struct conn *c)
{
	uint64_t opened_ns = c->node[Q_PROGRESS].due_ns - w->cfg->timeout_ns;

	c->state = CONN_OPEN;
	truth_open(w, c);
	w->counts.opened++;
	histogram_add(&w->counts.connect, w->now - opened_ns);
	w->cfg->protocol->open(&c->wire, &w->run->traffic, c->index);
	if (c->wire.ready)
		conn_ready(w, c);
	conn_flush(w, c);
}

void event_socket(struct worker *w, struct conn *c, uint32_t events)
{
	int err = 0;
	socklen_t len = sizeof(err);

	w->now = now_ns();
	if (c->state == CONN_CONNECTING) {
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err)
			conn_failed(w, c, err);
		else if (events & EPOLLOUT)
			established(w, c);
	} else if (c->state == CONN_OPEN && events & EPOLLOUT && !(events & EPOLLERR)) {
		conn_flush(w, c);
	}
	if (c->state == CONN_OPEN && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		conn_read(w, c, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static void beat(struct worker *w, struct conn *c)
{
	if (!c->spoke)
		push_heartbeat(&c->wire);
	c->spoke = false;
	conn_wait(w, c, Q_BEAT, c->wire.push.heartbeat_ms * 1000000ull / 2);
	conn_flush(w, c);
}

void event_timer(struct worker *w, struct conn *c, enum queue_kind kind)
{
	switch (kind) {
	case Q_PROGRESS:
		if (c->state == CONN_CONNECTING)
			conn_failed(w, c, ETIMEDOUT);
		else
			conn_lost(w, c, LOST_TIMEOUT);
		break;
	case Q_PIECE:
		conn_flush(w, c);
		break;
	case Q_READ:
		if (c->readable)
			conn_read(w, c, false);
		break;
	case Q_RETRY:
		conn_retry(w, c);
		break;
	case Q_BEAT:
		beat(w, c);
		break;
	default:
		break;
	}
}
