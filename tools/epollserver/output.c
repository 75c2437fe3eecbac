/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.c - sending: at once what the socket takes, the rest when it is ready for more.
 */
#include "output.h"

#include "tools/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#define OUTPUT_LEAST 512

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
	o->timer.fire = l->conns->drained;
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

/* The small-writes fault: in pieces, until the socket takes no more. */
static ssize_t send_pieces(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes,
	struct record *r)
{
	size_t piece = l->cfg->faults[FAULT_SMALL_WRITES].amount, done = 0;

	while (done < bytes) {
		size_t part = bytes - done < piece ? bytes - done : piece;
		uint64_t before = l->truth ? now_ns() : 0;
		ssize_t n = send_some(l, c, data + done, part, false);

		if (n < 0)
			return -1;
		if (n > 0 && done == 0)
			answered(l, r, before);
		done += (size_t)n;
		if ((size_t)n < part)
			break;
	}
	return (ssize_t)done;
}

static ssize_t send_first(struct loop *l, struct conn *c, const void *data, size_t bytes, bool more,
	struct record *r)
{
	uint64_t before = l->truth ? now_ns() : 0;
	ssize_t n;

	if (r && r->fault & FAULT_BIT(FAULT_SMALL_WRITES))
		return send_pieces(l, c, data, bytes, r);
	n = send_some(l, c, data, bytes, more);
	if (n > 0 && r)
		answered(l, r, before);
	return n;
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

bool output_send(struct loop *l, struct conn *c, const void *data, size_t bytes, off_t file_bytes,
	struct record *r)
{
	bool slow = r && r->fault & FAULT_BIT(FAULT_SLOW_DRAIN) && bytes > 1;
	ssize_t n = 0;

	if (!c->out)
		n = send_first(l, c, data, slow ? bytes / 2 : bytes, file_bytes > 0, r);
	if (n < 0)
		return false;
	if ((size_t)n == bytes && !file_bytes)
		return true;
	if (!keep(l, c, (const uint8_t *)data + n, bytes - (size_t)n, file_bytes))
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
