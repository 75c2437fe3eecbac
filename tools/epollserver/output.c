/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.c - an exchange's answer: composed, struck by the faults of answers, stamped, and sent: at
 * once what the socket takes, the rest when it is ready for more.
 */
#include "suffer.h"

#include "tools/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#define OUTPUT_LEAST 512

/* Faults that strike an answer. */
#define OF_ANSWERS (FAULT_BIT(FAULT_CTL_MOD) | FAULT_BIT(FAULT_SMALL_WRITES) | \
		    FAULT_BIT(FAULT_OTHER_THREAD) | FAULT_BIT(FAULT_SLOW_DRAIN))

/* Room for bytes more; false: no memory. */
static bool output_room(struct loop *l, struct conn *c, size_t bytes)
{
	struct output *old = c->out, *o;
	size_t held = old ? old->fill - old->head : 0, room = held + bytes;

	if (old && old->room - old->fill >= bytes)
		return true;
	room = room * 2 < OUTPUT_LEAST ? OUTPUT_LEAST : room * 2;
	o = memory_alloc(l->stats, sizeof(*o) + room);
	if (!o)
		return false;
	*o = (struct output){ .conn = c, .room = room, .fill = held };
	o->timer.fire = l->calls->drained;
	if (old) {
		o->file_at = old->file_at;
		o->file_end = old->file_end;
		o->unsent = old->unsent;
		o->record = old->record;
		memcpy(o->bytes, old->bytes + old->head, held);
		if (old->timer.place)
			timer_set(&l->timers, &o->timer, old->timer.at_ns);
		timer_cancel(&l->timers, &old->timer);
		memory_free(l->stats, old);
	}
	c->out = o;
	return true;
}

/* An exchange has got the first byte of its answer. */
static void answered(struct loop *l, struct record *r, uint64_t send_ns)
{
	if (!l->truth)
		return;
	r->send_ns = send_ns;
	r->answered_ns = now_ns();
	truth_add(l->truth, r);
}

/* Returns the bytes that the socket took, 0 if it takes none now, -1 if it is broken. */
static ssize_t send_some(struct loop *l, struct conn *c, const void *data, size_t bytes, bool more)
{
	ssize_t n = send(c->watch.fd, data, bytes, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

	if (n < 0)
		n = errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n >= 0 && (size_t)n < bytes)
		stat_add(&l->stats->blocked_sends, 1);
	if (n > 0)
		stat_add(&l->stats->bytes_out, (uint64_t)n);
	return n;
}

/* The first byte is stamped in r, if that is not NULL. The small-writes fault sends in pieces. */
static ssize_t send_first(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes,
	bool more, struct record *r)
{
	bool small = r && r->fault & FAULT_BIT(FAULT_SMALL_WRITES);
	size_t piece = small ? l->cfg->faults[FAULT_SMALL_WRITES].amount : bytes, done = 0, part;

	do {
		uint64_t before = l->truth ? now_ns() : 0;
		ssize_t n;

		part = bytes - done < piece ? bytes - done : piece;
		n = send_some(l, c, data + done, part, more && !small);
		if (n < 0)
			return -1;
		if (n > 0 && done == 0 && r)
			answered(l, r, before);
		done += (size_t)n;
		part -= (size_t)n;
	} while (!part && done < bytes);
	return (ssize_t)done;
}

static bool keep(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes,
	off_t file_bytes)
{
	if (!output_room(l, c, bytes))
		return false;
	memcpy(c->out->bytes + c->out->fill, data, bytes);
	c->out->fill += bytes;
	if (file_bytes) {
		c->out->file_at = 0;
		c->out->file_end = file_bytes;
	}
	return true;
}

/*
 * Sends, or keeps what the socket does not take; false: the connection is broken. r is the exchange
 * that this answers, whose first byte is stamped in it; NULL: none. file_bytes of the file follow.
 */
