/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* metrics_table.c - every metric: its name, its meaning, and where its numbers come from. */
#include "export/metrics.h"

/*
 * Most rows are one number or histogram of a target, of each of its loops or ports, or of the
 * exporter: `at` says where it stands there, and the first functions here write it.
 */
#define PUT(name) static void name(struct exposition *e, const struct metrics_target *m)
#define PUT_GLOBAL(name) static void name(struct exposition *e, const struct metrics *m)

static const void *place(const struct exposition *e, const void *row)
{
	return (const char *)row + e->metric->at;
}

static void put_number_of(struct exposition *e, const char *label, const void *row)
{
	exposition_number(e, label, *(const uint64_t *)place(e, row));
}

PUT(put_number) { put_number_of(e, NULL, m); }
PUT_GLOBAL(put_own_number) { put_number_of(e, NULL, m); }
PUT(put_hist) { exposition_hist(e, NULL, place(e, m), NULL); }

PUT(put_loop_number)
{
	for (const struct metrics_loop *l = m->loops; l < m->loops + m->n_loops; l++)
		put_number_of(e, l->name, l);
}

PUT(put_port_number)
{
	for (const struct metrics_port *p = m->ports; p < m->ports + m->n_ports; p++) {
		char text[8];

		snprintf(text, sizeof(text), "%u", p->port);
		put_number_of(e, p->port ? text : "other", p);
	}
}

static const char *syscall_name(unsigned sc)
{
#define NAME(id, name, x86, arm) name,
	static const char *const names[SC_COUNT] = { SYSCALLS(NAME) };
#undef NAME

	return names[sc];
}

PUT(put_syscall_number)
{
	const uint64_t *n = place(e, m);

	for (unsigned sc = 0; sc < SC_COUNT; sc++)
		if (metrics_hist_count(&m->syscall[sc]))
			exposition_number(e, syscall_name(sc), n[sc]);
}

/* --- what has a shape of its own --- */

PUT(put_exchange) { exposition_hist(e, NULL, &m->exchange, m->exemplar); }

PUT(put_stage)
{
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		exposition_hist(e, stage_name(stage), &m->stage[stage], NULL);
}

PUT(put_marked)
{
	exposition_number(e, "async", m->counters.async);
	exposition_number(e, "clamped", m->counters.clamped);
	exposition_number(e, "estimated", m->counters.estimated);
	exposition_number(e, "handoff", m->counters.handoff);
	exposition_number(e, "merged", m->counters.merged);
	exposition_number(e, "no_wait", m->counters.no_wait);
}

PUT(put_split)
{
	static const char *const names[SPLIT_COUNT][3] = {
		[SPLIT_BUSY] = { "busy_oncpu", "busy_runnable", "busy_blocked" },
		[SPLIT_DISPATCH] = { "dispatch_oncpu", "dispatch_runnable", "dispatch_blocked" },
		[SPLIT_SERVICE] = { "service_oncpu", "service_runnable", "service_blocked" },
	};

	const struct aside *aside = &m->counters.aside;

	for (unsigned split = 0; split < SPLIT_COUNT; split++) {
		const struct split *part = &m->counters.split[split];
		uint64_t all = m->counters.split_ns[split];
		uint64_t off = part->runnable_ns + part->blocked_ns;

		if (split == SPLIT_BUSY)
			off += aside->unarmed_ns;
		else if (split == SPLIT_SERVICE)
			off += aside->others_ns + aside->idle_ns;
		exposition_number(e, names[split][0], all > off ? all - off : 0);
		exposition_number(e, names[split][1], part->runnable_ns);
		exposition_number(e, names[split][2], part->blocked_ns);
	}
	exposition_number(e, "busy_unarmed", aside->unarmed_ns);
	exposition_number(e, "service_idle", aside->idle_ns);
	exposition_number(e, "service_others", aside->others_ns);
}

PUT(put_syscall)
{
	for (unsigned sc = 0; sc < SC_COUNT; sc++)
		if (metrics_hist_count(&m->syscall[sc]))
			exposition_hist(e, syscall_name(sc), &m->syscall[sc], NULL);
}

PUT(put_offcpu)
{
	for (unsigned kind = 0; kind < OFFCPU_COUNT; kind++)
		exposition_number(e, offcpu_name(kind), m->counters.offcpu_ns[kind]);
}

PUT(put_turn)
{
	for (const struct metrics_loop *l = m->loops; l < m->loops + m->n_loops; l++)
		exposition_hist(e, l->name, &l->turn, NULL);
}

