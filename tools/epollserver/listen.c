/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * listen.c - listeners, accept4 until there is nobody left, and who gets the connection.
 */
#include "listen.h"

#include "conn.h"
#include "tools/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_ROOM_NS 100000000u	/* no descriptors or memory: others get time to close */

struct listener {
	struct watch watch;	/* fd is -1 if another loop accepts for this one */
	struct timer timer;	/* of a pause */
	uint32_t hits;		/* faults of the next accept, as bits */
	uint32_t serial;	/* connections handed over */
	_Atomic uint64_t coming;	/* connections that are on their way to this loop */
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

int listen_socket(struct config *cfg)
{
	union address a = { .v4 = { .sin_family = AF_INET } };
	socklen_t len = sizeof(a.v4);
	int one = 1, fd, rc;

	if (inet_pton(AF_INET, cfg->address, &a.v4.sin_addr) != 1) {
		a.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
		len = sizeof(a.v6);
		if (inet_pton(AF_INET6, cfg->address, &a.v6.sin6_addr) != 1)
			return -EINVAL;
	}
	a.v4.sin_port = htons((uint16_t)cfg->port);	/* at the same place in sockaddr_in6 */
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (cfg->share == SHARE_REUSEPORT)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, &a.any, len) || listen(fd, (int)cfg->backlog)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	getsockname(fd, &a.any, &len);
	cfg->port = ntohs(a.v4.sin_port);
	return fd;
}

/*
 * The listener is added and removed, since EPOLLEXCLUSIVE allows no modification. Once the loop is
 * stopping it is off for good.
 */
void listen_watch(struct loop *l, bool on)
{
	uint32_t exclusive = l->cfg->share == SHARE_EXCLUSIVE ? EPOLLEXCLUSIVE : 0;
	struct watch *w = &l->listener->watch;

	if (w->fd < 0)
		return;
	if (on) {
		poller_add(&l->poller, w, EPOLLIN | exclusive);
	} else if (w->events) {
		poller_remove(&l->poller, w);
		w->events = 0;
	}
	if (l->stopping) {
		listen_ready(l, w, 0);
		shutdown(w->fd, SHUT_RDWR);
	}
}

static void again(struct loop *l, struct timer *t)
{
	(void)t;
	if (!l->stopping)
		listen_watch(l, true);
	l->listener->hits |= FAULT_BIT(FAULT_ACCEPT_PAUSE);	/* this turn has had its pause */
	listen_ready(l, &l->listener->watch, 0);
	l->listener->hits = 0;
}

static void accept_later(struct loop *l, uint64_t ns)
{
	listen_watch(l, false);
	timer_set(&l->timers, &l->listener->timer, now_ns() + ns);
}

/* The loop with the fewest connections; by load, with the fewest for its idle time. */
static struct loop *least(struct server *s, bool by_load)
{
	struct loop *best = NULL;
	uint64_t best_cost = 0;

	for (size_t i = 0; i < s->n_workers; i++) {
		struct loop *l = s->loops[i];
		uint64_t cost = stat_get(&l->stats->open) + stat_get(&l->listener->coming) + 1;

		if (by_load)
			cost *= 50 + atomic_load_explicit(&l->load, memory_order_relaxed);
		if (!best || cost < best_cost) {
			best = l;
			best_cost = cost;
		}
	}
	return best;
}

static struct loop *whose(struct loop *l)
{
	struct server *s = l->server;

	if (fault_strikes(&l->faults, FAULT_UNBALANCED, l->listener->serial)) {
		l->listener->hits |= FAULT_BIT(FAULT_UNBALANCED);
		return s->loops[0];
	}
	if (l->cfg->spread == SPREAD_RR)
		return s->loops[l->listener->serial % s->n_workers];
	return least(s, l->cfg->spread == SPREAD_WEIGHTED);
}

static void hand_over(struct loop *l, int fd, uint16_t port, uint64_t accept_ns)
{
	struct listener *in = l->listener;
	struct loop *to;
	uint64_t hits;

	in->serial++;
	to = whose(l);
	hits = in->hits;
	in->hits &= ~FAULT_BIT(FAULT_UNBALANCED);
	atomic_fetch_add_explicit(&to->listener->coming, 1, memory_order_relaxed);
	/* 24 bits, 16 (bits of accept faults are low) and 16; see listen_handed(). */
	if (loop_mail(l, to, MAIL_CONN, (void *)(uintptr_t)accept_ns,
			(uint64_t)fd << 32 | hits << 16 | port)) {
		stat_add(&l->stats->handed, 1);
		return;
	}
	atomic_fetch_sub_explicit(&to->listener->coming, 1, memory_order_relaxed);
	stat_add(&l->stats->accept_failed, 1);
	close(fd);
}

static void take_in(struct loop *l, int fd, uint16_t port, uint64_t accept_ns, uint32_t hits)
{
	struct conn *c = conn_new(l, fd, port, accept_ns, hits);

	if (c && l->stopping)	/* as all others were when the loop began to stop */
		input_ready(l, &c->watch, EPOLLIN);
}

void listen_handed(struct loop *l, void *accept_ns, uint64_t word)
{
	atomic_fetch_sub_explicit(&l->listener->coming, 1, memory_order_relaxed);
	take_in(l, (int)(word >> 32), (uint16_t)word, (uintptr_t)accept_ns, (uint16_t)(word >> 16));
}

static void accepted(struct loop *l, int fd, const union address *peer)
{
	struct server *s = l->server;
	const struct config *cfg = l->cfg;
	uint16_t port = ntohs(peer->v4.sin_port);
	int one = 1, idle = (int)cfg->keepalive_s, every = idle > 3 ? idle / 3 : 1;

	if (!cfg->faults[FAULT_SMALL_WRITES].on)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (idle) {
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	}
	if (l->index < s->n_workers)
		take_in(l, fd, port, now_ns(), l->listener->hits);
	else
		hand_over(l, fd, port, now_ns());
}

void listen_ready(struct loop *l, struct watch *w, uint32_t events)
{
	struct listener *in = l->listener;
	bool one_only = fault_strikes(&l->faults, FAULT_ACCEPT_ONE, 1);
	union address peer;

	(void)events;
	if (!l->stopping && !in->hits && fault_strikes(&l->faults, FAULT_ACCEPT_PAUSE, 1)) {
		accept_later(l, l->cfg->faults[FAULT_ACCEPT_PAUSE].amount);
		return;
	}
	if (one_only)
		in->hits |= FAULT_BIT(FAULT_ACCEPT_ONE);
	do {
		socklen_t len = sizeof(peer);
		int fd = accept4(w->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			accepted(l, fd, &peer);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			stat_add(&l->stats->accept_failed, 1);
			if (!l->stopping)
				accept_later(l, NO_ROOM_NS);
			break;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			break;
		}
	} while (!one_only);
	in->hits &= ~FAULT_BIT(FAULT_ACCEPT_ONE);
}

int listen_open(struct loop *l, int fd)
{
	l->listener = calloc(1, sizeof(*l->listener));
	if (!l->listener)
		return -1;
	l->listener->watch = (struct watch){ .fd = fd, .kind = WATCH_LISTENER };
	l->listener->timer.fire = again;
	return 0;
}
