/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json.c - the report as one JSON document, schema epollscope.report/1. */
#include "render/render.h"

/* What is not known without samples is null. */
static void number_or_null(struct json *j, const char *key, bool known, uint64_t value)
{
	if (known)
		json_u64(j, key, value);
	else
		json_null(j, key);
}

/* Rounding may have left it a little outside; not a number counts as 0. */
static void put_share(struct json *j, const char *key, double share)
{
	json_double(j, key, share > 1 ? 1 : share > 0 ? share : 0);
}

static void put_dist(struct json *j, const char *key, const struct dist *d)
{
	bool any = d->count;

	json_object(j, key);
	json_u64(j, "count", d->count);
	json_u64(j, "sum_ns", d->sum_ns);
	number_or_null(j, "mean", any, dist_mean(d));
	number_or_null(j, "p50", any, d->p50_ns);
	number_or_null(j, "p90", any, d->p90_ns);
	number_or_null(j, "p99", any, d->p99_ns);
	number_or_null(j, "p999", any, d->p999_ns);
	number_or_null(j, "max", any, d->max_ns);
	json_object_end(j);
}

/* The members that stages, send and deliver have in common. */
static void put_stage_dist(struct json *j, const char *name, const struct dist *d)
{
	bool any = d->count;

	json_string(j, "stage", name);
	json_u64(j, "count", d->count);
	json_u64(j, "sum_ns", d->sum_ns);
	number_or_null(j, "p50_ns", any, d->p50_ns);
	number_or_null(j, "p99_ns", any, d->p99_ns);
	number_or_null(j, "max_ns", any, d->max_ns);
}

static void put_split(struct json *j, const struct stage_info *s)
{
	if (!s->has_split || !s->split_ns) {
		json_null(j, "split");
		return;
	}
	json_object(j, "split");
	json_u64(j, "ns", s->split_ns);
	json_u64(j, "oncpu_ns", s->oncpu_ns);
	json_u64(j, "runnable_ns", s->runnable_ns);
	json_u64(j, "blocked_ns", s->blocked_ns);
	json_object_end(j);
}