PUT(put_events)
{
	for (const struct metrics_loop *l = m->loops; l < m->loops + m->n_loops; l++)
		exposition_summary(e, l->name, l->events, l->turns);
}

/* A closed socket is gone: the kernel's state 7 is CLOSE, 10 and 12 are no connections. */
PUT(put_connections)
{
	for (unsigned state = 1; state < TCP_STATES; state++) {
		uint64_t n = m->counters.state[state];

		if (state != 7 && state != 10 && state != 12)
			exposition_number(e, tcp_state_name(state), (int64_t)n < 0 ? 0 : n);
	}
}

/* Read while one moves from row to row, it may be in none. */
static uint64_t conns_of(const struct metrics_target *m, unsigned kind, unsigned protocol)
{
	uint64_t n = m->counters.kind_conns[kind * PROTOCOL_ROOM + protocol];

	return (int64_t)n < 0 ? 0 : n;
}

PUT(put_kinds)
{
	for (unsigned kind = KIND_REQUEST; kind < TRAFFIC_KINDS; kind++) {
		uint64_t n = 0;

		for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++)
			n += conns_of(m, kind, protocol);
		exposition_number(e, traffic_kind_name(kind), n);
	}
}

PUT(put_protocols)
{
	for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++) {
		uint64_t n = 0;

		for (unsigned kind = KIND_REQUEST; kind < TRAFFIC_KINDS; kind++)
			n += conns_of(m, kind, protocol);
		exposition_number(e, protocol ? protocol_name(protocol) : "other", n);
	}
}

PUT(put_closed)
{
	for (unsigned reason = 0; reason < CLOSE_REASONS; reason++)
		exposition_number(e, close_reason_name(reason), m->counters.closed_reason[reason]);
}

PUT(put_finding)
{
	for (size_t i = 0; i < m->n_findings; i++)
		exposition_number(e, m->findings[i].code, m->findings[i].holds);
}

PUT(put_open_loop)
{
	const struct metrics_wait *w = &m->open_loop;

	if (!w->known)
		return;
	exposition_number(e, "50", w->p50_ns);
	exposition_number(e, "90", w->p90_ns);
	exposition_number(e, "99", w->p99_ns);
	exposition_number(e, "99.9", w->p999_ns);
}

PUT(put_lost)
{
	exposition_number(e, "clock", m->counters.clock);
	exposition_number(e, "map_full", m->counters.map_full);
	exposition_number(e, "missed", m->missed + m->counters.calls_missed);
	exposition_number(e, "ring", m->lost_events + m->bad_events);
	exposition_number(e, "switches", m->counters.switches_missed);
	exposition_number(e, "unmatched", m->counters.unmatched);
}

PUT(put_shed)
{
	for (unsigned step = 0; step < SHED_STEPS; step++)
		exposition_number(e, shed_name(step), m->shed & SHED_BIT(step) ? 1 : 0);
}

PUT(put_shed_time)
{
	for (unsigned step = 0; step < SHED_STEPS; step++)
		exposition_number(e, shed_name(step), m->budget.shed[step].ns);
}

PUT(put_window)
{
	if (m->syscall_window_ns)
		exposition_number(e, NULL, m->syscall_window_ns);
}

PUT(put_bpf)
{
	if (m->cost_known)
		exposition_number(e, NULL, m->bpf_ns);
}

/* The last row: the number of series written, its own included. */
PUT_GLOBAL(put_series)
{
	(void)m;
	exposition_number(e, NULL, e->series + 1);
}

PUT_GLOBAL(put_build) { exposition_info(e, m->version, m->kernel); }

#define AT(member) offsetof(struct metrics_target, member)
#define AT_LOOP(member) offsetof(struct metrics_loop, member)
#define AT_PORT(member) offsetof(struct metrics_port, member)
#define AT_OWN(member) offsetof(struct metrics, member)

#define HISTOGRAM(name, label, put, at, help) \
	{ name "_seconds", METRIC_HISTOGRAM, "seconds", label, help, put, NULL, at }
#define COUNTER(name, label, put, at, help) \
	{ name, METRIC_COUNTER, NULL, label, help, put, NULL, at }
#define SECONDS(name, label, put, at, help) \
	{ name "_seconds", METRIC_COUNTER, "seconds", label, help, put, NULL, at }
#define GAUGE(name, label, put, at, help) \
	{ name, METRIC_GAUGE, NULL, label, help, put, NULL, at }
#define OWN(name, type, unit, put, at, help) \
	{ name, type, unit, NULL, help, NULL, put, at }

