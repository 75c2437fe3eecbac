/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json.c - the report as one JSON document, and the schemas of every JSON output. */
#include <math.h>
#include <string.h>

#include "explain/finding.h"
#include "render/columns.h"
#include "render/render.h"

static void put_dist(struct json *j, const char *key, const struct dist *d)
{
	json_object(j, key);
	json_columns(j, latency_columns, d);
	json_object_end(j);
}

static void put_rows(struct json *j, const char *key, const struct column *columns,
		     const void *rows, size_t n, size_t row_size)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_columns(j, columns, (const char *)rows + i * row_size);
		json_object_end(j);
	}
	json_array_end(j);
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
	json_u64(j, "others_ns", s->others_ns);
	json_u64(j, "idle_ns", s->idle_ns);
	json_u64(j, "unarmed_ns", s->unarmed_ns);
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
		json_string(j, "stage", stage_name(i));
		json_columns(j, stage_columns, &r->stages[i].dist);
		json_double(j, "tail_share", tail_share(r, i));
		put_split(j, &r->stages[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "after");
	for (unsigned i = 0; i < 2; i++) {
		json_object(j, NULL);
		json_string(j, "stage", i ? "deliver" : "send");
		json_columns(j, stage_columns, i ? &r->deliver : &r->send);
		json_object_end(j);
	}
	json_array_end(j);
	json_object(j, "tail");
	json_double(j, "percentile", r->tail_permille ? r->tail_permille / 10.0 : 99);
	json_u64(j, "count", r->tail_count);
	json_u64(j, "ns", r->tail_ns);
	json_object_end(j);
	json_columns(j, caveat_counts, r);
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
		json_exchange(j, &r->worst[i], r->realtime_offset_ns);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_sched(struct json *j, const struct report *r)
{
	json_object(j, "sched");
	json_columns(j, sched_counts, r);
	json_array(j, "offcpu");
	for (unsigned i = 0; i < OFFCPU_COUNT; i++) {
		json_object(j, NULL);
		json_string(j, "kind", offcpu_name(i));
		json_u64(j, "count", r->offcpu_count[i]);
		json_u64(j, "sum_ns", r->offcpu_ns[i]);
		json_object_end(j);
	}
	json_array_end(j);
	put_rows(j, "wakers", waker_columns, r->wakers, r->n_wakers, sizeof(*r->wakers));
	json_object_end(j);
}

static void put_eventpolls(struct json *j, const struct report *r)
{
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
	json_columns(j, connection_counts, r);
	json_object(j, "by_state");
	for (unsigned i = 1; i < TCP_STATES; i++)
		json_u64(j, tcp_state_name(i), r->connections.by_state[i]);
	json_object_end(j);
	json_object(j, "by_reason");
	for (unsigned i = 0; i < CLOSE_REASONS; i++)
		json_u64(j, close_reason_name(i), r->connections.by_reason[i]);
	json_object_end(j);
	json_columns(j, network_counts, r);
	put_dist(j, "accept_wait_ns", &r->connections.accept_wait);
	json_u64(j, "listen_overflows", r->connections.listen_overflows);
	json_object_end(j);
}

/* What is not known of a capture without its end. */
static void put_nulls(struct json *j)
{
	static const char *const keys[] = {
		"syscalls", "sched", "loops", "loops_merged", "eventpolls", "connections",
		"listeners", "traffic", "reads_while_due", "rejudged",
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
	json_columns(j, loss_counts, r);
	json_object_end(j);
}

static void put_evidence(struct json *j, const struct finding *f)
{
	json_object(j, "evidence");
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];

		if (e->text[0])
			json_string(j, e->name, e->text);
		else
			json_double(j, e->name, e->value);
	}
	json_object_end(j);
}

static void put_findings(struct json *j, const struct report *r)
{
	json_array(j, "diagnosis");
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct finding *f = &r->findings[i];

		json_object(j, NULL);
		json_string(j, "code", f->code);
		json_string(j, "severity", severity_name(f->severity));
		if (f->share < 0)
			json_null(j, "share");
		else
			json_double(j, "share", f->share > 1 ? 1 : f->share);
		json_string(j, "summary", f->summary);
		put_evidence(j, f);
		json_string(j, "advice", f->advice);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_time(struct json *j, const char *key, uint64_t ns, const struct report *r)
{
	if (ns)
		json_string(j, key, format_time(ns + (uint64_t)r->realtime_offset_ns, 6).s);
	else
		json_null(j, key);
}

/* The steps that were shed, in the order in which they go. */
static void put_budget(struct json *j, const struct report *r)
{
	const struct budget_info *b = &r->budget;

	if (!(b->share > 0)) {
		json_null(j, "budget");
		json_null(j, "measured_share");
		json_array(j, "shed");
		json_array_end(j);
		return;
	}
	json_double(j, "budget", b->share);
	json_double(j, "measured_share", budget_measured(b));
	json_array(j, "shed");
	for (unsigned step = 0; step < SHED_STEPS; step++) {
		const struct shed_info *s = &b->shed[step];

		if (!s->times)
			continue;
		json_object(j, NULL);
		json_string(j, "what", shed_name(step));
		json_double(j, "seconds", (double)s->ns / 1e9);
		json_u64(j, "times", s->times);
		put_time(j, "first", s->first_ns, r);
		put_time(j, "back", s->back_ns, r);
		json_u64(j, "exchanges", s->exchanges);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_price(struct json *j, const struct report *r)
{
	bool known = r->overhead.bpf_known;

	put_loss(j, r);
	json_u64(j, "events", r->events);

	json_object(j, "overhead");
	json_double(j, "bpf_ns_per_exchange", known ? r->overhead.bpf_ns_per_exchange : NAN);
	json_double(j, "bpf_cpu_seconds", known ? r->overhead.bpf_cpu_seconds : NAN);
	json_double(j, "collector_cpu_seconds", r->overhead.collector_cpu_seconds);
	put_budget(j, r);
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
		put_rows(&j, "syscalls", syscall_columns, r->syscalls, r->n_syscalls,
			 sizeof(*r->syscalls));
		put_sched(&j, r);
		put_rows(&j, "loops", loop_columns, r->loops, r->n_loops, sizeof(*r->loops));
		json_u64(&j, "loops_merged", r->loops_merged);
		put_eventpolls(&j, r);
		put_connections(&j, r);
		put_rows(&j, "listeners", listener_columns, r->listeners, r->n_listeners,
			 sizeof(*r->listeners));
		json_traffic(&j, r);
	}
	json_holds(&j, r);
	json_string(&j, "gates", r->gates[0] ? r->gates : NULL);
	put_findings(&j, r);
	put_price(&j, r);
	json_object_end(&j);
	json_finish(&j);
}

/*
 * From *.schema.json. Every member named there is always present; more may be added, so unknown
 * members are allowed.
 */
static const char report_schema[] =
#include "user/render/report.schema.json.h"
	;

static const char slow_schema[] =
#include "user/render/slow.schema.json.h"
	;

static const char conn_schema[] =
#include "user/render/conn.schema.json.h"
	;

const char *schema_text(const char *name)
{
	static const struct {
		const char *schema, *command, *text;
	} known[] = {
		{ SCHEMA_REPORT, "report", report_schema },
		{ SCHEMA_SLOW, "slow", slow_schema },
		{ SCHEMA_CONN, "conns", conn_schema },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i].schema) || !strcmp(name, known[i].command))
			return known[i].text;
	return NULL;
}
