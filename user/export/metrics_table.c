// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* metrics_table.c - every metric: its name, its meaning, and where its numbers come from. */
#include <string.h>

#include "export/metrics.h"

#define PUT(name) static void name(struct text *t, const struct metrics_target *m)
#define PUT_GLOBAL(name) static void name(struct text *t, const struct metrics *m)

/* --- exchanges --- */

PUT(put_exchange) { text_hist(t, NULL, &m->exchange, m->exemplar); }
PUT(put_send) { text_hist(t, NULL, &m->send, NULL); }
PUT(put_deliver) { text_hist(t, NULL, &m->deliver, NULL); }
PUT(put_client) { text_hist(t, NULL, &m->client, NULL); }

PUT(put_stage)
{
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		text_hist(t, stage_name(stage), &m->stage[stage], NULL);
}

PUT(put_marked)
{
	text_u64(t, "async", m->counters.async);
	text_u64(t, "clamped", m->counters.clamped);
	text_u64(t, "handoff", m->counters.handoff);
	text_u64(t, "merged", m->counters.merged);
	text_u64(t, "no_wait", m->counters.no_wait);
}

PUT(put_split)
{
	static const char *const names[SPLIT_COUNT][3] = {
		[SPLIT_BUSY] = { "busy_oncpu", "busy_runnable", "busy_blocked" },
		[SPLIT_DISPATCH] = { "dispatch_oncpu", "dispatch_runnable", "dispatch_blocked" },
		[SPLIT_SERVICE] = { "service_oncpu", "service_runnable", "service_blocked" },
	};

	for (unsigned split = 0; split < SPLIT_COUNT; split++) {
		const struct split *part = &m->counters.split[split];
		uint64_t all = m->counters.split_ns[split];
		uint64_t off = part->runnable_ns + part->blocked_ns;

		text_seconds(t, names[split][0], all > off ? all - off : 0);
		text_seconds(t, names[split][1], part->runnable_ns);
		text_seconds(t, names[split][2], part->blocked_ns);
	}
}

/* --- system calls, scheduling --- */

static const char *syscall_name(unsigned sc)
{
#define NAME(id, name, x86, arm) name,
	static const char *const names[SC_COUNT] = { SYSCALLS(NAME) };
#undef NAME

	return names[sc];
}

PUT(put_syscall)
{
	for (unsigned sc = 0; sc < SC_COUNT; sc++)
		if (metrics_hist_count(&m->syscall[sc]))
			text_hist(t, syscall_name(sc), &m->syscall[sc], NULL);
}

PUT(put_syscall_errors)
{
	for (unsigned sc = 0; sc < SC_COUNT; sc++)
		if (metrics_hist_count(&m->syscall[sc]))
			text_u64(t, syscall_name(sc), m->counters.syscall_errors[sc]);
}

PUT(put_syscall_eagain)
{
	for (unsigned sc = 0; sc < SC_COUNT; sc++)
		if (metrics_hist_count(&m->syscall[sc]))
			text_u64(t, syscall_name(sc), m->counters.syscall_eagain[sc]);
}

PUT(put_runqueue) { text_hist(t, NULL, &m->runqueue, NULL); }
PUT(put_wakeups) { text_u64(t, NULL, m->counters.wakeups); }
PUT(put_preemptions) { text_u64(t, NULL, m->counters.preemptions); }

PUT(put_offcpu)
{
	for (unsigned kind = 0; kind < OFFCPU_COUNT; kind++)
		text_seconds(t, offcpu_name(kind), m->counters.offcpu_ns[kind]);
}

/* --- event loops --- */

#define PUT_LOOPS(name, call)							\
	PUT(name)								\
	{									\
		for (const struct metrics_loop *l = m->loops;			\
		     l < m->loops + m->n_loops; l++)				\
			call;							\
	}

PUT_LOOPS(put_turn, text_hist(t, l->name, &l->turn, NULL))
PUT_LOOPS(put_events, text_summary(t, l->name, l->events, l->turns))
PUT_LOOPS(put_loop_wakeups, text_u64(t, l->name, l->wakeups))
PUT_LOOPS(put_loop_exchanges, text_u64(t, l->name, l->exchanges))
PUT_LOOPS(put_loop_accepts, text_u64(t, l->name, l->accepts))
PUT_LOOPS(put_loop_busy, text_seconds(t, l->name, l->busy_ns))
PUT_LOOPS(put_loop_wait, text_seconds(t, l->name, l->wait_ns))
PUT(put_loops_merged) { text_u64(t, NULL, m->loops_merged); }

/* --- connections --- */

/* A closed socket is gone: the kernel's state 7 is CLOSE, 10 and 12 are no connections. */
PUT(put_connections)
{
	for (unsigned state = 1; state < TCP_STATES; state++) {
		uint64_t n = m->counters.state[state];

		if (state != 7 && state != 10 && state != 12)
			text_u64(t, tcp_state_name(state), (int64_t)n < 0 ? 0 : n);
	}
}