const struct metric metric_rows[] = {
	HISTOGRAM("exchange_duration", NULL, put_exchange, 0,
		"Latency of an exchange, one request and its response: from its first byte "
		"queued to the socket until the kernel has taken the first byte of the answer."),
	HISTOGRAM("stage_duration", "stage", put_stage, 0,
		"The stages that an exchange's latency is the sum of; an exchange counts where "
		"it has the stage."),
	SECONDS("stage_split", "part", put_split, 0,
		"Time of the stages busy, dispatch and service by what the thread did: on the "
		"CPU, runnable or blocked; of busy also unarmed, while no eventpoll watched the "
		"descriptor; of an asynchronous service also idle, and on the CPU for others. "
		"Only exchanges that could be split."),
	COUNTER("exchanges_marked", "kind", put_marked, 0,
		"Exchanges with a remark: service over several turns, a stamp moved to keep the "
		"order, answered by another thread, busy merged into dispatch, read without a "
		"wait, a stamp estimated because the kernel skipped a hook."),
	HISTOGRAM("send_duration", NULL, put_hist, AT(send),
		"First to last byte of the answer handed to the kernel; not part of the latency."),
	HISTOGRAM("deliver_duration", NULL, put_hist, AT(deliver),
		"Last byte handed over to last byte acknowledged, 1 us fine; not part of the "
		"latency."),
	HISTOGRAM("client_exchange_duration", NULL, put_hist, AT(client),
		"Exchanges on connections that the target opened, the upstream side of a proxy: "
		"first byte sent to first byte received."),
	HISTOGRAM("overlapping_duration", NULL, put_hist, AT(overlapping),
		"From a read to the next send on connections that carry several requests at once, "
		"such as HTTP/2: a lower bound of a request's latency, in no other metric."),
	HISTOGRAM("syscall_duration", "syscall", put_syscall, 0,
		"System calls of the target. Only with --syscalls."),
	COUNTER("syscall_errors", "syscall", put_syscall_number, AT(counters.syscall_errors),
		"System calls that failed, EAGAIN left out. Only with --syscalls."),
	COUNTER("syscall_eagain", "syscall", put_syscall_number, AT(counters.syscall_eagain),
		"System calls that ended with EAGAIN. Only with --syscalls."),
	SECONDS("syscall_window", NULL, put_window, 0,
		"Time of the windows in which --syscalls sample sees system calls: the three "
		"metrics above hold what began in these. No series otherwise."),
	HISTOGRAM("runqueue_duration", NULL, put_hist, AT(runqueue),
		"Each wait of a thread for a CPU, after a wake-up or a preemption."),
	COUNTER("wakeups", NULL, put_number, AT(counters.wakeups),
		"Wake-ups of the target's threads."),
	COUNTER("preemptions", NULL, put_number, AT(counters.preemptions),
		"Times that a thread had to leave the CPU while it had work."),
	SECONDS("offcpu", "kind", put_offcpu, 0,
		"Time that threads were blocked, by what they waited for; idle is a wait for "
		"events."),
	HISTOGRAM("turn_duration", "loop", put_turn, 0,
		"One trip round an event loop, from a return of the wait for events to the next "
		"wait."),
	{ "epoll_events_per_wait", METRIC_SUMMARY, NULL, "loop",
	  "Events that the waits of an event loop returned (sum) over its waits (count).",
	  put_events, NULL, 0 },
	COUNTER("loop_wakeups", "loop", put_loop_number, AT_LOOP(wakeups),
		"Waits for events in which the thread slept."),
	COUNTER("loop_exchanges", "loop", put_loop_number, AT_LOOP(exchanges),
		"Exchanges that a loop answered."),
	COUNTER("loop_accepts", "loop", put_loop_number, AT_LOOP(accepts),
		"Connections that a loop accepted."),
	SECONDS("loop_busy", "loop", put_loop_number, AT_LOOP(busy_ns),
		"Time of a loop outside its waits for events."),
	SECONDS("loop_wait", "loop", put_loop_number, AT_LOOP(wait_ns),
		"Time of a loop in its waits for events."),
	GAUGE("loops_merged", NULL, put_number, AT(loops_merged),
		"Event loops without series of their own: they are in loop=\"other\"."),
	GAUGE("connections", "state", put_connections, 0, "Open connections by TCP state."),
	GAUGE("traffic_connections", "kind", put_kinds, 0,
		"Connections since the attach, closed ones too, by what passes over them: "
		"request-response, overlapping (several requests at once), one-way (pushes, "
		"acknowledgements, replication). One that changes moves."),
	GAUGE("protocol_connections", "protocol", put_protocols, 0,
		"The same connections by the protocol that their first bytes show."),
	COUNTER("connections_opened", NULL, put_number, AT(counters.opened),
		"Connections accepted since the attach."),
	COUNTER("connections_closed", "reason", put_closed, 0, "Accepted connections that closed."),
	COUNTER("connections_preexisting", NULL, put_number, AT(counters.preexisting),
		"Connections that a process of the target had when it was found."),
	COUNTER("connections_unaccepted", NULL, put_number, AT(counters.unknown),
		"Connections that closed in the accept queue: nobody accepted them."),
	HISTOGRAM("connection_duration", NULL, put_hist, AT(conn_duration),
		"Life of an accepted connection, at its close, unless it was there before us. "
		"Counted from events: what lost_total says of the ring is missing here."),
	COUNTER("retransmits", NULL, put_number, AT(counters.retransmits),
		"Segments that were sent again."),
	COUNTER("resets", NULL, put_number, AT(counters.resets), "Resets sent and received."),
	HISTOGRAM("accept_wait_duration", NULL, put_hist, AT(accept_wait),
		"Connection established until accept returned it."),
	GAUGE("accept_queue_length", "port", put_port_number, AT_PORT(length),
		"Connections in the accept queues of a port, now."),
	GAUGE("accept_queue_limit", "port", put_port_number, AT_PORT(limit),
		"Connections that the accept queues of a port can hold."),
	COUNTER("listen_overflows", NULL, put_number, AT(listen_overflows),
		"Connections that the kernel dropped because an accept queue was full, in the "
		"whole network namespace of the target."),
	GAUGE("finding", "code", put_finding, 0,
		"1 if a diagnosis of the report holds for the last complete window "
		"(--finding-window), else 0; no series for what cannot be judged."),
	COUNTER("holds", NULL, put_number, AT(holds),
		"Times that an event loop which serves did not get round to its wait for 10 ms or "
		"longer. Counted when a window (--finding-window) is complete."),
	{ "open_loop_wait_seconds", METRIC_GAUGE, "seconds", "percentile",
	  "What a request that came at a random moment of the last complete window would have waited "
	  "for its loop: clients that wait for their answers don't ask while a loop is held. No "
	  "series where threads share an eventpoll.", put_open_loop, NULL, 0 },
	COUNTER("lost", "what", put_lost, 0,
		"What is missing in the other metrics: events that found the ring full, state "
		"that found no room, hooks the kernel skipped, unmatched exchanges, unusable "
		"clocks."),
	GAUGE("shed", "what", put_shed, 0,
		"1 while this is left out to keep what watching costs below --budget, else 0. Not "
		"in the other metrics then: single exchanges in finding and exemplars, sampled "
		"system calls, stage_split and offcpu."),
	SECONDS("shed", "what", put_shed_time, 0,
		"How long that was left out, altogether."),
	SECONDS("budget_own_cpu", NULL, put_number, AT(budget.own_ns),
		"CPU time of watching the target, as the budget counts it: of the programs, "
		"extrapolated from a tenth of each second, and this target's part of the "
		"collector's."),
	SECONDS("target_cpu", NULL, put_number, AT(budget.target_ns),
		"CPU time of the target meanwhile. By the rate of this, the other's is what "
		"--budget limits."),
	GAUGE("processes", NULL, put_number, AT(processes),
		"Processes of the target that run; 0 while it is waited for."),
	SECONDS("bpf", NULL, put_bpf, 0,
		"CPU time of the kernel side, extrapolated from slices in which the kernel kept "
		"count; no series before the first slice, or without the privilege."),
	OWN("collector_cpu_seconds", METRIC_COUNTER, "seconds", put_own_number,
		AT_OWN(collector_cpu_ns),
		"CPU time of the exporter itself."),
	OWN("scrapes", METRIC_COUNTER, NULL, put_own_number, AT_OWN(scrapes),
		"Pages of metrics delivered."),
	OWN("http_refused", METRIC_COUNTER, NULL, put_own_number, AT_OWN(refused),
		"Requests that were answered with an error, and connections that were shut "
		"because they were too slow or too many."),
	OWN("series_limit", METRIC_GAUGE, NULL, put_own_number, AT_OWN(max_series),
		"Series that a page may have: --max-series."),
	OWN("build", METRIC_INFO, NULL, put_build, 0, "Version of epollscope and of the kernel."),
	OWN("series", METRIC_GAUGE, NULL, put_series, 0,
		"Series on this page, the creation times of OpenMetrics among them."),
};

const size_t metric_count = sizeof(metric_rows) / sizeof(metric_rows[0]);
