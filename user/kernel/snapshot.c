/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* snapshot.c - runs the iterators: the sockets of before, the answers still open at the end. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/private.h"

/* An iterator does its work while it is read; ours print nothing. */
static int run_iterator(struct bpf_link **link, struct bpf_program *program)
{
	char sink[256];
	ssize_t n;
	int fd;

	if (!*link)
		*link = bpf_program__attach_iter(program, NULL);
	if (!*link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(*link));
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, sink, sizeof(sink));
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

static int open_netns(uint32_t pid, ino_t *inode)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st))
		*inode = st.st_ino;
	return fd;
}

/* The TCP iterator sees one network namespace: once for each of the targets' own. */
static int run_in_namespaces(struct bpf_link **link, struct bpf_program *program,
			     const uint32_t *pids, size_t n)
{
	ino_t home_inode = 0, inode = 0, last = 0;
	int home = open_netns(getpid(), &home_inode);
	int err = run_iterator(link, program);

	for (size_t i = 0; i < n && home >= 0; i++) {
		int fd = open_netns(pids[i], &inode);

		if (fd < 0)
			continue;
		if (inode != home_inode && inode != last && !setns(fd, CLONE_NEWNET)) {
			run_iterator(link, program);
			last = inode;
		}
		close(fd);
	}
	if (last && setns(home, CLONE_NEWNET))
		err = -errno;
	if (home >= 0)
		close(home);
	return err;
}

int snapshot_listeners(struct session *s)
{
	if (!s->features.used[FEATURE_SNAPSHOT])
		return 0;
	s->skel->bss->control.snapshot_pass = SNAPSHOT_LISTENERS;
	return run_iterator(&s->task_file, s->skel->progs.on_task_file);
}

int session_snapshot(struct session *s, const uint32_t *pids, size_t n)
{
	int err;

	if (!s->features.used[FEATURE_SNAPSHOT])
		return 0;
	err = snapshot_listeners(s);
	s->skel->bss->control.snapshot_pass = SNAPSHOT_CONNS;
	if (!err)
		err = run_iterator(&s->task_file, s->skel->progs.on_task_file);
	if (!err)
		err = run_in_namespaces(&s->tcp, s->skel->progs.on_tcp, pids, n);
	return err;
}

void session_queues(const struct session *s, queue_fn fn, void *ctx)
{
	const struct bpf_map *map = s->skel->maps.queue_firsts;
	size_t room = bpf_map__max_entries(map);
	uint64_t inode, *prev = NULL;
	struct queue_first first;

	for (; room-- && !bpf_map_get_next_key(bpf_map__fd(map), prev, &inode); prev = &inode)
		if (!bpf_map_lookup_elem(bpf_map__fd(map), &inode, &first) && first.end_ns)
			fn(ctx, inode, first.end_ns, first.attach_ns == first.end_ns);
}

/* Accepted and taken since, over all sets. */
static uint64_t accepts_taken(const struct session *s, uint64_t *waiting)
{
	uint64_t left = 0, taken = 0;

	for (unsigned set = 0; set < s->sets; set++) {
		taken += s->counters[set].accepts_taken;
		left += s->counters[set].accepts_left;
	}
	*waiting = left > taken ? left - taken : 0;
	return taken;
}

int session_make_room(struct session *s, const uint32_t *pids, size_t n)
{
	uint64_t waiting, later, taken = accepts_taken(s, &waiting);
	int err;

	if (!s->features.used[FEATURE_SNAPSHOT] || waiting < s->accepts_stuck + ACCEPTS_MAX / 2)
		return 0;
	s->skel->bss->control.snapshot_pass = SNAPSHOT_ACCEPTED;
	err = run_in_namespaces(&s->flush, s->skel->progs.on_flush, pids, n);
	taken = accepts_taken(s, &later) - taken;
	s->accepts_stuck = waiting > taken ? waiting - taken : 0;
	return err;
}

int session_flush(struct session *s, const uint32_t *pids, size_t n)
{
	if (!s->features.used[FEATURE_SNAPSHOT])
		return 0;
	s->skel->bss->control.snapshot_pass = SNAPSHOT_END;
	return run_in_namespaces(&s->flush, s->skel->progs.on_flush, pids, n);
}
