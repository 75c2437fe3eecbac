/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* aggregate.c - from what the kernel side accumulated to a report. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/aggregate.h"

struct aggregate *aggregate_new(void)
{
	return calloc(1, sizeof(struct aggregate));
}

void aggregate_free(struct aggregate *a)
{
	if (!a)
		return;
	free(a->loops);
	free(a->eventpolls);
	free(a->wakers);
	free(a->listeners);
	free(a);
}

void hist_sum(struct hist *to, const struct hist *from)
{
	to->sum += from->sum;
	if (from->max > to->max)
		to->max = from->max;
	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		to->bucket[b] += from->bucket[b];
}

/* Shares of the exchanges at or above the P99's bucket; exact, for the kernel's sums lost nothing. */
static void fill_tail(const struct aggregate *a, struct report *r)
{
	uint64_t ns[STAGE_COUNT] = { 0 };

	dist_from_hist(&r->latency, &a->ledger.latency);
	if (!r->latency.count)
		return;
	r->tail_at_ns = hist_percentile(&a->ledger.latency, r->tail_permille);
	for (unsigned b = hist_bucket(report_tail_at_ns(r)); b < HIST_BUCKETS; b++) {
		r->tail_count += a->ledger.latency.bucket[b];
		for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
			ns[stage] += a->ledger.stage_ns[b][stage];
	}
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		r->tail_ns += ns[stage];
	for (unsigned stage = 0; stage < STAGE_COUNT && r->tail_ns; stage++)
		r->stages[stage].tail_share = (double)ns[stage] / (double)r->tail_ns;
}

static void fill_split(struct stage_info *stage, const struct counters *n, unsigned split)
{
	uint64_t other;

	if (split == SPLIT_SERVICE) {
		stage->others_ns = n->aside.others_ns;
		stage->idle_ns = n->aside.idle_ns;
	} else if (split == SPLIT_BUSY) {
		stage->unarmed_ns = n->aside.unarmed_ns;
	}
	stage->has_split = true;
	stage->split_ns = n->split_ns[split];
	stage->runnable_ns = n->split[split].runnable_ns;
	stage->blocked_ns = n->split[split].blocked_ns;
	other = stage->runnable_ns + stage->blocked_ns + stage->others_ns + stage->idle_ns +
		stage->unarmed_ns;
	if (stage->split_ns > other)
		stage->oncpu_ns = stage->split_ns - other;
}

/* Answers that a request completed and those that a close or a flush did. */
static void fill_answers(struct dist *d, const struct hist *by_request, const struct hist *late)
{
	struct hist sum = *by_request;

	hist_sum(&sum, late);
	dist_from_hist(d, &sum);
}

static void fill_exchanges(const struct aggregate *a, struct report *r)
{
	const struct counters *n = &a->counters;

	fill_tail(a, r);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		dist_from_hist(&r->stages[stage].dist, &a->ledger.stage[stage]);
	fill_answers(&r->send, &a->ledger.send, &a->hists[H_SEND_LATE]);
	fill_answers(&r->deliver, &a->ledger.deliver, &a->hists[H_DELIVER_LATE]);
	fill_split(&r->stages[STAGE_BUSY], n, SPLIT_BUSY);
	fill_split(&r->stages[STAGE_DISPATCH], n, SPLIT_DISPATCH);
	fill_split(&r->stages[STAGE_SERVICE], n, SPLIT_SERVICE);
	dist_from_hist(&r->client, &a->hists[H_CLIENT]);
	r->clamped = n->clamped;
	r->estimated = n->estimated;
	r->async = n->async;
	r->handoff = n->handoff;
	r->unarmed = n->unarmed;
	r->merged = n->merged;
	r->no_wait = n->no_wait;
}

static uint64_t estimate(uint64_t seen, double share)
{
	return share < 1 ? (uint64_t)((double)seen / share + 0.5) : seen;
}

