// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpf_stats.c - what the maps hold, added up into a report; what the programs cost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_private.h"
#include "../bpf/state.h"

/* Words of one counter set are all 64 bits wide: sets add up word by word. */
static void sum_counters(const struct session *s, struct counters *sum)
{
	__u64 *to = (__u64 *)sum;

	memset(sum, 0, sizeof(*sum));
	for (unsigned set = 0; set < s->sets; set++) {
		const __u64 *from = (const __u64 *)&s->counters[set];

		for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
			to[i] += from[i];
	}
}

static void hist_sum(struct hist *to, const struct hist *from)
{
	to->sum += from->sum;
	if (from->max > to->max)
		to->max = from->max;
	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		to->bucket[b] += from->bucket[b];
}

static void sum_hist(const struct session *s, unsigned id, struct hist *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned set = 0; set < s->sets; set++)
		hist_sum(sum, &s->hists[set * H_MAX + id]);
}

/* The same for a histogram of the ledger, by its offset in the set. */
static void sum_ledger(const struct session *s, size_t offset, struct hist *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned set = 0; set < s->sets; set++)
		hist_sum(sum, (const struct hist *)((const char *)&s->ledgers[set] + offset));
}

#define SUM_LEDGER(s, member, sum) sum_ledger(s, offsetof(struct ledger_set, member), sum)

void session_latency(const struct session *s, struct hist *sum)
{
	SUM_LEDGER(s, latency, sum);
}

static void sum_dist(const struct session *s, unsigned id, struct dist *d)
{
	struct hist sum;

	sum_hist(s, id, &sum);
	dist_from_hist(d, &sum);
}

/* Shares of the exchanges at or above the P99's bucket; exact, for the kernel's sums lost nothing. */
static void fill_tail(const struct session *s, struct report *r)
{
	uint64_t ns[STAGE_COUNT] = { 0 };
	struct hist latency;
	unsigned first;

	session_latency(s, &latency);
	dist_from_hist(&r->latency, &latency);
	if (!r->latency.count)
		return;
	first = hist_bucket(r->latency.p99_ns);
	for (unsigned b = first; b < HIST_BUCKETS; b++) {
		r->tail_count += latency.bucket[b];
		for (unsigned set = 0; set < s->sets; set++)
			for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
				ns[stage] += s->ledgers[set].stage_ns[b][stage];
	}
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		r->tail_ns += ns[stage];
	for (unsigned stage = 0; stage < STAGE_COUNT && r->tail_ns; stage++)
		r->stages[stage].tail_share = (double)ns[stage] / (double)r->tail_ns;
}

static void fill_split(struct stage_info *stage, const struct counters *n, unsigned split)
{
	stage->has_split = true;
	stage->split_ns = n->split_ns[split];
	stage->runnable_ns = n->split[split].runnable_ns;
	stage->blocked_ns = n->split[split].blocked_ns;
	if (stage->split_ns > stage->runnable_ns + stage->blocked_ns)
		stage->oncpu_ns = stage->split_ns - stage->runnable_ns - stage->blocked_ns;
}

static void add_late(const struct session *s, unsigned id, struct hist *sum, struct dist *d)
{
	struct hist late;

	sum_hist(s, id, &late);
	hist_sum(sum, &late);
	dist_from_hist(d, sum);
}

static void fill_exchanges(const struct session *s, struct report *r, const struct counters *n)
{
	struct hist sum;

	fill_tail(s, r);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		SUM_LEDGER(s, stage[stage], &sum);
		dist_from_hist(&r->stages[stage].dist, &sum);
	}
	SUM_LEDGER(s, send, &sum);
	add_late(s, H_SEND_LATE, &sum, &r->send);
	SUM_LEDGER(s, deliver, &sum);
	add_late(s, H_DELIVER_LATE, &sum, &r->deliver);
	fill_split(&r->stages[STAGE_BUSY], n, SPLIT_BUSY);
	fill_split(&r->stages[STAGE_DISPATCH], n, SPLIT_DISPATCH);
	fill_split(&r->stages[STAGE_SERVICE], n, SPLIT_SERVICE);
	sum_dist(s, H_CLIENT, &r->client);
	r->clamped = n->clamped;
	r->async = n->async;
	r->handoff = n->handoff;
	r->merged = n->merged;
	r->no_wait = n->no_wait;
}

