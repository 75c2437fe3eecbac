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

	history_add_exchange(export_findings_history(t->findings), &x->ex);
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

static void on_turn(void *ctx, const struct ev_turn *turn)
{
	history_add_turn(export_findings_history(((struct export_target *)ctx)->findings), turn);
}

static void on_offcpu(void *ctx, const struct ev_offcpu *o)
{
	history_add_offcpu(export_findings_history(((struct export_target *)ctx)->findings), o);
}

/* A connection that was there before us lasted longer than anybody saw. */
static int add_duration(void *ctx, const struct ev_conn_close *c)
{
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
		       const struct options *o)
{
	struct watcher_config config = {
		.spec = spec, .handlers = &t->handlers, .ring_kib = RING_KIB,
		.no_syscalls = !o->export.syscalls, .stay = true, .verbose = o->verbose,
	};
	char shown[512] = "";
	int status;

	*t = (struct export_target){ .spec = spec };
	t->handlers = (struct watch_handlers){
		.exchange = on_exchange, .conn_close = add_duration, .turn = on_turn,
		.offcpu = on_offcpu, .ctx = t, .syscalls = o->export.syscalls, .blame = true,
	};
	if (!name)
		default_name(spec, shown, sizeof(shown));
	exposition_label(t->label, name ? name : shown, sizeof(shown));
	t->result.program_status = -1;
	t->findings = export_findings_new(o, &t->result);
	if (!t->findings) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	status = find(t);
	if (!status)
		status = watcher_open(&t->watcher, &config, &t->result);
	if (!status)
		export_findings_begin(t->findings, t->watcher, monotonic_ns());
	t->created_ns = t->result.start_ns + (uint64_t)t->result.realtime_offset_ns;
	t->waiting = !t->result.targets.n;
	return status;
}

void export_target_tick(struct export_target *t, uint64_t now_ns)
{
	bool waiting;

	watcher_tick(t->watcher, now_ns);
	export_findings_tick(t->findings, t->watcher, now_ns);
	waiting = !watcher_alive(t->watcher);
	if (waiting && !t->waiting)
		say_line("target %s: its last process has ended%s", t->label,
			 t->spec->n_pids ? "" : ", waiting for another");
	else if (!waiting && t->waiting)
		say_line("target %s: found", t->label);
	t->waiting = waiting;
}

void export_target_close(struct export_target *t)
{
	watcher_close(t->watcher);
	export_findings_free(t->findings);
	watch_free(&t->result);
	free(t->loop_names);
	t->watcher = NULL;
	t->findings = NULL;
	t->loop_names = NULL;
}
