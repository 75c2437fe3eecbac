/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stats.c - what the maps hold, read, added up and forgotten; what the programs cost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/private.h"
#include "bpf/state.h"

void session_latency(const struct session *s, struct hist *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned set = 0; set < s->sets; set++)
		hist_sum(sum, &s->ledgers[set].latency);
}

static void read_sets(const struct session *s, struct aggregate *a)
{
	for (unsigned set = 0; set < s->sets; set++) {
		aggregate_add_sums(a, &s->ledgers[set], &s->counters[set]);
		for (unsigned id = 0; id < H_MAX; id++)
			hist_sum(&a->hists[id], &s->hists[set * H_MAX + id]);
	}
}

/* Room for every entry of a hash, and a walk over them. */
static void *room_for(const struct bpf_map *map, size_t size)
{
	return calloc(bpf_map__max_entries(map), size);
}

static void add_network(const struct session *s, struct aggregate *a)
{
	struct aggregate_waker w = { .pid = WAKER_NETWORK };

	for (unsigned cpu = 0; cpu < s->cpus; cpu++)
		w.waker.count += s->skel->bss->cpu_words[cpu].network_wakes;
	if (w.waker.count)
		a->wakers[a->n_wakers++] = w;
}

static int read_wakers(const struct session *s, struct aggregate *a)
{
	const struct bpf_map *map = s->skel->maps.wakers;
	size_t room = bpf_map__max_entries(map);
	uint32_t key, *prev = NULL;

	a->wakers = calloc(room + 1, sizeof(*a->wakers));
	if (!a->wakers)
		return -ENOMEM;
	for (; a->n_wakers < room && !bpf_map_get_next_key(bpf_map__fd(map), prev, &key);
	     prev = &key) {
		struct aggregate_waker *w = &a->wakers[a->n_wakers];

		w->pid = key;
		if (!bpf_map_lookup_elem(bpf_map__fd(map), &key, &w->waker))
			a->n_wakers++;
	}
	add_network(s, a);
	return 0;
}

/* A slot is 36 kB: mapped are those that were handed out, for as long as it takes to copy those that turn. */
static int read_loops(const struct session *s, struct aggregate *a)
{
	uint32_t n = s->skel->bss->control.next_loop + 1;	/* and the one that is shared */
	size_t room = 0, bytes;
	struct loop *loops;

	a->loops_handed_out = n - 1;
	n = n < LOOPS_MAX ? n : LOOPS_MAX;
	bytes = n * sizeof(*loops);
	loops = mmap(NULL, bytes, PROT_READ, MAP_SHARED, bpf_map__fd(s->skel->maps.loops), 0);
	if (loops == MAP_FAILED)
		return -errno;
	for (uint32_t slot = 0; slot < n; slot++)
		room += loops[slot].turns > 0;
	a->loops = calloc(room + 1, sizeof(*a->loops));
	for (uint32_t slot = 0; a->loops && slot < n && a->n_loops < room; slot++) {
		struct loop *l = &a->loops[a->n_loops];

		if (!loops[slot].turns)
			continue;
		*l = loops[slot];
		l->busy_ns = l->turn.sum;
		l->wait_ns = l->wait.sum;
		a->n_loops++;
	}
	munmap(loops, bytes);
	return a->loops ? 0 : -ENOMEM;
}

/* What its loop wrote as long as nobody else waited on it. */
static bool own_eventpoll(const struct session *s, const struct eventpoll_state *e, __u64 ep,
			  struct eventpoll_state *own)
{
	uint32_t slot = e->own - 1;

	return e->own &&
	       !bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.own_eventpolls), &slot, own) &&
	       own->own_ep == ep;
}

static int read_eventpolls(const struct session *s, struct aggregate *a)
{
	const struct bpf_map *map = s->skel->maps.eventpolls;
	size_t room = bpf_map__max_entries(map);
	struct eventpoll_state e, own;
	__u64 key, *prev = NULL;

	a->eventpolls = room_for(map, sizeof(*a->eventpolls));
	if (!a->eventpolls)
		return -ENOMEM;
	for (; a->n_eventpolls < room && !bpf_map_get_next_key(bpf_map__fd(map), prev, &key);
	     prev = &key) {
		if (bpf_map_lookup_elem(bpf_map__fd(map), &key, &e))
			continue;
		if (own_eventpoll(s, &e, key, &own)) {
			e.head += own.head;
			e.events += own.events;
			e.wait_ns += own.wait_ns;
		}
		/* An address is the kernel's own business: its low bits tell them apart. */
		a->eventpolls[a->n_eventpolls++] = (struct eventpoll_info){
			.id = key & 0xffffffff, .pid = e.pid, .returns = e.head,
			.events = e.events, .wait_ns = e.wait_ns, .shared = e.shared,
		};
	}
	return 0;
}

