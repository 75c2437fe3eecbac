/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * poller.h - epoll, poll or select behind one interface, in epoll's words.
 *
 * All give struct epoll_event with data.ptr the watch that was added. Only epoll knows EPOLLET,
 * EPOLLONESHOT and EPOLLEXCLUSIVE. Functions return 0 or a negative errno.
 */
#ifndef POLLER_H
#define POLLER_H

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>

enum backend { BACKEND_EPOLL, BACKEND_POLL, BACKEND_SELECT };

/* The first member of whatever is watched; its owner sets fd and kind. */
struct watch {
	int fd;
	uint32_t slot;		/* poll and select: where it is in the table */
	uint32_t events;	/* that it is watched for now */
	uint8_t kind;
};

struct poller {
	enum backend backend;
	int epoll;
	struct pollfd *fds;	/* poll, select: a table of count, with the watches beside it */
	struct watch **watches;
	uint32_t count, room, turn;
};

int poller_open(struct poller *p, enum backend backend);
int poller_add(struct poller *p, struct watch *w, uint32_t events);
int poller_change(struct poller *p, struct watch *w, uint32_t events);
void poller_remove(struct poller *p, struct watch *w);
/* Waits for timeout_ms (-1: for ever, 0: not at all). Returns how many events, at most max. */
int poller_wait(struct poller *p, struct epoll_event *events, int max, int timeout_ms);

#endif
