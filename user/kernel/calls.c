/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* calls.c - the tracepoints of single system calls: found in tracefs, attached by number. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/private.h"

#define TRACEFS "/sys/kernel/tracing"

/* What the ledger and the loops can't do without: as is_loop_call() on the kernel side. */
static const char *const loop_calls[] = {
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "accept", "accept4", "splice",
	"poll", "ppoll", "select", "pselect6",
};

#define LOOP_CALLS (sizeof(loop_calls) / sizeof(loop_calls[0]))

_Static_assert(LOOP_CALLS <= CALLS_MAX, "room for all calls");

static int read_id(const char *call, const char *side)
{
	char path[128], text[16] = "";
	int id = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), TRACEFS "/events/syscalls/sys_%s_%s/id", side, call);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fgets(text, sizeof(text), f))
		id = atoi(text);
	fclose(f);
	return id;
}

/* Architectures lack some of the calls: those are left out. */
static void read_ids(struct calls *c)
{
	c->n = 0;
	for (size_t i = 0; i < LOOP_CALLS; i++) {
		int enter = read_id(loop_calls[i], "enter"), exit = read_id(loop_calls[i], "exit");

		if (enter < 0 || exit < 0)
			continue;
		c->enter_id[c->n] = enter;
		c->exit_id[c->n] = exit;
		c->n++;
	}
}

/* A child mounts tracefs where only it sees it, reads the numbers, and ends. */
static void read_ids_privately(struct calls *c)
{
	struct calls theirs = { 0 };
	int fds[2], status;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC))
		return;
	child = fork();
	if (child == 0) {
		if (!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		    !mount("tracefs", TRACEFS, "tracefs", 0, NULL))
			read_ids(&theirs);
		_exit(write(fds[1], &theirs, sizeof(theirs)) == sizeof(theirs) ? 0 : 1);
	}
	close(fds[1]);
	if (child > 0) {
		if (read(fds[0], &theirs, sizeof(theirs)) == sizeof(theirs))
			*c = theirs;
		waitpid(child, &status, 0);
	}
	close(fds[0]);
}

int calls_find(struct calls *c)
{
	read_ids(c);
	if (!c->n)
		read_ids_privately(c);
	return c->n ? 0 : -ENOENT;
}

static struct bpf_link *attach_to(struct bpf_program *program, int id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	struct bpf_link *link;
	int fd, err;

	/* A program on a tracepoint runs on every processor, whichever the event names. */
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		err = errno;
		close(fd);
		errno = err;
	}
	return link;
}

int calls_attach(struct calls *c, struct epollscope_bpf *skel)
{
	for (unsigned i = 0; i < c->n; i++) {
		c->links[2 * i] = attach_to(skel->progs.on_call_exit, c->exit_id[i]);
		if (!c->links[2 * i])
			return -errno;
		c->links[2 * i + 1] = attach_to(skel->progs.on_call_enter, c->enter_id[i]);
		if (!c->links[2 * i + 1])
			return -errno;
	}
	return 0;
}

static void *destroy_link(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/*
 * Each link waits for every reader of its program and of its tracepoint to have left, 80 ms and
 * more: side by side the first of these waits are shared, and the whole takes half the time.
 */
void calls_detach_begin(struct calls *c)
{
	for (unsigned i = 0; i < 2 * CALLS_MAX; i++) {
		if (!c->links[i])
			continue;
		c->leaves[i] = !pthread_create(&c->threads[i], NULL, destroy_link, c->links[i]);
		if (!c->leaves[i])
			destroy_link(c->links[i]);
		c->links[i] = NULL;
	}
}

void calls_detach_end(struct calls *c)
{
	for (unsigned i = 0; i < 2 * CALLS_MAX; i++)
		if (c->leaves[i])
			pthread_join(c->threads[i], NULL);
	memset(c->leaves, 0, sizeof(c->leaves));
}
