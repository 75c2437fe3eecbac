/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* truth.c - see truth.h. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tools/clock.h"
#include "truth.h"

struct stamps {
	uint64_t first_before_ns, first_after_ns, last_before_ns, last_after_ns;
	uint32_t number;
	uint16_t port;
};

static struct stamps *stamps_of(struct worker *w, const struct conn *c)
{
	return &w->stamps[c - w->conns];
}

int truth_init(struct worker *w)
{
	if (!w->run->truth)
		return 0;
	w->stamps = calloc(w->n_conns, sizeof(*w->stamps));
	return w->stamps ? 0 : -ENOMEM;
}

void truth_open(struct worker *w, const struct conn *c)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { .v4 = { 0 } };
	socklen_t len = sizeof(a);

	if (!w->stamps)
		return;
	getsockname(c->fd, &a.any, &len);
	/* The port is at the same place in both. */
	*stamps_of(w, c) = (struct stamps){ .port = ntohs(a.v4.sin_port) };
}

ssize_t truth_send(struct worker *w, const struct conn *c, const void *from, size_t n)
{
	struct stamps *s;
	ssize_t done;

	if (!w->stamps)
		return send(c->fd, from, n, MSG_NOSIGNAL);
	s = stamps_of(w, c);
	s->last_before_ns = now_ns();
	done = send(c->fd, from, n, MSG_NOSIGNAL);
	s->last_after_ns = now_ns();
	if (c->pos % w->run->traffic.request_size == 0) {
		s->first_before_ns = s->last_before_ns;
		s->first_after_ns = s->last_after_ns;
	}
	return done;
}

/* One call of stdio for each line: threads share the file. */
void truth_answered(struct worker *w, const struct conn *c)
{
	struct stamps *s;

	if (!w->stamps)
		return;
	s = stamps_of(w, c);
	fprintf(w->run->truth, "%u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		s->port, ++s->number, s->first_before_ns, s->first_after_ns, s->last_before_ns,
		s->last_after_ns, w->now);
}