PUT(put_closed)
{
	for (unsigned reason = 0; reason < CLOSE_REASONS; reason++)
		text_u64(t, close_reason_name(reason), m->counters.closed_reason[reason]);
}

PUT(put_opened) { text_u64(t, NULL, m->counters.opened); }
PUT(put_preexisting) { text_u64(t, NULL, m->counters.preexisting); }
PUT(put_unaccepted) { text_u64(t, NULL, m->counters.unknown); }
PUT(put_conn_duration) { text_hist(t, NULL, &m->conn_duration, NULL); }
PUT(put_retransmits) { text_u64(t, NULL, m->counters.retransmits); }
PUT(put_resets) { text_u64(t, NULL, m->counters.resets); }
PUT(put_accept_wait) { text_hist(t, NULL, &m->accept_wait, NULL); }
PUT(put_overflows) { text_u64(t, NULL, m->listen_overflows); }

static const char *port_label(char text[8], uint16_t port)
{
	snprintf(text, 8, "%u", port);
	return port ? text : "other";
}

#define PUT_PORTS(name, field)							\
	PUT(name)								\
	{									\
		char text[8];							\
										\
		for (size_t i = 0; i < m->n_ports; i++)				\
			text_u64(t, port_label(text, m->ports[i].port),		\
				 m->ports[i].field);				\
	}

PUT_PORTS(put_queue_length, length)
PUT_PORTS(put_queue_limit, limit)

/* --- verdicts, losses, ourselves --- */

PUT(put_finding)
{
	for (size_t i = 0; i < m->n_findings; i++)
		text_u64(t, m->findings[i].code, m->findings[i].holds);
}

PUT(put_lost)
{
	text_u64(t, "clock", m->counters.clock);
	text_u64(t, "map_full", m->counters.map_full);
	text_u64(t, "missed", m->missed + m->counters.calls_missed);
	text_u64(t, "ring", m->lost_events + m->bad_events);
	text_u64(t, "switches", m->counters.switches_missed);
	text_u64(t, "unmatched", m->counters.unmatched);
}

PUT(put_processes) { text_u64(t, NULL, m->processes); }

PUT(put_bpf)
{
	if (m->cost_known)
		text_seconds(t, NULL, m->bpf_ns);
}

PUT_GLOBAL(put_cpu) { text_seconds(t, NULL, m->collector_cpu_ns); }
PUT_GLOBAL(put_scrapes) { text_u64(t, NULL, m->scrapes); }
PUT_GLOBAL(put_refused) { text_u64(t, NULL, m->refused); }

/* The last row: with itself, all that were written. */
PUT_GLOBAL(put_series)
{
	(void)m;
	text_u64(t, NULL, t->series + 1);
}

PUT_GLOBAL(put_series_limit) { text_u64(t, NULL, m->max_series); }
PUT_GLOBAL(put_build) { text_info(t, m->version, m->kernel); }

#define HISTOGRAM(name, label, put, help) \
	{ name "_seconds", METRIC_HISTOGRAM, "seconds", label, help, put, NULL }
#define COUNTER(name, label, put, help) \
	{ name, METRIC_COUNTER, NULL, label, help, put, NULL }
#define SECONDS(name, label, put, help) \
	{ name "_seconds", METRIC_COUNTER, "seconds", label, help, put, NULL }
#define GAUGE(name, label, put, help) \
	{ name, METRIC_GAUGE, NULL, label, help, put, NULL }

