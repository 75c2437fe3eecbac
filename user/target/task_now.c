/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* task_now.c - see task_now.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "bpf/syscalls.h"
#include "target/proc.h"
#include "target/task_now.h"

#if defined(__x86_64__)
#define NUMBER(x86, arm) (x86)
#else
#define NUMBER(x86, arm) (arm)
#endif

static unsigned call_of(long nr)
{
#define ROW(id, name, x86, arm) NUMBER(x86, arm),
	static const int numbers[SC_COUNT] = { SYSCALLS(ROW) };
#undef ROW
	unsigned sc = 0;

	while (sc < SC_COUNT && (numbers[sc] < 0 || numbers[sc] != nr))
		sc++;
	return sc;
}

bool call_waits(long nr)
{
	unsigned sc = call_of(nr);

	return sc <= SC_EPOLL_PWAIT2 || (sc >= SC_POLL && sc <= SC_PSELECT6);
}

bool call_is_lock(long nr)
{
	return call_of(nr) == SC_FUTEX;
}

long task_call_parse(const char *text)
{
	char *end;
	long nr;

	if (!strncmp(text, "running", 7))
		return TASK_RUNS;
	nr = strtol(text, &end, 10);
	return end == text ? TASK_UNKNOWN : nr < 0 ? TASK_SLEEPS : nr;
}

long task_call(uint32_t pid, uint32_t tid)
{
	char path[64], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/syscall", pid, tid);
	f = fopen(path, "re");
	if (!f)
		return TASK_UNKNOWN;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return task_call_parse(text);
}

/* --- what is unread --- */

struct inodes {
	uint64_t *list;
	size_t n, room;
	bool eventpoll;
};

static int note_descriptor(void *ctx, const char *fd, const char *link)
{
	struct inodes *in = ctx;

	(void)fd;
	if (!strcmp(link, "anon_inode:[eventpoll]"))
		in->eventpoll = true;
	if (strncmp(link, "socket:[", 8) ||
	    array_reserve(&in->list, &in->room, in->n + 1, sizeof(*in->list)))
		return 0;
	in->list[in->n++] = strtoull(link + 8, NULL, 10);
	return 0;
}

static int inode_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

#define STATE_ESTABLISHED 1

/* "  sl  local rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ..." */
static void count_unread(uint32_t pid, const char *family, const struct inodes *in,
			 struct unread *u)
{
	unsigned state, unread;
	char path[64], line[512];
	uint64_t inode;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/net/%s", pid, family);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %x %*x:%x %*s %*s %*s %*s %lu", &state, &unread,
			   &inode) != 3)
			continue;
		if (state == STATE_ESTABLISHED && unread && in->n &&
		    bsearch(&inode, in->list, in->n, sizeof(inode), inode_order))
			u->connections++;
	}
	fclose(f);
}

int unread_look(uint32_t pid, struct unread *u)
{
	struct inodes in = { 0 };
	int err = proc_descriptors(pid, note_descriptor, &in);

	*u = (struct unread){ .eventpoll = in.eventpoll };
	if (!err && in.n) {
		qsort(in.list, in.n, sizeof(*in.list), inode_order);
		count_unread(pid, "tcp", &in, u);
		count_unread(pid, "tcp6", &in, u);
	}
	free(in.list);
	return err;
}
