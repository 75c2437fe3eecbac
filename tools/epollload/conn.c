/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* conn.c - a connection's life: opening, closing, being opened again; the queues it stands in. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/clock.h"
#include "conn.h"

#define RETRY_NS 10000000	/* after a failure */

struct conn *queue_first(const struct worker *w, enum queue_kind kind)
{
	uint32_t first = w->queue[kind].first;

	return first ? &w->conns[first - 1] : NULL;
}

void queue_remove(struct worker *w, enum queue_kind kind, struct conn *c)
{
	struct queue *q = &w->queue[kind];
	struct node *n = &c->node[kind];

	if (!n->queued)
		return;
	*(n->prev ? &w->conns[n->prev - 1].node[kind].next : &q->first) = n->next;
	*(n->next ? &w->conns[n->next - 1].node[kind].prev : &q->last) = n->prev;
	n->queued = false;
}

void queue_add(struct worker *w, enum queue_kind kind, struct conn *c, uint64_t due_ns)
{
	struct queue *q = &w->queue[kind];
	uint32_t place = (uint32_t)(c - w->conns) + 1;

	queue_remove(w, kind, c);
	c->node[kind] = (struct node){ .prev = q->last, .due_ns = due_ns, .queued = true };
	*(q->last ? &w->conns[q->last - 1].node[kind].next : &q->first) = place;
	q->last = place;
}

uint64_t *owed_time(const struct worker *w, const struct conn *c, uint64_t n)
{
	size_t depth = w->cfg->depth;

	return w->started_ns + (size_t)(c - w->conns) * depth + n % depth;
}

/* What it owes is lost. */
static void owe_nothing(struct worker *w, struct conn *c, enum loss loss)
{
	for (uint64_t n = c->taken - c->owed; n < c->taken; n++)
		w->counts.lost[loss] += *owed_time(w, c, n) != 0;
	w->owed -= c->owed;
	c->owed = 0;
}

static void set_options(const struct config *cfg, int fd, bool slow)
{
	int one = 1, room = (int)cfg->read_bytes;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (slow && cfg->read_bytes)	/* so that the server notices; the kernel has a minimum */
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

/* The port is chosen at connect(), when the kernel knows the peer: one port serves many peers. */
static int bind_source(const struct config *cfg, int fd, uint32_t index)
{
	struct sockaddr_in source = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(cfg->source_first +
					 index / cfg->targets % (cfg->sources ? cfg->sources : 1)),
	};
	int one = 1;

	if (!cfg->sources)
		return 0;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&source, sizeof(source)) ? -errno : 0;
}

static int start_connect(struct worker *w, struct conn *c, int fd)
{
	const struct config *cfg = w->cfg;
	const struct target *server = &cfg->target[c->index % cfg->targets];
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = c,
	};
	int err;

	set_options(cfg, fd, c->slow);
	err = bind_source(cfg, fd, c->index);
	if (err)
		return err;
	if (connect(fd, (const struct sockaddr *)&server->address, server->len) &&
	    errno != EINPROGRESS)
		return -errno;
	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static bool wanted_again(const struct worker *w)
{
	return !w->cfg->conn_per_request && (!w->began || schedule_open(&w->schedule, w->now));
}

/* err: a positive errno. */
static enum refusal refusal_of(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ECONNRESET:
		return FAILED_REFUSED;
	case ETIMEDOUT:
		return FAILED_TIMEOUT;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		return FAILED_NO_PORT;
	case EMFILE:
	case ENFILE:
		return FAILED_NO_FILE;
	default:
		return FAILED_OTHER;
	}
}

static void open_failed(struct worker *w, struct conn *c, int err)
{
	w->counts.failed[refusal_of(-err)]++;
	if (!w->began && !w->counts.opened)
		w->fatal = -err;
	if (wanted_again(w))
		queue_add(w, Q_RETRY, c, w->now + RETRY_NS);
}

int conn_open(struct worker *w, struct conn *c)
{
	const struct target *server = &w->cfg->target[c->index % w->cfg->targets];
	int fd = socket(server->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	w->now = now_ns();
	err = fd < 0 ? -errno : start_connect(w, c, fd);
	if (err) {
		if (fd >= 0)
			close(fd);
		open_failed(w, c, err);
		owe_nothing(w, c, LOST_CONNECT);
		c->taken = 0;
		return err;
	}
	c->fd = fd;
	c->state = CONN_CONNECTING;
	w->opening++;
	queue_add(w, Q_PROGRESS, c, w->now + w->cfg->timeout_ns);
	return 0;
}

void conn_retry(struct worker *w, struct conn *c)
{
	if (wanted_again(w))
		conn_open(w, c);
}

static bool has_room(const struct worker *w, const struct conn *c)
{
	if (c >= w->conns + w->n_started)
		return false;
	if (w->cfg->conn_per_request)
		return c->state == CONN_CLOSED;
	return c->state == CONN_OPEN && c->wire.ready && !c->wire.closing &&
	       c->owed < w->cfg->depth;
}

void conn_offer(struct worker *w, struct conn *c)
{
	if (!has_room(w, c)) {
		queue_remove(w, Q_FREE, c);
	} else if (!c->node[Q_FREE].queued) {
		if (w->full && !queue_first(w, Q_FREE))
			w->full_to_ns = w->now;
		queue_add(w, Q_FREE, c, 0);
	}
}

void conn_ready(struct worker *w, struct conn *c)
{
	uint64_t beat_ns = c->wire.push.heartbeat_ms * 1000000ull / 2;

	w->opening--;
	w->n_ready++;
	w->alive_ns = w->now;
	if (!c->owed)
		queue_remove(w, Q_PROGRESS, c);
	if (w->cfg->protocol == &protocol_push && beat_ns)
		queue_add(w, Q_BEAT, c, w->now + beat_ns);
	conn_offer(w, c);
}

/* Forgets the socket and all that belonged to it. */
static void shut(struct worker *w, struct conn *c, enum loss loss)
{
	close(c->fd);
	if (c->wire.ready)
		w->n_ready--;
	else
		w->opening--;
	owe_nothing(w, c, loss);
	for (int kind = 0; kind < QUEUES; kind++)
		queue_remove(w, (enum queue_kind)kind, c);
	c->fd = -1;
	c->state = CONN_CLOSED;
	c->readable = c->useful = false;
	c->owed = 0;
	c->taken = c->pos = 0;
	memset(&c->wire, 0, sizeof(c->wire));
}

void conn_close(struct worker *w, struct conn *c, enum loss loss)
{
	shut(w, c, loss);
	conn_offer(w, c);
}

void conn_lost(struct worker *w, struct conn *c, enum loss loss)
{
	bool useful = c->useful;

	if (loss == LOST_CLOSED || loss == LOST_RESET)
		w->counts.closed_by_peer++;
	conn_close(w, c, loss);
	if (!wanted_again(w))
		return;
	if (useful)
		conn_open(w, c);
	else
		queue_add(w, Q_RETRY, c, w->now + RETRY_NS);
}

void conn_failed(struct worker *w, struct conn *c, int err)
{
	shut(w, c, LOST_CONNECT);
	open_failed(w, c, -err);
	conn_offer(w, c);
}
