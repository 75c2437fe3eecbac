/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* conn_io.c - a connection's bytes: requests out, answers in. */
#include <errno.h>
#include <sys/socket.h>

#include "tools/clock.h"
#include "conn.h"
#include "conn_io.h"
#include "owed.h"
#include "queue.h"
#include "truth.h"

/* While an answer is owed, the time-out counts from the last thing that happened. */
static void progress(struct worker *w, struct conn *c)
{
	if (c->owed)
		queue_add(w, Q_PROGRESS, c, w->now + w->cfg->timeout_ns);
	else
		queue_remove(w, Q_PROGRESS, c);
}

void conn_fill(struct worker *w, struct conn *c)
{
	uint32_t before = c->owed;

	w->now = now_ns();
	while (c->owed < w->cfg->depth && schedule_due(&w->schedule, w->now))
		owe_request(w, c);
	/* It goes to the end of the queue even if it has room left: the load goes round. */
	queue_remove(w, Q_FREE, c);
	if (c->state == CONN_CLOSED) {
		if (!conn_open(w, c))
			return;
		owe_nothing(w, c, LOST_CONNECT);
		c->taken = 0;
	} else {
		if (!before)
			progress(w, c);
		conn_flush(w, c);
	}
	conn_offer(w, c);
}

/* The protocol's own frames, between requests: false while one of them is stuck. */
static bool flush_control(struct worker *w, struct conn *c)
{
	struct wire *wire = &c->wire;

	while (wire->control_len || wire->wanted) {
		ssize_t n;

		if (!wire->control_len)
			w->cfg->protocol->control(wire);
		n = send(c->fd, wire->control + sizeof(wire->control) - wire->control_len,
			 wire->control_len, MSG_NOSIGNAL);
		if (n < 0)
			return false;
		w->counts.bytes_sent += (uint64_t)n;
		wire->control_len -= (uint8_t)n;
	}
	return true;
}

/* Bytes that may go out at once: all, or a slow sender's piece, of which the last may be longer. */
static size_t piece_left(const struct worker *w, const struct conn *c)
{
	size_t size = w->run->traffic.request_size, pieces = w->cfg->send_pieces;
	size_t offset = c->pos % size, piece = size > pieces ? size / pieces : 1;
	size_t number = offset / piece;

	if (!c->slow || pieces == 1)
		return c->taken * size - c->pos;
	return (number + 1 >= pieces ? size : (number + 1) * piece) - offset;
}

/* Sends once; 1: go on, 0: not now, or a negative errno. */
static int send_some(struct worker *w, struct conn *c)
{
	size_t limit = piece_left(w, c), n;
	const char *from;
	ssize_t done;

	n = w->cfg->protocol->compose(&c->wire, &w->run->traffic, owed_times(w, c), c->pos, limit,
				      w->scratch, &from);
	if (!n)
		return 0;
	done = truth_send(w, c, from, n);
	if (done < 0)
		return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -errno;
	c->pos += (uint64_t)done;
	c->spoke = true;
	c->wire.sent = c->pos / w->run->traffic.request_size;
	w->counts.bytes_sent += (uint64_t)done;
	if (!c->slow || (size_t)done < limit || w->cfg->send_pieces == 1)
		return 1;
	if (c->pos == c->wire.sent * w->run->traffic.request_size)
		return 1;
	queue_add(w, Q_PIECE, c, now_ns() + w->cfg->send_pause_ns);
	progress(w, c);
	return 0;
}

void conn_flush(struct worker *w, struct conn *c)
{
	int rc = 1;

	if (c->state != CONN_OPEN || c->node[Q_PIECE].queued)
		return;
	while (rc > 0) {
		bool boundary = c->pos % w->run->traffic.request_size == 0;

		if (boundary && !flush_control(w, c))
			rc = errno == EAGAIN ? 0 : -errno;
		else if (!c->wire.ready || c->wire.sent == c->taken)
			return;
		else
			rc = send_some(w, c);
	}
	if (rc < 0)
		conn_lost(w, c, LOST_RESET);
}

/* False if the connection is gone. */
static bool take(struct worker *w, struct conn *c, enum parsed result)
{
	switch (owe_less(w, c, result)) {
	case OWE_GARBLED:
		conn_lost(w, c, LOST_GARBLED);
		return false;
	case OWE_DONE:
		conn_close(w, c, LOST_CLOSED);
		return false;
	default:
		return true;
	}
}

/* Parses what was read; false if the connection is gone. */
static bool take_bytes(struct worker *w, struct conn *c, const char *data, size_t n)
{
	const struct protocol *p = w->cfg->protocol;
	bool was_ready = c->wire.ready;
	uint32_t owed = c->owed;
	const char *end = data + n;

	while (data < end)
		if (!take(w, c, p->parse(&c->wire, &w->run->traffic, &data, end)))
			return false;
	if (c->wire.ready && !was_ready)
		conn_ready(w, c);
	if (!p->chatty || c->owed != owed)
		progress(w, c);
	return true;
}

static void peer_closed(struct worker *w, struct conn *c)
{
	if (take(w, c, w->cfg->protocol->end(&c->wire)))
		conn_lost(w, c, LOST_CLOSED);
}

/* Bytes read, 0 at the end, or a negative errno. */
static ssize_t read_some(struct worker *w, struct conn *c, size_t limit)
{
	ssize_t n;

	do {
		n = recv(c->fd, w->buffer, limit, 0);
	} while (n < 0 && errno == EINTR);
	w->now = now_ns();
	return n < 0 ? -errno : n;
}

void conn_read(struct worker *w, struct conn *c, bool hangup)
{
	bool slow = c->slow && w->cfg->read_bytes;
	size_t limit = slow ? w->cfg->read_bytes : BUFFER_BYTES;

	c->readable = true;
	while (c->readable && !c->node[Q_READ].queued) {
		ssize_t n = read_some(w, c, limit);

		if (n == -EAGAIN) {
			c->readable = false;
			break;
		}
		if (n <= 0) {
			if (n)
				conn_lost(w, c, LOST_RESET);
			else
				peer_closed(w, c);
			return;
		}
		w->counts.bytes_received += (uint64_t)n;
		if (!take_bytes(w, c, w->buffer, (size_t)n))
			return;
		if (slow)
			queue_add(w, Q_READ, c, w->now + w->cfg->read_pause_ns);
		else
			c->readable = hangup || (size_t)n == limit;
	}
	conn_flush(w, c);
	conn_offer(w, c);
}
