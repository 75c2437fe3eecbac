/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* facts.c - see facts.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "explain/facts_private.h"
#include "symbols/process.h"
#include "target/proc.h"
#include "target/sockets.h"

/* Even a stripped Go binary keeps the table that its runtime unwinds with. */
bool facts_is_go(const char *path, bool *go)
{
	int fd = sym_open_regular(path);
	Elf *elf;

	*go = false;
	if (fd < 0)
		return false;
	if (!sym_elf_begin(fd, &elf)) {
		*go = sym_elf_section(elf, ".gopclntab");
		elf_end(elf);
	}
	close(fd);
	return true;
}

bool facts_runtime(uint32_t pid, bool *go)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	return facts_is_go(path, go);
}

static struct thread_cpu *thread_slot(struct facts *f, uint32_t tid)
{
	for (uint32_t i = 0; i < f->n_threads; i++)
		if (f->threads[i].tid == tid)
			return &f->threads[i];
	if (f->n_threads == FACTS_THREADS)
		return NULL;
	f->threads[f->n_threads] = (struct thread_cpu){ .tid = tid };
	return &f->threads[f->n_threads++];
}

/* At the beginning what each thread has used; at the end the difference. */
static void threads_of(struct facts *f, uint32_t pid, bool end)
{
	char path[64], text[128];
	uint32_t *tids = NULL;
	size_t n;

	if (proc_threads(pid, &tids, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		struct thread_cpu *t = thread_slot(f, tids[i]);

		snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", pid, tids[i]);
		if (t && proc_text(path, text, sizeof(text)))
			t->run_ns = strtoull(text, NULL, 10) - (end ? t->run_ns : 0);
	}
	free(tids);
}

/* The name of a thread of one of the processes; "" if it has gone. */
static void thread_comm(char comm[FACTS_COMM], const uint32_t *pids, size_t n, uint32_t tid)
{
	char path[64], text[FACTS_COMM + 1] = "";

	for (size_t i = 0; i < n && !text[0]; i++) {
		snprintf(path, sizeof(path), "/proc/%u/task/%u/comm", pids[i], tid);
		proc_text(path, text, sizeof(text));
	}
	text[strcspn(text, "\n")] = '\0';
	memcpy(comm, text, FACTS_COMM);
}

/* After threads_of() at the end. */
static void find_busiest(struct facts *f, const uint32_t *pids, size_t n)
{
	uint64_t least = UINT64_MAX;
	uint32_t last = 0;

	for (unsigned k = 0; k < FACTS_BUSIEST; k++) {
		const struct thread_cpu *most = NULL;

		for (const struct thread_cpu *t = f->threads; t < f->threads + f->n_threads; t++)
			if (t->run_ns <= least && t->tid != last &&
			    (!most || t->run_ns > most->run_ns))
				most = t;
		f->busiest[k] = 0;
		if (!most || !most->run_ns)
			continue;
		least = most->run_ns;
		last = f->busiest[k] = most->tid;
		thread_comm(f->busiest_comm + k * FACTS_COMM, pids, n, most->tid);
	}
}

/* --- how the eventpolls are armed, by /proc/PID/fdinfo: of so many, so much of each --- */

#define EVENTPOLLS	64
#define FDINFO_BYTES	(256 * 1024)
#define INODES		256	/* sockets that are watched without EPOLLEXCLUSIVE */
#define FIRST_ITEMS	64	/* a listener is among the first that an eventpoll was given */

struct watched {
	uint64_t inode;
	uint32_t eventpolls;	/* that watch it */
	uint32_t last;		/* number of the last of them */
};

struct look {
	struct facts *f;
	uint64_t closed[INODES];	/* sockets whose clients have closed: the first */
	size_t n_closed;
	uint32_t pid;		/* of the process whose descriptors are read */
	uint32_t eventpolls;
	struct watched watched[INODES];	/* the first */
	size_t n_watched;
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

static int add_closed(void *ctx, const struct socket_info *s)
{
	struct look *l = ctx;

	l->closed[l->n_closed++] = s->inode;
	return l->n_closed == INODES;
}

/* An event that stays until somebody closes the descriptor. */
static void look_at_closed(struct look *l, int fd, unsigned mask, uint64_t inode)
{
	bool lasting = (mask & (EPOLLIN | EPOLLRDHUP)) && !(mask & (EPOLLET | EPOLLONESHOT));

	for (size_t i = 0; i < l->n_closed && lasting; i++) {
		if (l->closed[i] != inode)
			continue;
		if (!l->f->eof_watched++) {
			l->f->eof_fd = (uint32_t)fd;
			l->f->eof_pid = l->pid;
		}
		return;
	}
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

/* Each line of fdinfo is as "tfd:       11 events:       19 data: ...". */
static void look_at_eventpoll(struct look *l, const char *fd_name)
{
	char path[64], line[256];
	unsigned item = 0, mask;
	uint64_t inode;
	FILE *info;
	int fd;

	if (++l->eventpolls > EVENTPOLLS)
		return;
	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%.16s", l->pid, fd_name);
	info = fopen(path, "re");
	if (!info)
		return;
	for (size_t n = 0; n < FDINFO_BYTES && fgets(line, sizeof(line), info); n += strlen(line)) {
		if (sscanf(line, "tfd: %d events: %x", &fd, &mask) != 2)
			continue;
		inode = item++ < FIRST_ITEMS || l->n_closed ? socket_inode(l->pid, fd) : 0;
		if (inode)
			look_at_closed(l, fd, mask, inode);
		if (inode && item <= FIRST_ITEMS && !(mask & EPOLLEXCLUSIVE))
			watch_inode(l, inode);
		l->f->out_watched++;
		if ((mask & EPOLLOUT) && !(mask & EPOLLET))
			l->f->out_armed++;
	}
	fclose(info);
}

static int look_at_descriptor(void *ctx, const char *fd, const char *link)
{
	struct look *l = ctx;
	uint64_t inode;

	if (sscanf(link, "socket:[%" SCNu64, &inode) == 1)
		listeners_own(l->f, inode, l->pid);
	else if (!strcmp(link, "anon_inode:[io_uring]"))
		l->f->io_uring = true;
	else if (!strcmp(link, "anon_inode:[eventpoll]"))
		look_at_eventpoll(l, fd);
	return 0;
}

/* Fills io_uring, out_*, eof_*, herd_waiters, and whose the listeners are. */
static void read_eventpolls(struct facts *f, const uint32_t *pids, size_t n)
{
	struct look l = { .f = f };

	if (n)
		sockets_in(pids[0], SOCKETS_CLOSE_WAIT, add_closed, &l);
	for (size_t i = 0; i < n; i++) {
		l.pid = pids[i];
		proc_descriptors(l.pid, look_at_descriptor, &l);
	}
}

/* --- both --- */

void facts_usage_begin(struct facts *f, const uint32_t *pids, size_t n)
{
	memset(f, 0, sizeof(*f));
	quotas_begin(&f->quotas, pids, n);
	listeners_begin(f, n ? pids[0] : 0);
	for (size_t i = 0; i < n; i++)
		threads_of(f, pids[i], false);
}

void facts_begin(struct facts *f, const uint32_t *pids, size_t n)
{
	bool go;

	facts_usage_begin(f, pids, n);
	for (size_t i = 0; i < n; i++)
		f->go = (facts_runtime(pids[i], &go) && go) || f->go;
}

void facts_usage_end(struct facts *f, const uint32_t *pids, size_t n)
{
	const struct quota_group *group = quotas_end(&f->quotas);

	if (group) {
		f->throttled = group->periods;
		f->throttled_ns = group->ns;
		snprintf(f->cgroup, sizeof(f->cgroup), "%s", group->path[0] ? group->path : "/");
	}
	for (size_t i = 0; i < n; i++)
		threads_of(f, pids[i], true);
	find_busiest(f, pids, n);
	listeners_end(f, n ? pids[0] : 0);
	f->known = n > 0;
	f->epoll_unread = true;
}

void facts_end(struct facts *f, const uint32_t *pids, size_t n)
{
	facts_usage_end(f, pids, n);
	f->epoll_unread = false;
	read_eventpolls(f, pids, n);
	listeners_keep(f);
}

uint64_t facts_cpu_ns(const struct facts *f, uint32_t tid)
{
	for (uint32_t i = 0; i < f->n_threads; i++)
		if (f->threads[i].tid == tid)
			return f->known ? f->threads[i].run_ns : 0;
	return 0;
}
