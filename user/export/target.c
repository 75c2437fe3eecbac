/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* target.c - a target of the exporter: found, awaited, followed, and what its events say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/status.h"
#include "export/export.h"

/* Small: it carries the tail, closed connections and processes, and is emptied every 10 ms. */
#define RING_KIB 256

#define EXEMPLAR_RECENT_NS (60 * 1000000000ULL)

/* Exemplars: the slowest of its bucket, unless that is no longer recent. */
static int on_exchange(void *ctx, const struct exchange_info *x)
{
	struct export_target *t = ctx;
	struct metrics_exemplar *e = &t->exemplar[metrics_bucket(x->ex.latency_ns)];
	uint64_t ended_ns = x->ex.head.time_ns + (uint64_t)t->result.realtime_offset_ns;

	history_add(t->findings.history, EV_EXCHANGE, &x->ex);
	if (x->ex.flow.role != ROLE_SERVER)
		return 0;
	if (e->latency_ns > x->ex.latency_ns && e->realtime_ns + EXEMPLAR_RECENT_NS > ended_ns)
		return 0;
	*e = (struct metrics_exemplar){
		.latency_ns = x->ex.latency_ns, .realtime_ns = ended_ns,
		.conn = x->ex.conn, .pid = x->ex.pid, .tid = x->ex.tid,
	};
	return 0;
}

/* The full duration of a connection opened before the attach is not known. */
static int add_duration(void *ctx, const struct event *e)
{
	const struct ev_conn_close *c = &e->conn_close;
	struct export_target *t = ctx;

	if (c->flow.role == ROLE_SERVER && !c->preexisting)
		metrics_hist_put(&t->conn_duration, c->duration_ns);
	return 0;
}

/* "nginx*", "redis-server :6379", "pid 4242", a control group: what the user gave. */
static void default_name(const struct target_spec *spec, char *name, size_t len)
{
	size_t at = 0;

#define ADD(...)								\
	do {									\
		if (at < len)							\
			at += (size_t)snprintf(name + at, len - at, __VA_ARGS__); \
	} while (0)
	for (size_t i = 0; i < spec->n_comms; i++)
		ADD("%s%s", i ? "," : "", spec->comms[i]);
	for (size_t i = 0; i < spec->n_ports; i++)
		ADD("%s:%u", i ? "," : at ? " " : "", spec->ports[i]);
	for (size_t i = 0; i < spec->n_pids; i++)
		ADD("%s%u", i ? "," : at ? " pid " : "pid ", spec->pids[i]);
	if (spec->cgroup)
		ADD("%s%s", at ? " " : "", spec->cgroup);
#undef ADD
}

/*
 * A pid that does not run never will. Of the others, those that match by now are taken, and the
 * rest is waited for.
 */
static int find(struct export_target *t)
{
	char why[512] = "";
	int err = targets_resolve(t->spec, &t->result.targets, why, sizeof(why));

	if (!err && t->result.targets.note[0])
		warn_line("%s", t->result.targets.note);
	if (!err)
		return EXIT_OK;
	if (t->spec->n_pids || (err != -ESRCH && err != -ENOENT)) {
		fail_line("%s", why);
		return exit_status_of(err);
	}
	warn_line("%s: waiting for it", why);
	targets_free(&t->result.targets);
	targets_refresh(t->spec, &t->result.targets);
	return EXIT_OK;
}

int export_target_open(struct export_target *t, const char *name, const struct target_spec *spec,
		       const struct export_config *config)
{
	struct live_config live = {
		.spec = spec, .ring_kib = RING_KIB, .syscalls = config->syscalls, .stay = true,
		.budget = config->budget, .watches = config->watches,
		.stats = config->stats, .verbose = config->verbose,
	};
	struct sinks sinks = { .list = { &t->sink, &t->history_sink }, .n = 2 };
	char shown[512] = "";
	int status;

	*t = (struct export_target){ .spec = spec };
	t->sink = (struct sink){
		.needs = { .conn_closes = true, .syscalls = config->syscalls != SYSCALLS_OFF },
		.exchange = on_exchange, .event = { [EV_CONN_CLOSE] = add_duration }, .ctx = t,
	};
	if (!name)
		default_name(spec, shown, sizeof(shown));
	exposition_label(t->label, name ? name : shown, sizeof(shown));
	t->result.program_status = -1;
	if (export_findings_open(&t->findings, config, &t->result)) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	t->history_sink = history_sink(t->findings.history);
	status = find(t);
	if (!status)
		status = live_open(&t->live, &live, &sinks, &t->result);
	if (!status)
		export_findings_begin(&t->findings, t->live, monotonic_ns());
	t->created_ns = t->result.start_ns + (uint64_t)t->result.realtime_offset_ns;
	t->waiting = !t->result.targets.n;
	return status;
}

void export_target_tick(struct export_target *t, uint64_t now_ns)
{
	bool waiting;

	live_tick(t->live, now_ns);
	export_findings_tick(&t->findings, t->live, now_ns);
	waiting = !live_alive(t->live);
	if (waiting && !t->waiting)
		say_line("target %s: its last process has ended%s", t->label,
			 t->spec->n_pids ? "" : ", waiting for another");
	else if (!waiting && t->waiting)
		say_line("target %s: found", t->label);
	t->waiting = waiting;
}

void export_target_close(struct export_target *t)
{
	live_close(t->live);
	export_findings_close(&t->findings);
	watch_result_free(&t->result);
	free(t->loop_names);
}
