// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* forget.c - entries of processes that have ended, for a watch that lasts for ever. */
#include "kernel/private.h"
#include "bpf/state.h"

/* Many entries of one process follow each other at times: asking /proc is the dear part. */
struct asked {
	bool (*runs)(uint32_t pid);
	uint32_t pid;
	bool answer;
};

static bool runs(struct asked *a, uint32_t pid)
{
	if (pid != a->pid) {
		a->pid = pid;
		a->answer = a->runs(pid);
	}
	return a->answer;
}

static void forget_eventpolls(const struct session *s, struct asked *asked)
{
	const struct bpf_map *map = s->skel->maps.eventpolls;
	size_t room = bpf_map__max_entries(map);
	int fd = bpf_map__fd(map);
	struct eventpoll_state e;
	__u64 key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	for (; more && room; room--) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!bpf_map_lookup_elem(fd, &key, &e) && e.pid && !runs(asked, e.pid))
			bpf_map_delete_elem(fd, &key);
	}
}

static void forget_wakers(const struct session *s, struct asked *asked)
{
	const struct bpf_map *map = s->skel->maps.wakers;
	size_t room = bpf_map__max_entries(map);
	int fd = bpf_map__fd(map);
	uint32_t key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	for (; more && room; room--) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (key != WAKER_NETWORK && !runs(asked, key))
			bpf_map_delete_elem(fd, &key);
	}
}

void session_forget_ended(struct session *s, bool (*pid_runs)(uint32_t pid), bool eventpolls)
{
	struct asked asked = { .runs = pid_runs };

	if (eventpolls)
		forget_eventpolls(s, &asked);
	forget_wakers(s, &asked);
}
