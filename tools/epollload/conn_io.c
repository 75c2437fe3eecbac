/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* conn_io.c - what happens to a connection: requests out, answers in, its timers. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tools/clock.h"
#include "conn.h"
#include "truth.h"

/* While an answer is owed, the time-out counts from the last thing that happened. */
static void progress(struct worker *w, struct conn *c)
{
	if (c->owed)
		queue_add(w, Q_PROGRESS, c, w->now + w->cfg->timeout_ns);
	else
		queue_remove(w, Q_PROGRESS, c);
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

	n = w->cfg->protocol->compose(&c->wire, &w->run->traffic, owed_time(w, c, 0), c->pos, limit,
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

/* Sends what there is to send, as far as pauses, windows and the kernel's room allow. */
static void flush(struct worker *w, struct conn *c)
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

/* The next request: when it is taken, and how much later than it should be. */
static void take_request(struct worker *w, struct conn *c)
{
	struct schedule *s = &w->schedule;
	uint64_t meant = s->closed ? w->now : s->due_ns;
	bool held = !s->closed && w->full && meant >= w->full_from_ns && meant < w->full_to_ns;

	*owed_time(w, c, c->taken++) = meant;
	c->owed++;
	w->owed++;
	w->counts.sent++;
	w->counts.held += held;
	if (s->closed || meant >= w->full_to_ns)	/* requests are taken in their order */
		w->full = false;
	w->counts.last_sent_ns = w->now;
	if (!s->closed)
		histogram_add(&w->counts.send_error, w->now - meant);
	if (!s->closed && !held)
		histogram_add(&w->counts.own_error, w->now - meant);
	schedule_advance(s);
}

void conn_fill(struct worker *w, struct conn *c)
{
	uint32_t before = c->owed;

	w->now = now_ns();
	while (c->owed < w->cfg->depth && schedule_due(&w->schedule, w->now))
		take_request(w, c);
	/* It goes to the end of the queue even if it has room left: the load goes round. */
	queue_remove(w, Q_FREE, c);
	if (c->state == CONN_CLOSED) {
		if (!conn_open(w, c))
			return;
	} else {
		if (!before)
			progress(w, c);
		flush(w, c);
	}
	conn_offer(w, c);
}

/* The first that is owed goes, and those behind it that were refused out of turn. */
static void settle(struct worker *w, struct conn *c)
{
	do {
		c->owed--;
		w->owed--;
	} while (c->owed && !*owed_time(w, c, c->taken - c->owed));
}

/* False if no answer was owed. */
static bool take_answer(struct worker *w, struct conn *c)
{
	const struct config *cfg = w->cfg;

	if (!c->owed)
		return false;
	histogram_add(&w->counts.latency, w->now - *owed_time(w, c, c->taken - c->owed));
	w->counts.answered++;
	truth_answered(w, c);
	if (cfg->topics)
		w->counts.to_deliver += share_of(cfg->connections - cfg->active, cfg->topics,
						 c->index % cfg->topics);
	settle(w, c);
	return true;
}

/* A refusal may overtake answers, and says which request it is about; false: none of ours. */
static bool take_refusal(struct worker *w, struct conn *c)
{
	uint64_t first = c->taken - c->owed;
	uint64_t n = w->cfg->protocol == &protocol_push ? push_refused(&c->wire) : first;

	if (n < first || n >= c->taken || !*owed_time(w, c, n))
		return false;
	w->counts.refused++;
	*owed_time(w, c, n) = 0;
	if (n == first)
		settle(w, c);
	return true;
}

/* False if it was published at another time than this run. */
static bool take_delivery(struct worker *w, struct conn *c)
{
	uint64_t stamp_ns = push_stamp(&c->wire);

	if (stamp_ns > w->now || stamp_ns < w->run->start_ns)
		return false;
	w->alive_ns = w->now;
	w->counts.delivered++;
	histogram_add(&w->counts.delivery, w->now - stamp_ns);
	return true;
}

/* False if what came was no answer. */
static bool take_answers(struct worker *w, struct conn *c, enum parsed result)
{
	for (unsigned n = c->wire.earlier + (result == PARSED_ANSWER); n; n--)
		if (!take_answer(w, c))
			return false;
	c->wire.earlier = 0;
	if (result == PARSED_REFUSAL && !take_refusal(w, c))
		return false;
	w->alive_ns = w->counts.last_answer_ns = w->now;
	c->useful = true;
	return true;
}

/* Counts what was parsed; false if the connection is gone: it had its only answer, or garbage. */
static bool take(struct worker *w, struct conn *c, enum parsed result)
{
	bool delivery = result == PARSED_DELIVERY;

	if (result == PARSED_MORE)
		return true;
	if (result == PARSED_GARBAGE ||
	    !(delivery ? take_delivery(w, c) : take_answers(w, c, result))) {
		conn_lost(w, c, LOST_GARBLED);
		return false;
	}
	if (delivery || !w->cfg->conn_per_request)
		return true;
	conn_close(w, c, LOST_CLOSED);
	return false;
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
	const struct protocol *p = w->cfg->protocol;

	if (!p->end || take(w, c, p->end(&c->wire)))
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

/* Reads until nothing is left, or once if it is a slow reader. hangup: look for the end. */
static void read_all(struct worker *w, struct conn *c, bool hangup)
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
	flush(w, c);
	conn_offer(w, c);
}

static void established(struct worker *w, struct conn *c)
{
	const struct protocol *p = w->cfg->protocol;
	uint64_t opened_ns = c->node[Q_PROGRESS].due_ns - w->cfg->timeout_ns;

	c->state = CONN_OPEN;
	truth_open(w, c);
	w->counts.opened++;
	histogram_add(&w->counts.connect, w->now - opened_ns);
	if (p->open)
		p->open(&c->wire, &w->run->traffic, c->index);
	else
		c->wire.ready = true;
	if (c->wire.ready)
		conn_ready(w, c);
	flush(w, c);
}

void conn_event(struct worker *w, struct conn *c, uint32_t events)
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
		flush(w, c);
	}
	if (c->state == CONN_OPEN && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		read_all(w, c, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static void beat(struct worker *w, struct conn *c)
{
	if (!c->spoke)
		push_heartbeat(&c->wire);
	c->spoke = false;
	queue_add(w, Q_BEAT, c, w->now + c->wire.push.heartbeat_ms * 1000000ull / 2);
	flush(w, c);
}

void conn_timer(struct worker *w, struct conn *c, enum queue_kind kind)
{
	switch (kind) {
	case Q_PROGRESS:
		if (c->state == CONN_CONNECTING)
			conn_failed(w, c, ETIMEDOUT);
		else
			conn_lost(w, c, LOST_TIMEOUT);
		break;
	case Q_PIECE:
		flush(w, c);
		break;
	case Q_READ:
		if (c->readable)
			read_all(w, c, false);
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