/* What was seen, for the whole time. Percentiles and the maximum stay those of what was seen. */
static void scale_call(const struct sampled_calls *s, unsigned sc, struct syscall_info *info)
{
	double share = sampled_share(s);

	if (!call_is_sampled(s, sc))
		return;
	info->windows = s->windows;
	info->sampled = share;
	info->error = sampled_error(s, sc);
	info->error_known = s->windows >= 2;
	info->dist.count = estimate(info->dist.count, share);
	info->dist.sum_ns = estimate(info->dist.sum_ns, share);
	info->errors = estimate(info->errors, share);
	info->eagain = estimate(info->eagain, share);
}

static void fill_sampled(const struct aggregate *a, struct report *r)
{
	const struct sampled_calls *s = &a->sampled;
	double share = sampled_share(s);

	if (!s->watched_ns)
		return;
	r->sampled.on = true;
	r->sampled.windows = s->windows;
	r->sampled.share = s->windows ? share : 0;
	r->sampled.error = sampled_error(s, CALLS_TOGETHER);
	for (unsigned i = 0; i <= CALL_WINDOWS; i++)
		r->sampled.unfinished += a->counters.calls_open[i];
	for (unsigned op = 0; op < CTL_COUNT; op++)
		r->counters.ctl[op] = estimate(r->counters.ctl[op], share);
}

static int fill_syscalls(const struct aggregate *a, struct report *r)
{
#define NAME(id, name, x86, arm) name,
	static const char *const names[SC_COUNT] = { SYSCALLS(NAME) };
#undef NAME

	r->syscalls = calloc(SC_COUNT, sizeof(*r->syscalls));
	if (!r->syscalls)
		return -ENOMEM;
	for (unsigned sc = 0; sc < SC_COUNT; sc++) {
		struct syscall_info *info = &r->syscalls[r->n_syscalls];

		dist_from_hist(&info->dist, &a->hists[H_SYSCALL + sc]);
		if (!info->dist.count)
			continue;
		info->name = names[sc];
		info->errors = a->counters.syscall_errors[sc];
		info->eagain = a->counters.syscall_eagain[sc];
		scale_call(&a->sampled, sc, info);
		r->n_syscalls++;
	}
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct waker_info *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

/* Wakers of one name are added up: a pool of workers is one waker. */
static void add_waker(struct report *r, const char *comm, uint64_t count)
{
	size_t i = 0;

	while (i < r->n_wakers && strncmp(r->wakers[i].comm, comm, COMM_LEN))
		i++;
	if (i == r->n_wakers) {
		memcpy(r->wakers[i].comm, comm, COMM_LEN);
		r->n_wakers++;
	}
	r->wakers[i].count += count;
}

static int fill_wakers(const struct aggregate *a, struct report *r)
{
	r->wakers = calloc(a->n_wakers + 1, sizeof(*r->wakers));
	if (!r->wakers)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_wakers; i++) {
		const struct aggregate_waker *w = &a->wakers[i];
		char network[COMM_LEN] = "(network)", kernel[COMM_LEN] = "(kernel)";

		add_waker(r, w->pid == WAKER_NETWORK ? network :
			  w->waker.comm[0] ? w->waker.comm : kernel, w->waker.count);
	}
	qsort(r->wakers, r->n_wakers, sizeof(*r->wakers), by_count);
	return 0;
}

static void fill_sched(const struct aggregate *a, struct report *r)
{
	const struct counters *n = &a->counters;

	r->wakeups = n->wakeups;
	r->preemptions = n->preemptions;
	r->switches_missed = n->switches_missed;
	dist_from_hist(&r->runqueue, &a->hists[H_RUNQUEUE]);
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

static int fill_loops(const struct aggregate *a, struct report *r)
{
	r->loops = calloc(a->n_loops + 1, sizeof(*r->loops));
	if (!r->loops)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_loops; i++)
		fill_loop(&r->loops[r->n_loops++], &a->loops[i]);
	if (a->loops_handed_out >= LOOPS_MAX)
		r->loops_merged = a->loops_handed_out - (LOOPS_MAX - 1);
	qsort(r->loops, r->n_loops, sizeof(*r->loops), by_exchanges);
	return 0;
}

static int by_returns(const void *a, const void *b)
{
	const struct eventpoll_info *x = a, *y = b;

	return x->returns < y->returns ? 1 : x->returns > y->returns ? -1 : 0;
}

