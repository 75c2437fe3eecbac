/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_tables.c - system calls, event loops, the scheduler, connections. */
#include <inttypes.h>

#include "render/html_private.h"
#include "render/render.h"
#include "base/term.h"

#define LOOPS_SHOWN 64

static void put_syscalls(FILE *out, const struct report *r)
{
	static const char *const heads[] = { "Call", "Count", "Errors", "EAGAIN", "P50", "P99",
					     "Max", "Total", NULL };

	fputs("<h3>System calls</h3>\n", out);
	if (!r->n_syscalls) {
		fputs("<p>None were timed.</p>\n", out);
		return;
	}
	html_table(out, "System calls", heads);
	for (size_t i = 0; i < r->n_syscalls; i++) {
		const struct syscall_info *s = &r->syscalls[i];

		fputs("<tr><th scope=\"row\">", out);
		html_text(out, s->name);
		fputs("</th>", out);
		html_cell_count(out, s->dist.count);
		html_cell_count(out, s->errors);
		html_cell_count(out, s->eagain);
		html_cell_ns(out, s->dist.count, s->dist.p50_ns);
		html_cell_ns(out, s->dist.count, s->dist.p99_ns);
		html_cell_ns(out, s->dist.count, s->dist.max_ns);
		html_cell_ns(out, true, s->dist.sum_ns);
		fputs("</tr>\n", out);
	}
	html_table_end(out);
}

static void put_loop(FILE *out, const struct loop_info *l)
{
	fputs("<tr><th scope=\"row\">", out);
	html_bytes(out, l->comm, sizeof(l->comm));
	fprintf(out, "</th><td>%u</td>", l->tid);
	html_cell_count(out, l->turns);
	fprintf(out, "<td>%s</td>", l->turns ? format_decimal((double)l->events /
							      (double)l->turns, 1).s : "–");
	html_cell_count(out, l->exchanges);
	html_cell_count(out, l->accepts);
	html_cell_share(out, l->busy_share);
	html_cell_ns(out, l->turn.count, l->turn.p99_ns);
	html_cell_ns(out, l->turn.count, l->turn.max_ns);
	fputs("</tr>\n", out);
}

static void put_loops(FILE *out, const struct report *r)
{
	static const char *const heads[] = { "Loop", "Thread", "Turns", "Events a wait",
					     "Exchanges", "Accepts", "Busy", "Turn P99",
					     "Turn max", NULL };

	if (!r->n_loops)
		return;
	fputs("<h3>Event loops</h3>\n", out);
	html_table(out, "Event loops", heads);
	for (size_t i = 0; i < r->n_loops && i < LOOPS_SHOWN; i++)
		put_loop(out, &r->loops[i]);
	html_table_end(out);
	if (r->n_loops > LOOPS_SHOWN)
		fprintf(out, "<p class=\"note\">and %zu less busy ones (all are in --json)</p>\n",
			r->n_loops - LOOPS_SHOWN);
	if (r->loops_merged)
		fprintf(out, "<p class=\"note\">and %s more that share one row (thread 0)</p>\n",
			format_count(r->loops_merged).s);
}

static void put_pair(FILE *out, const char *name, uint64_t n)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_count(out, n);
	fputs("</dd></div>", out);
}

static void put_time(FILE *out, const char *name, uint64_t ns)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_ns(out, ns);
	fputs("</dd></div>", out);
}