static int fill_syscalls(const struct session *s, struct report *r, const struct counters *n)
{
#define NAME(id, name, x86, arm) name,
	static const char *const names[SC_COUNT] = { SYSCALLS(NAME) };
#undef NAME

	r->syscalls = calloc(SC_COUNT, sizeof(*r->syscalls));
	if (!r->syscalls)
		return -ENOMEM;
	for (unsigned sc = 0; sc < SC_COUNT; sc++) {
		struct syscall_info *info = &r->syscalls[r->n_syscalls];

		sum_dist(s, H_SYSCALL + sc, &info->dist);
		if (!info->dist.count)
			continue;
		info->name = names[sc];
		info->errors = n->syscall_errors[sc];
		info->eagain = n->syscall_eagain[sc];
		r->n_syscalls++;
	}
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct waker_info *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

static int fill_wakers(const struct session *s, struct report *r)
{
	int fd = bpf_map__fd(s->skel->maps.wakers);
	uint32_t key, *prev = NULL;
	struct waker w;
	size_t room = bpf_map__max_entries(s->skel->maps.wakers);

	r->wakers = calloc(room, sizeof(*r->wakers));
	if (!r->wakers)
		return -ENOMEM;
	for (; !bpf_map_get_next_key(fd, prev, &key) && r->n_wakers < room; prev = &key) {
		struct waker_info *info;
		size_t i;

		if (bpf_map_lookup_elem(fd, &key, &w))
			continue;
		if (key == WAKER_NETWORK)
			strcpy(w.comm, "(network)");
		else if (!w.comm[0])
			strcpy(w.comm, "(kernel)");
		/* One line a name: a pool of workers is one waker. */
		for (i = 0; i < r->n_wakers; i++)
			if (!strncmp(r->wakers[i].comm, w.comm, COMM_LEN))
				break;
		info = &r->wakers[i];
		if (i == r->n_wakers) {
			memcpy(info->comm, w.comm, COMM_LEN);
			r->n_wakers++;
		}
		info->count += w.count;
	}
	qsort(r->wakers, r->n_wakers, sizeof(*r->wakers), by_count);
	return 0;
}

static void fill_sched(const struct session *s, struct report *r, const struct counters *n)
{
	r->wakeups = n->wakeups;
	r->preemptions = n->preemptions;
	r->switches_missed = n->switches_missed;
	sum_dist(s, H_RUNQUEUE, &r->runqueue);
	memcpy(r->offcpu_count, n->offcpu, sizeof(r->offcpu_count));
	memcpy(r->offcpu_ns, n->offcpu_ns, sizeof(r->offcpu_ns));
}

static int by_exchanges(const void *a, const void *b)
{
	const struct loop_info *x = a, *y = b;

	if (x->exchanges != y->exchanges)
		return x->exchanges < y->exchanges ? 1 : -1;
	return x->turns < y->turns ? 1 : x->turns > y->turns ? -1 : 0;
}

static void fill_loop(struct loop_info *info, const struct loop *l)
{
	uint64_t seen = l->busy_ns + l->wait_ns;

	info->pid = l->pid;
	info->tid = l->tid;
	memcpy(info->comm, l->comm, COMM_LEN);
	info->turns = l->turns;
	info->events = l->events;
	info->wakeups = l->wakeups;
	info->exchanges = l->exchanges;
	info->accepts = l->accepts;
	info->busy_share = seen ? (double)l->busy_ns / (double)seen : 0;
	dist_from_hist(&info->turn, &l->turn);
	dist_from_hist(&info->wait, &l->wait);
}

static int fill_loops(const struct session *s, struct report *r)
{
	uint32_t handed_out = s->skel->bss->control.next_loop;

	r->loops = calloc(LOOPS_MAX, sizeof(*r->loops));
	if (!r->loops)
		return -ENOMEM;
	for (unsigned slot = 0; slot < LOOPS_MAX; slot++)
		if (s->loops[slot].turns)
			fill_loop(&r->loops[r->n_loops++], &s->loops[slot]);
	if (handed_out >= LOOPS_MAX)
		r->loops_merged = handed_out - (LOOPS_MAX - 1);
	qsort(r->loops, r->n_loops, sizeof(*r->loops), by_exchanges);
	return 0;
}

static int by_returns(const void *a, const void *b)
{
	const struct eventpoll_info *x = a, *y = b;

	return x->returns < y->returns ? 1 : x->returns > y->returns ? -1 : 0;
}

static int fill_eventpolls(const struct session *s, struct report *r)
{
	int fd = bpf_map__fd(s->skel->maps.eventpolls);
	size_t room = bpf_map__max_entries(s->skel->maps.eventpolls);
	struct eventpoll_state e;
	__u64 key, *prev = NULL;

	r->eventpolls = calloc(room, sizeof(*r->eventpolls));
	if (!r->eventpolls)
		return -ENOMEM;
	for (; !bpf_map_get_next_key(fd, prev, &key) && r->n_eventpolls < room; prev = &key) {
		if (bpf_map_lookup_elem(fd, &key, &e))
			continue;
		/* An address is the kernel's own business: its low bits tell them apart. */
		r->eventpolls[r->n_eventpolls++] = (struct eventpoll_info){
			.id = key & 0xffffffff, .pid = e.pid, .returns = e.head,
			.events = e.events, .wait_ns = e.wait_ns, .shared = e.shared,
		};
	}
	qsort(r->eventpolls, r->n_eventpolls, sizeof(*r->eventpolls), by_returns);
	return 0;
}

static int fill_listeners(const struct session *s, struct report *r)
{
	int fd = bpf_map__fd(s->skel->maps.listeners);
	struct listener_key key, *prev = NULL;
	size_t room = bpf_map__max_entries(s->skel->maps.listeners);
	struct listener l;

	r->listeners = calloc(room, sizeof(*r->listeners));
	if (!r->listeners)
		return -ENOMEM;
	for (; !bpf_map_get_next_key(fd, prev, &key) && r->n_listeners < room; prev = &key) {
		struct listener_info *info = &r->listeners[r->n_listeners];

		if (bpf_map_lookup_elem(fd, &key, &l))
			continue;
		*info = (struct listener_info){
			.port = key.port, .backlog = l.backlog, .backlog_max = l.backlog_max,
			.limit = l.limit, .queued = l.queued, .accepted = l.accepted,
		};
		r->n_listeners++;
	}
	return 0;
}

static void fill_connections(const struct session *s, struct report *r, const struct counters *n)
{
	r->connections.opened = n->opened;
	r->connections.closed = n->closed;
	r->connections.preexisting = n->preexisting;
	r->connections.unknown = n->unknown;
	r->connections.retransmits = n->retransmits;
	r->connections.resets = n->resets;
	for (unsigned state = 1; state < TCP_STATES; state++) {
		/* A closed socket is gone: the kernel's state 7 is CLOSE. */
		if (state == 7 || (int64_t)n->state[state] < 0)
			continue;
		r->connections.by_state[state] = n->state[state];
		r->connections.active += n->state[state];
	}
	memcpy(r->connections.by_reason, n->closed_reason, sizeof(r->connections.by_reason));
	sum_dist(s, H_ACCEPT_WAIT, &r->connections.accept_wait);
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
	uint64_t n = 0;

	session_latency(s, &latency);
	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		n += latency.bucket[b];
	return n;
}

void session_cost_begin(struct session *s)
{
	if (s->stats_fd >= 0)
		return;
	s->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	s->slice_start = session_exchanges(s);
}

void session_cost_end(struct session *s)
{
	if (s->stats_fd < 0)
		return;
	close(s->stats_fd);
	s->stats_fd = -1;
	s->slice_exchanges += session_exchanges(s) - s->slice_start;
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

#define COST_MIN_EXCHANGES 500

static void fill_cost(const struct session *s, struct report *r)
{
	struct program_cost total;

	session_cost_total(s, &total, &r->loss.missed);
	/* Among few exchanges the rest of the host, which fires the hooks too, would be all of it. */
	if (s->slice_exchanges < COST_MIN_EXCHANGES || !total.runs)
		return;
	r->overhead.bpf_known = true;
	r->overhead.bpf_ns_per_exchange = (double)total.ns / (double)s->slice_exchanges;
	r->overhead.bpf_cpu_seconds = r->overhead.bpf_ns_per_exchange *
				      (double)r->latency.count / 1e9;
}

int session_report(const struct session *s, struct report *r)
{
	struct counters n;
	int err;

	sum_counters(s, &n);
	fill_exchanges(s, r, &n);
	fill_sched(s, r, &n);
	fill_connections(s, r, &n);
	/* What was sent and did not come out is lost too, whatever became of it. */
	r->loss.ring = n.ring_lost + (n.ring_sent > s->drained ? n.ring_sent - s->drained : 0);
	r->loss.map_full = n.map_full;
	r->loss.unmatched = n.unmatched;
	r->loss.clock = n.clock;
	fill_cost(s, r);
	r->loss.missed += n.calls_missed;
	err = fill_syscalls(s, r, &n);
	err = err ? err : fill_wakers(s, r);
	err = err ? err : fill_loops(s, r);
	err = err ? err : fill_eventpolls(s, r);
	err = err ? err : fill_listeners(s, r);
	return err;
}