static int fill_eventpolls(const struct aggregate *a, struct report *r)
{
	r->eventpolls = calloc(a->n_eventpolls + 1, sizeof(*r->eventpolls));
	if (!r->eventpolls)
		return -ENOMEM;
	r->n_eventpolls = a->n_eventpolls;
	if (a->n_eventpolls)
		memcpy(r->eventpolls, a->eventpolls, a->n_eventpolls * sizeof(*r->eventpolls));
	qsort(r->eventpolls, r->n_eventpolls, sizeof(*r->eventpolls), by_returns);
	return 0;
}

static int fill_listeners(const struct aggregate *a, struct report *r)
{
	r->listeners = calloc(a->n_listeners + 1, sizeof(*r->listeners));
	if (!r->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_listeners; i++) {
		const struct listener *l = &a->listeners[i].listener;

		r->listeners[r->n_listeners++] = (struct listener_info){
			.port = a->listeners[i].key.port, .backlog = l->backlog,
			.backlog_max = l->backlog_max, .limit = l->limit,
			.queued = l->queued, .accepted = l->accepted,
		};
	}
	return 0;
}

static void fill_connections(const struct aggregate *a, struct report *r)
{
	const struct counters *n = &a->counters;

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
	dist_from_hist(&r->connections.accept_wait, &a->hists[H_ACCEPT_WAIT]);
}

static void fill_traffic(const struct aggregate *a, struct report *r)
{
	const struct counters *n = &a->counters;

	for (unsigned kind = KIND_REQUEST; kind < TRAFFIC_KINDS; kind++) {
		struct traffic_info *t = &r->traffic[kind - 1];

		for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++) {
			uint64_t conns = n->kind_conns[kind * PROTOCOL_ROOM + protocol];

			/* Read while one moves from row to row, it may be in none. */
			if ((int64_t)conns < 0)
				continue;
			t->protocols[protocol] = conns;
			t->connections += conns;
		}
		t->bytes_in = n->kind_in[kind];
		t->bytes_out = n->kind_out[kind];
	}
	r->traffic[KIND_REQUEST - 1].latency = r->latency;
	dist_from_hist(&r->traffic[KIND_OVERLAPPING - 1].latency, &a->hists[H_OVERLAPPING]);
	for (unsigned i = 0; i < TRAFFIC_KINDS - 1; i++)
		r->traffic[i].exchanges = r->traffic[i].latency.count;
}

#define COST_MIN_EXCHANGES 500

static void fill_cost(const struct aggregate *a, struct report *r)
{
	/* With few exchanges nearly all firings are those of other processes on the host. */
	if (a->cost_exchanges < COST_MIN_EXCHANGES || !a->cost_runs)
		return;
	r->overhead.bpf_known = true;
	r->overhead.bpf_ns_per_exchange = (double)a->cost_ns / (double)a->cost_exchanges;
	r->overhead.bpf_cpu_seconds = r->overhead.bpf_ns_per_exchange *
				      (double)r->latency.count / 1e9;
}

/* Events that were sent but never came out of the ring are lost too. */
uint64_t aggregate_lost_events(const struct aggregate *a)
{
	const struct counters *n = &a->counters;

	return n->ring_lost + (n->ring_sent > a->drained ? n->ring_sent - a->drained : 0);
}

static void fill_loss(const struct aggregate *a, struct report *r)
{
	const struct counters *n = &a->counters;

	r->loss.ring = aggregate_lost_events(a);
	r->loss.map_full = n->map_full;
	r->loss.missed = a->missed + n->calls_missed;
	r->loss.unmatched = n->unmatched;
	r->loss.clock = n->clock;
	r->loss.stacks = n->stacks_lost;
}

int aggregate_report(const struct aggregate *a, struct report *r)
{
	int err;

	r->counters = a->counters;
	fill_exchanges(a, r);
	fill_sched(a, r);
	fill_connections(a, r);
	fill_traffic(a, r);
	fill_loss(a, r);
	fill_cost(a, r);
	fill_sampled(a, r);
	err = fill_syscalls(a, r);
	err = err ? err : fill_wakers(a, r);
	err = err ? err : fill_loops(a, r);
	err = err ? err : fill_eventpolls(a, r);
	err = err ? err : fill_listeners(a, r);
	return err;
}