static void put_sched(FILE *out, const struct report *r)
{
	fputs("<h3>Scheduler</h3>\n<dl class=\"pairs\">", out);
	put_pair(out, "wake-ups", r->wakeups);
	put_pair(out, "preemptions", r->preemptions);
	if (r->switches_missed)
		put_pair(out, "switches that the kernel did not tell of", r->switches_missed);
	if (r->runqueue.count) {
		put_time(out, "run queue P50", r->runqueue.p50_ns);
		put_time(out, "run queue P99", r->runqueue.p99_ns);
		put_time(out, "run queue max", r->runqueue.max_ns);
	}
	for (unsigned i = 0; i < OFFCPU_COUNT; i++) {
		if (!r->offcpu_count[i])
			continue;
		fprintf(out, "<div><dt>off-CPU, %s</dt><dd>", offcpu_name(i));
		html_ns(out, r->offcpu_ns[i]);
		fprintf(out, " in %s</dd></div>", format_count(r->offcpu_count[i]).s);
	}
	fputs("</dl>\n", out);
}

static void put_wakers(FILE *out, const struct report *r)
{
	static const char *const heads[] = { "Woken by", "Times", NULL };

	if (!r->n_wakers)
		return;
	html_table(out, "Who woke the loops", heads);
	for (size_t i = 0; i < r->n_wakers && i < 8; i++) {
		fputs("<tr><th scope=\"row\">", out);
		html_bytes(out, r->wakers[i].comm, sizeof(r->wakers[i].comm));
		fputs("</th>", out);
		html_cell_count(out, r->wakers[i].count);
		fputs("</tr>\n", out);
	}
	html_table_end(out);
}

static void put_connections(FILE *out, const struct report *r)
{
	const struct dist *wait = &r->connections.accept_wait;

	fputs("<h3>Connections</h3>\n<dl class=\"pairs\">", out);
	put_pair(out, "opened", r->connections.opened);
	put_pair(out, "closed", r->connections.closed);
	put_pair(out, "active", r->connections.active);
	put_pair(out, "older than the attach", r->connections.preexisting);
	if (r->connections.unknown)
		put_pair(out, "never accepted", r->connections.unknown);
	put_pair(out, "retransmits", r->connections.retransmits);
	put_pair(out, "resets", r->connections.resets);
	if (r->connections.listen_overflows)
		put_pair(out, "dropped: accept queue full", r->connections.listen_overflows);
	for (unsigned i = 0; i < TCP_STATES; i++)
		if (r->connections.by_state[i])
			put_pair(out, tcp_state_name(i), r->connections.by_state[i]);
	for (unsigned i = 0; i < CLOSE_REASONS; i++) {
		if (!r->connections.by_reason[i])
			continue;
		fprintf(out, "<div><dt>closed by %s</dt><dd>", close_reason_name(i));
		html_count(out, r->connections.by_reason[i]);
		fputs("</dd></div>", out);
	}
	if (wait->count) {
		put_time(out, "accept wait P50", wait->p50_ns);
		put_time(out, "accept wait P99", wait->p99_ns);
		put_time(out, "accept wait max", wait->max_ns);
	}
	fputs("</dl>\n", out);
}

static void put_listeners(FILE *out, const struct report *r)
{
	static const char *const heads[] = { "Port", "Backlog", "At most", "Limit", "Queued",
					     "Accepted", NULL };

	if (!r->n_listeners)
		return;
	html_table(out, "Listening sockets", heads);
	for (size_t i = 0; i < r->n_listeners; i++) {
		const struct listener_info *l = &r->listeners[i];

		fprintf(out, "<tr><th scope=\"row\">%u</th>", l->port);
		html_cell_count(out, l->backlog);
		html_cell_count(out, l->backlog_max);
		html_cell_count(out, l->limit);
		html_cell_count(out, l->queued);
		html_cell_count(out, l->accepted);
		fputs("</tr>\n", out);
	}
	html_table_end(out);
}

void html_put_tables(FILE *out, const struct html_page *p)
{
	html_section(out, "details", "Details");
	if (p->r->exchanges_only) {
		fputs("<p>Not known: the recording has no end.</p>\n", out);
	} else {
		put_syscalls(out, p->r);
		put_loops(out, p->r);
		put_sched(out, p->r);
		put_wakers(out, p->r);
		put_connections(out, p->r);
		put_listeners(out, p->r);
	}
	html_section_end(out);
}