static int read_listeners(const struct session *s, struct aggregate *a)
{
	const struct bpf_map *map = s->skel->maps.listeners;
	size_t room = bpf_map__max_entries(map);
	struct listener_key key, *prev = NULL;

	a->listeners = room_for(map, sizeof(*a->listeners));
	if (!a->listeners)
		return -ENOMEM;
	for (; a->n_listeners < room && !bpf_map_get_next_key(bpf_map__fd(map), prev, &key);
	     prev = &key) {
		struct aggregate_listener *l = &a->listeners[a->n_listeners];

		l->key = key;
		if (!bpf_map_lookup_elem(bpf_map__fd(map), &key, &l->listener))
			a->n_listeners++;
	}
	return 0;
}

int session_read_brief(const struct session *s, struct aggregate *a)
{
	struct program_cost total;
	int err;

	read_sets(s, a);
	session_cost_total(s, &total, &a->missed);
	a->cost_ns = s->slice_cost.ns;
	a->cost_runs = s->slice_cost.runs;
	a->cost_exchanges = s->slice_exchanges;
	if (s->in_slice) {
		a->cost_ns += total.ns - s->slice_from.ns;
		a->cost_runs += total.runs - s->slice_from.runs;
		a->cost_exchanges += session_exchanges(s) - s->slice_start;
	}
	a->drained = s->drained;
	err = read_loops(s, a);
	return err ? err : read_listeners(s, a);
}

int session_read(const struct session *s, struct aggregate *a)
{
	int err = session_read_brief(s, a);

	err = err ? err : read_wakers(s, a);
	return err ? err : read_eventpolls(s, a);
}

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
		if (!runs(asked, key))
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

void session_cost_total(const struct session *s, struct program_cost *total, uint64_t *misses)
{
	struct bpf_program *p;

	*total = (struct program_cost){ 0 };
	*misses = 0;
	bpf_object__for_each_program(p, s->skel->obj) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_program__fd(p) < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len))
			continue;
		total->ns += info.run_time_ns;
		total->runs += info.run_cnt;
		*misses += info.recursion_misses;
	}
}

uint64_t session_exchanges(const struct session *s)
{
	struct hist latency;
	uint64_t n = records_made(s);

	session_latency(s, &latency);
	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		n += latency.bucket[b];
	return n;
}

static bool statistics_on(struct session *s)
{
	if (s->stats)
		return stats_switch_set(s->stats, true);
	s->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return s->stats_fd >= 0;
}

static void statistics_off(struct session *s)
{
	if (s->stats)
		stats_switch_set(s->stats, false);
	if (s->stats_fd >= 0)
		close(s->stats_fd);
	s->stats_fd = -1;
}

bool session_cost_begin(struct session *s)
{
	uint64_t misses;

	if (s->in_slice)
		return true;
	s->in_slice = statistics_on(s);
	s->slice_start = session_exchanges(s);
	/* Somebody else may have the statistics on too, also between our slices. */
	session_cost_total(s, &s->slice_from, &misses);
	return s->in_slice;
}

uint64_t session_cost_ns(const struct session *s)
{
	return s->slice_cost.ns;
}

void session_cost_end(struct session *s)
{
	struct program_cost total;
	uint64_t misses;

	if (!s->in_slice)
		return;
	session_cost_total(s, &total, &misses);
	s->slice_exchanges += session_exchanges(s) - s->slice_start;
	s->slice_cost.ns += total.ns - s->slice_from.ns;
	s->slice_cost.runs += total.runs - s->slice_from.runs;
	statistics_off(s);
	s->in_slice = false;
}

void session_cost_print(const struct session *s)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, s->skel->obj) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_program__fd(p) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len) || !info.run_cnt)
			continue;
		fprintf(stderr, "epollscope: %-20s %6.1f ns a firing, %6.2f firings and %7.1f ns an "
			"exchange\n", bpf_program__name(p),
			(double)info.run_time_ns / (double)info.run_cnt,
			s->slice_exchanges ? (double)info.run_cnt / (double)s->slice_exchanges : 0,
			s->slice_exchanges ?
			(double)info.run_time_ns / (double)s->slice_exchanges : 0);
	}
}