static bool output_send(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes,
	off_t file_bytes, struct record *r)
{
	bool slow = r && r->fault & FAULT_BIT(FAULT_SLOW_DRAIN) && bytes > 1;
	ssize_t n = 0;

	if (!c->out)
		n = send_first(l, c, data, slow ? bytes / 2 : bytes, file_bytes > 0, r);
	if (n < 0)
		return false;
	if ((size_t)n == bytes && !file_bytes)
		return true;
	if (!keep(l, c, data + n, bytes - (size_t)n, file_bytes))
		return false;
	if (n == 0 && r) {
		c->out->unsent = true;
		c->out->record = *r;
	}
	if (slow) {
		c->drain = 1;
		timer_set(&l->timers, &c->out->timer,
			now_ns() + l->cfg->faults[FAULT_SLOW_DRAIN].amount);
		return true;
	}
	return file_bytes && (size_t)n == bytes ? output_flush(l, c) : true;
}

/* False if it is broken; comes back when the file is through or the socket takes no more. */
static bool send_file(struct loop *l, struct conn *c, struct output *o)
{
	while (o->file_at < o->file_end) {
		ssize_t n = sendfile(c->watch.fd, l->server->file, &o->file_at,
				(size_t)(o->file_end - o->file_at));

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return false;	/* it has become shorter, its length was promised */
		stat_add(&l->stats->bytes_out, (uint64_t)n);
	}
	return true;
}

bool output_flush(struct loop *l, struct conn *c)
{
	struct output *o = c->out;
	ssize_t n = 0;

	if (o->head < o->fill) {
		n = send_first(l, c, o->bytes + o->head, o->fill - o->head,
			o->file_end > o->file_at, o->unsent ? &o->record : NULL);
		if (n < 0)
			return false;
		o->unsent = o->unsent && n == 0;
		o->head += (size_t)n;
	}
	if (o->head < o->fill)
		return true;
	if (!send_file(l, c, o))
		return false;
	if (o->file_at == o->file_end)
		conn_drop_output(l, c);
	return true;
}

bool reply_add(struct loop *l, const void *data, size_t bytes)
{
	struct reply *r = &l->reply;
	size_t room = r->room ? r->room : 4096;
	uint8_t *p;

	while (room < r->fill + bytes)
		room *= 2;
	if (room != r->room) {
		p = realloc(r->bytes, room);
		if (!p)
			return false;
		r->bytes = p;
		r->room = room;
	}
	memcpy(r->bytes + r->fill, data, bytes);
	r->fill += bytes;
	return true;
}

void answer_send(struct loop *l, struct conn *c, const void *data, size_t bytes, off_t file_bytes,
	struct record *r)
{
	uint32_t hits = r && l->faults.any ? faults_strike(&l->faults, OF_ANSWERS, c->serial) : 0;
	uint64_t mods = hits & FAULT_BIT(FAULT_CTL_MOD) ? l->cfg->faults[FAULT_CTL_MOD].amount : 0;

	while (mods-- > 0)
		poller_change(&l->poller, &c->watch, c->watch.events);
	if (hits & FAULT_BIT(FAULT_OTHER_THREAD)) {
		/* The helper sends all at once, but no file. */
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

void answer_next(struct conn *c, struct record *r, uint32_t messages)
{
	r->port = c->port;
	r->number = ++c->number;
	r->accept_ns = c->accept_ns;
	r->messages = messages;
	r->fault |= c->hits;
	c->hits &= ~(FAULT_BIT(FAULT_ACCEPT_ONE) | FAULT_BIT(FAULT_ACCEPT_PAUSE) |
		     FAULT_BIT(FAULT_UNDRAINED));
}

void answer_exchange(struct loop *l, struct conn *c, const void *data, size_t bytes,
	uint32_t messages, off_t file_bytes)
{
	struct record *r = &l->exchange;

	stat_add(&l->stats->exchanges, 1);
	stat_add(&l->stats->messages, messages);
	answer_next(c, r, messages);
	r->bytes = bytes + (size_t)file_bytes;
	answer_send(l, c, data, bytes, file_bytes, r);
	r->fault = 0;
}