const struct metric metric_rows[] = {
	HISTOGRAM("exchange_duration", NULL, put_exchange,
		  "Latency of an exchange, one request and its response: from its first byte queued to "
		  "the socket until the kernel has taken the first byte of the answer."),
	HISTOGRAM("stage_duration", "stage", put_stage,
		  "The stages that an exchange's latency is the sum of; an exchange counts where it "
		  "has the stage."),
	SECONDS("stage_split", "part", put_split,
		"Time of the stages busy, dispatch and service by what the thread did: on the CPU, "
		"runnable or blocked. Only exchanges that could be split."),
	COUNTER("exchanges_marked", "kind", put_marked,
		"Exchanges with a remark: service over several turns, a stamp moved to keep the order, "
		"answered by another thread, busy merged into dispatch, read without a wait."),
	HISTOGRAM("send_duration", NULL, put_send,
		  "First to last byte of the answer handed to the kernel; not part of the latency."),
	HISTOGRAM("deliver_duration", NULL, put_deliver,
		  "Last byte handed over to last byte acknowledged, 1 us fine; not part of the latency."),
	HISTOGRAM("client_exchange_duration", NULL, put_client,
		  "Exchanges on connections that the target opened, the upstream side of a proxy: first "
		  "byte sent to first byte received."),
	HISTOGRAM("syscall_duration", "syscall", put_syscall,
		  "System calls of the target. Only with --syscalls."),
	COUNTER("syscall_errors", "syscall", put_syscall_errors,
		"System calls that failed, EAGAIN left out. Only with --syscalls."),
	COUNTER("syscall_eagain", "syscall", put_syscall_eagain,
		"System calls that ended with EAGAIN. Only with --syscalls."),
	HISTOGRAM("runqueue_duration", NULL, put_runqueue,
		  "Each wait of a thread for a CPU, after a wake-up or a preemption."),
	COUNTER("wakeups", NULL, put_wakeups, "Wake-ups of the target's threads."),
	COUNTER("preemptions", NULL, put_preemptions,
		"Times that a thread had to leave the CPU while it had work."),
	SECONDS("offcpu", "kind", put_offcpu,
		"Time that threads were blocked, by what they waited for; idle is a wait for events."),
	HISTOGRAM("turn_duration", "loop", put_turn,
		  "One trip round an event loop, from a return of the wait for events to the next wait."),
	{ "epoll_events_per_wait", METRIC_SUMMARY, NULL, "loop",
	  "Events that the waits of an event loop returned (sum) over its waits (count).",
	  put_events, NULL },
	COUNTER("loop_wakeups", "loop", put_loop_wakeups,
		"Waits for events in which the thread slept."),
	COUNTER("loop_exchanges", "loop", put_loop_exchanges, "Exchanges that a loop answered."),
	COUNTER("loop_accepts", "loop", put_loop_accepts, "Connections that a loop accepted."),
	SECONDS("loop_busy", "loop", put_loop_busy, "Time of a loop outside its waits for events."),
	SECONDS("loop_wait", "loop", put_loop_wait, "Time of a loop in its waits for events."),
	GAUGE("loops_merged", NULL, put_loops_merged,
	      "Event loops without series of their own: they are in loop=\"other\"."),
	GAUGE("connections", "state", put_connections, "Open connections by TCP state."),
	COUNTER("connections_opened", NULL, put_opened, "Connections accepted since the attach."),
	COUNTER("connections_closed", "reason", put_closed, "Accepted connections that closed."),
	COUNTER("connections_preexisting", NULL, put_preexisting,
		"Connections that a process of the target had when it was found."),
	COUNTER("connections_unaccepted", NULL, put_unaccepted,
		"Connections that closed in the accept queue: nobody accepted them."),
	HISTOGRAM("connection_duration", NULL, put_conn_duration,
		  "Life of an accepted connection, at its close, unless it was there before us. Counted "
		  "from events: what lost_total says of the ring is missing here."),
	COUNTER("retransmits", NULL, put_retransmits, "Segments that were sent again."),
	COUNTER("resets", NULL, put_resets, "Resets sent and received."),
	HISTOGRAM("accept_wait_duration", NULL, put_accept_wait,
		  "Connection established until accept returned it."),
	GAUGE("accept_queue_length", "port", put_queue_length,
	      "Connections in the accept queues of a port, now."),
	GAUGE("accept_queue_limit", "port", put_queue_limit,
	      "Connections that the accept queues of a port can hold."),
	COUNTER("listen_overflows", NULL, put_overflows,
		"Connections that the kernel dropped because an accept queue was full, in the whole "
		"network namespace of the target."),
	GAUGE("finding", "code", put_finding,
	      "1 if a diagnosis of the report holds for the last complete window (--finding-window), "
	      "else 0; no series for what cannot be judged."),
	COUNTER("lost", "what", put_lost,
		"What is missing in the other metrics: events that found the ring full, state that found "
		"no room, hooks the kernel skipped, unmatched exchanges, unusable clocks."),
	GAUGE("processes", NULL, put_processes,
	      "Processes of the target that run; 0 while it is waited for."),
	SECONDS("bpf", NULL, put_bpf,
		"CPU time of the kernel side, extrapolated from slices in which the kernel kept count; no "
		"series before the first slice, or without the privilege."),
	{ "collector_cpu_seconds", METRIC_COUNTER, "seconds", NULL,
	  "CPU time of the exporter itself.", NULL, put_cpu },
	{ "scrapes", METRIC_COUNTER, NULL, NULL, "Pages of metrics delivered.", NULL, put_scrapes },
	{ "http_refused", METRIC_COUNTER, NULL, NULL,
	  "Requests that were answered with an error, and connections that were shut because they were "
	  "too slow or too many.", NULL, put_refused },
	{ "series_limit", METRIC_GAUGE, NULL, NULL,
	  "Series that a page may have: --max-series.", NULL, put_series_limit },
	{ "build", METRIC_INFO, NULL, NULL, "Version of epollscope and of the kernel.", NULL,
	  put_build },
	{ "series", METRIC_GAUGE, NULL, NULL,
	  "Series on this page, the creation times of OpenMetrics among them.", NULL, put_series },
};

const size_t metric_count = sizeof(metric_rows) / sizeof(metric_rows[0]);
