/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* facts_epoll.c - see facts_epoll.h. Bounded: so many eventpolls, so much of each. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "explain/facts_epoll.h"
#include "target/proc.h"

#define EVENTPOLLS	64
#define FDINFO_BYTES	(256 * 1024)
#define INODES		256	/* sockets that are watched without EPOLLEXCLUSIVE, first of each */
#define FIRST_ITEMS	64	/* a listener is among the first that an eventpoll was given */

struct watched {
	uint64_t inode;
	uint32_t eventpolls;	/* that watch it */
	uint32_t last;		/* number of the last of them */
};

struct look {
	struct facts *f;
	uint32_t pid;		/* of the process whose descriptors are read */
	uint32_t eventpolls;
	struct watched watched[INODES];
	size_t n_watched;
	char text[FDINFO_BYTES];
};

static uint64_t socket_inode(uint32_t pid, int fd)
{
	char path[64], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return 0;
	link[n] = '\0';
	return strncmp(link, "socket:[", 8) ? 0 : strtoull(link + 8, NULL, 10);
}

static void watch_inode(struct look *l, uint64_t inode)
{
	size_t i = 0;

	while (i < l->n_watched && l->watched[i].inode != inode)
		i++;
	if (i == INODES)
		return;
	if (i == l->n_watched)
		l->watched[l->n_watched++] = (struct watched){ .inode = inode };
	if (l->watched[i].last == l->eventpolls)
		return;
	l->watched[i].last = l->eventpolls;
	l->watched[i].eventpolls++;
	if (l->watched[i].eventpolls > 1 && l->watched[i].eventpolls > l->f->herd_waiters)
		l->f->herd_waiters = l->watched[i].eventpolls;
}

/* A line of fdinfo: "tfd:       11 events:       19 data: ...". */
static void look_at_items(struct look *l)
{
	const char *at = l->text;
	unsigned item = 0, mask;
	uint64_t inode;
	int fd;

	while ((at = strstr(at, "tfd:"))) {
		if (sscanf(at, "tfd: %d events: %x", &fd, &mask) == 2) {
			inode = item < FIRST_ITEMS ? socket_inode(l->pid, fd) : 0;
			if (inode && !(mask & EPOLLEXCLUSIVE))
				watch_inode(l, inode);
			l->f->out_watched++;
			if ((mask & EPOLLOUT) && !(mask & EPOLLET))
				l->f->out_armed++;
			item++;
		}
		at += 4;
	}
}

static void look_at_eventpoll(struct look *l, const char *fd_name)
{
	size_t used = 0;
	char path[64];
	ssize_t n;
	int fd;

	if (++l->eventpolls > EVENTPOLLS)
		return;
	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%.16s", l->pid, fd_name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (used < FDINFO_BYTES - 1 &&
	       (n = read(fd, l->text + used, FDINFO_BYTES - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	l->text[used] = '\0';
	look_at_items(l);
}

static int look_at_descriptor(void *ctx, const char *fd, const char *link)
{
	struct look *l = ctx;

	if (!strcmp(link, "anon_inode:[io_uring]"))
		l->f->io_uring = true;
	else if (!strcmp(link, "anon_inode:[eventpoll]"))
		look_at_eventpoll(l, fd);
	return 0;
}

void facts_epoll(struct facts *f, const uint32_t *pids, size_t n)
{
	struct look *l = calloc(1, sizeof(*l));

	if (!l)
		return;
	l->f = f;
	for (size_t i = 0; i < n; i++) {
		l->pid = pids[i];
		proc_descriptors(l->pid, look_at_descriptor, l);
	}
	free(l);
}