static void put_exchanges(struct json *j, const struct report *r)
{
	json_object(j, "exchanges");
	json_u64(j, "count", r->latency.count);
	put_dist(j, "latency_ns", &r->latency);
	json_array(j, "stages");
	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		json_object(j, NULL);
		put_stage_dist(j, stage_name(i), &r->stages[i].dist);
		put_share(j, "tail_share", r->stages[i].tail_share);
		put_split(j, &r->stages[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "after");
	for (unsigned i = 0; i < 2; i++) {
		json_object(j, NULL);
		put_stage_dist(j, i ? "deliver" : "send", i ? &r->deliver : &r->send);
		json_object_end(j);
	}
	json_array_end(j);
	json_object(j, "tail");
	json_u64(j, "count", r->tail_count);
	json_u64(j, "ns", r->tail_ns);
	json_object_end(j);
	json_u64(j, "clamped", r->clamped);
	json_u64(j, "async", r->async);
	json_u64(j, "handoff", r->handoff);
	json_u64(j, "merged", r->merged);
	json_u64(j, "no_wait", r->no_wait);
	json_object_end(j);

	if (r->exchanges_only) {
		json_null(j, "client");
	} else {
		json_object(j, "client");
		json_u64(j, "count", r->client.count);
		put_dist(j, "latency_ns", &r->client);
		json_object_end(j);
	}

	json_array(j, "worst");
	for (size_t i = 0; i < r->n_worst; i++) {
		json_object(j, NULL);
		json_exchange(j, &r->worst[i], &r->realtime_offset_ns);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_syscalls(struct json *j, const struct report *r)
{
	json_array(j, "syscalls");
	for (size_t i = 0; i < r->n_syscalls; i++) {
		const struct syscall_info *s = &r->syscalls[i];
		bool any = s->dist.count;

		json_object(j, NULL);
		json_string(j, "name", s->name);
		json_u64(j, "count", s->dist.count);
		json_u64(j, "errors", s->errors);
		json_u64(j, "eagain", s->eagain);
		number_or_null(j, "p50_ns", any, s->dist.p50_ns);
		number_or_null(j, "p90_ns", any, s->dist.p90_ns);
		number_or_null(j, "p99_ns", any, s->dist.p99_ns);
		number_or_null(j, "max_ns", any, s->dist.max_ns);
		json_u64(j, "sum_ns", s->dist.sum_ns);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_sched(struct json *j, const struct report *r)
{
	json_object(j, "sched");
	json_u64(j, "wakeups", r->wakeups);
	put_dist(j, "runqueue_ns", &r->runqueue);
	json_u64(j, "preemptions", r->preemptions);
	json_u64(j, "switches_missed", r->switches_missed);
	json_array(j, "offcpu");
	for (unsigned i = 0; i < OFFCPU_COUNT; i++) {
		json_object(j, NULL);
		json_string(j, "kind", offcpu_name(i));
		json_u64(j, "count", r->offcpu_count[i]);
		json_u64(j, "sum_ns", r->offcpu_ns[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "wakers");
	for (size_t i = 0; i < r->n_wakers; i++) {
		json_object(j, NULL);
		json_bytes(j, "comm", r->wakers[i].comm, sizeof(r->wakers[i].comm));
		json_u64(j, "count", r->wakers[i].count);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void put_loops(struct json *j, const struct report *r)
{
	json_array(j, "loops");
	for (size_t i = 0; i < r->n_loops; i++) {
		const struct loop_info *l = &r->loops[i];

		json_object(j, NULL);
		json_u64(j, "pid", l->pid);
		json_u64(j, "tid", l->tid);
		json_bytes(j, "comm", l->comm, sizeof(l->comm));
		json_u64(j, "turns", l->turns);
		json_u64(j, "events", l->events);
		json_u64(j, "wakeups", l->wakeups);
		json_u64(j, "exchanges", l->exchanges);
		json_u64(j, "accepts", l->accepts);
		put_share(j, "busy_share", l->busy_share);
		put_dist(j, "turn_ns", &l->turn);
		put_dist(j, "wait_ns", &l->wait);
		json_object_end(j);
	}
	json_array_end(j);
	json_u64(j, "loops_merged", r->loops_merged);
	json_array(j, "eventpolls");
	for (size_t i = 0; i < r->n_eventpolls; i++) {
		const struct eventpoll_info *e = &r->eventpolls[i];
		char id[12];

		snprintf(id, sizeof(id), "%08llx", (unsigned long long)e->id);
		json_object(j, NULL);
		json_string(j, "id", id);
		json_u64(j, "pid", e->pid);
		json_u64(j, "returns", e->returns);
		json_u64(j, "events", e->events);
		json_u64(j, "wait_ns", e->wait_ns);
		json_bool(j, "shared", e->shared != 0);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_connections(struct json *j, const struct report *r)
{
	json_object(j, "connections");
	json_u64(j, "opened", r->connections.opened);
	json_u64(j, "closed", r->connections.closed);
	json_u64(j, "active", r->connections.active);
	json_u64(j, "preexisting", r->connections.preexisting);
	json_u64(j, "unknown", r->connections.unknown);
	json_object(j, "by_state");
	for (unsigned i = 1; i < TCP_STATES; i++)
		json_u64(j, tcp_state_name(i), r->connections.by_state[i]);
	json_object_end(j);
	json_object(j, "by_reason");
	for (unsigned i = 0; i < CLOSE_REASONS; i++)
		json_u64(j, close_reason_name(i), r->connections.by_reason[i]);
	json_object_end(j);
	json_u64(j, "retransmits", r->connections.retransmits);
	json_u64(j, "resets", r->connections.resets);
	put_dist(j, "accept_wait_ns", &r->connections.accept_wait);
	json_u64(j, "listen_overflows", r->connections.listen_overflows);
	json_object_end(j);

	json_array(j, "listeners");
	for (size_t i = 0; i < r->n_listeners; i++) {
		const struct listener_info *l = &r->listeners[i];

		json_object(j, NULL);
		json_u64(j, "port", l->port);
		json_u64(j, "backlog", l->backlog);
		json_u64(j, "backlog_max", l->backlog_max);
		json_u64(j, "limit", l->limit);
		json_u64(j, "queued", l->queued);
		json_u64(j, "accepted", l->accepted);
		json_object_end(j);
	}
	json_array_end(j);
}

/* What a capture without its end does not tell. */
static void put_nulls(struct json *j)
{
	static const char *const keys[] = {
		"syscalls", "sched", "loops", "loops_merged", "eventpolls", "connections",
		"listeners",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_null(j, keys[i]);
}

static void put_loss(struct json *j, const struct report *r)
{
	if (r->loss_unknown) {
		json_null(j, "loss");
		return;
	}
	json_object(j, "loss");
	json_u64(j, "ring", r->loss.ring);
	json_u64(j, "map_full", r->loss.map_full);
	json_u64(j, "missed", r->loss.missed);
	json_u64(j, "unmatched", r->loss.unmatched);
	json_u64(j, "clock", r->loss.clock);
	json_u64(j, "stacks", r->loss.stacks);
	json_object_end(j);
}

static void put_price(struct json *j, const struct report *r)
{
	put_loss(j, r);
	json_u64(j, "events", r->events);

	json_object(j, "overhead");
	if (r->overhead.bpf_known) {
		json_double(j, "bpf_ns_per_exchange", r->overhead.bpf_ns_per_exchange);
		json_double(j, "bpf_cpu_seconds", r->overhead.bpf_cpu_seconds);
	} else {
		json_null(j, "bpf_ns_per_exchange");
		json_null(j, "bpf_cpu_seconds");
	}
	json_double(j, "collector_cpu_seconds", r->overhead.collector_cpu_seconds);
	json_object_end(j);

	json_array(j, "notes");
	for (size_t i = 0; i < r->n_notes; i++)
		json_string(j, NULL, r->notes[i]);
	json_array_end(j);
}

void render_report_json(FILE *out, const struct report *r)
{
	struct json j;

	json_start(&j, out, 3);
	json_object(&j, NULL);
	json_string(&j, "schema", SCHEMA_REPORT);
	json_string(&j, "version", r->version ? r->version : "");
	json_bytes(&j, "kernel", r->kernel, sizeof(r->kernel));
	json_bytes(&j, "host", r->host, sizeof(r->host));
	json_object(&j, "window");
	json_string(&j, "start", format_time(r->start_realtime_ns, 6).s);
	json_double(&j, "seconds", (double)r->window_ns / 1e9);
	json_object_end(&j);
	json_array(&j, "targets");
	for (size_t i = 0; i < r->n_targets; i++) {
		const struct target_info *t = &r->targets[i];

		json_object(&j, NULL);
		json_u64(&j, "pid", t->pid);
		json_bytes(&j, "comm", t->comm, sizeof(t->comm));
		json_bytes(&j, "exe", t->exe, sizeof(t->exe));
		json_object_end(&j);
	}
	json_array_end(&j);
	put_exchanges(&j, r);
	if (r->exchanges_only) {
		put_nulls(&j);
	} else {
		put_syscalls(&j, r);
		put_sched(&j, r);
		put_loops(&j, r);
		put_connections(&j, r);
	}
	json_diagnosis(&j, r);
	put_price(&j, r);
	json_object_end(&j);
	json_finish(&j);
}
