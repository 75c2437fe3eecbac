/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "poller.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int poller_open(struct poller *p, enum backend backend)
{
	*p = (struct poller){ .backend = backend, .epoll = -1 };
	if (backend != BACKEND_EPOLL)
		return 0;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	return p->epoll < 0 ? -errno : 0;
}

static int ctl(struct poller *p, int op, struct watch *w, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };

	return epoll_ctl(p->epoll, op, w->fd, &e) ? -errno : 0;
}

static int table_grow(struct poller *p)
{
	uint32_t room = p->room ? p->room * 2 : 64;
	struct pollfd *fds = realloc(p->fds, room * sizeof(*fds));
	struct watch **watches;

	if (!fds)
		return -ENOMEM;
	p->fds = fds;
	watches = realloc(p->watches, room * sizeof(*watches));
	if (!watches)
		return -ENOMEM;
	p->watches = watches;
	p->room = room;
	return 0;
}

int poller_add(struct poller *p, struct watch *w, uint32_t events)
{
	w->events = events;
	if (p->backend == BACKEND_EPOLL)
		return ctl(p, EPOLL_CTL_ADD, w, events);
	if (p->backend == BACKEND_SELECT && w->fd >= FD_SETSIZE)
		return -EMFILE;
	if (p->count == p->room && table_grow(p))
		return -ENOMEM;
	w->slot = p->count++;
	p->fds[w->slot] = (struct pollfd){ .fd = w->fd, .events = (short)events };
	p->watches[w->slot] = w;
	return 0;
}

int poller_change(struct poller *p, struct watch *w, uint32_t events)
{
	w->events = events;
	if (p->backend == BACKEND_EPOLL)
		return ctl(p, EPOLL_CTL_MOD, w, events);
	p->fds[w->slot].events = (short)events;
	return 0;
}

void poller_remove(struct poller *p, struct watch *w)
{
	if (p->backend == BACKEND_EPOLL) {
		ctl(p, EPOLL_CTL_DEL, w, 0);
		return;
	}
	p->count--;
	p->fds[w->slot] = p->fds[p->count];
	p->watches[w->slot] = p->watches[p->count];
	p->watches[w->slot]->slot = w->slot;
}

/* Round the table from where the last wait ended, so that nobody starves when max is reached. */
static uint32_t next(struct poller *p)
{
	p->turn = p->turn + 1 < p->count ? p->turn + 1 : 0;
	return p->turn;
}

/* The low bits of EPOLLIN, OUT, ERR, HUP and RDHUP are those of poll. */
static int poll_wait(struct poller *p, struct epoll_event *events, int max, int timeout_ms)
{
	int left = poll(p->fds, p->count, timeout_ms), n = 0;

	for (uint32_t i = 0; i < p->count && left > 0 && n < max; i++) {
		uint32_t at = next(p);

		if (!p->fds[at].revents)
			continue;
		left--;
		events[n].events = (uint16_t)p->fds[at].revents;
		events[n++].data.ptr = p->watches[at];
	}
	return n;
}

static int select_wait(struct poller *p, struct epoll_event *events, int max, int timeout_ms)
{
	struct timeval t = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int top = -1, left, n = 0;
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	for (uint32_t i = 0; i < p->count; i++) {
		if (p->fds[i].events & POLLIN)
			FD_SET(p->fds[i].fd, &in);
		if (p->fds[i].events & POLLOUT)
			FD_SET(p->fds[i].fd, &out);
		top = p->fds[i].fd > top ? p->fds[i].fd : top;
	}
	left = select(top + 1, &in, &out, NULL, timeout_ms < 0 ? NULL : &t);
	for (uint32_t i = 0; i < p->count && left > 0 && n < max; i++) {
		uint32_t at = next(p);
		uint32_t got = (FD_ISSET(p->fds[at].fd, &in) ? EPOLLIN : 0u) |
			(FD_ISSET(p->fds[at].fd, &out) ? EPOLLOUT : 0u);

		if (!got)
			continue;
		left--;
		events[n].events = got;
		events[n++].data.ptr = p->watches[at];
	}
	return n;
}

int poller_wait(struct poller *p, struct epoll_event *events, int max, int timeout_ms)
{
	int n;

	if (p->backend == BACKEND_POLL)
		return poll_wait(p, events, max, timeout_ms);
	if (p->backend == BACKEND_SELECT)
		return select_wait(p, events, max, timeout_ms);
	n = epoll_wait(p->epoll, events, max, timeout_ms);
	return n < 0 ? 0 : n;
}
