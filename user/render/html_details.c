/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html_details.c - system calls, event loops, the scheduler, connections; what was lost, what
 * watching cost, what this kernel could not tell.
 */
#include <math.h>

#include "render/html_parts.h"

#define LOOPS_SHOWN 64
#define WAKERS_SHOWN 8

static void put_rows(FILE *out, const char *label, const struct column *columns, const void *rows,
		     size_t n, size_t row_size)
{
	html_table_begin(out, label, "");
	html_heads(out, columns);
	html_table_body(out);
	for (size_t i = 0; i < n; i++)
		html_row(out, columns, (const char *)rows + i * row_size);
	html_table_end(out);
}

static void put_syscalls(FILE *out, const struct report *r)
{
	char text[512];

	fputs("<h3>System calls</h3>\n", out);
	if (r->n_syscalls)
		put_rows(out, "System calls", syscall_columns, r->syscalls, r->n_syscalls,
			 sizeof(*r->syscalls));
	else
		fputs("<p>None were timed.</p>\n", out);
	sampled_sentence(r, text, sizeof(text));
	if (*text)
		fprintf(out, "<p class=\"note\">%s</p>\n", text);
}

static void put_loops(FILE *out, const struct report *r)
{
	if (!r->n_loops)
		return;
	fputs("<h3>Event loops</h3>\n", out);
	put_rows(out, "Event loops", loop_columns, r->loops,
		 r->n_loops < LOOPS_SHOWN ? r->n_loops : LOOPS_SHOWN, sizeof(*r->loops));
	if (r->n_loops > LOOPS_SHOWN)
		fprintf(out, "<p class=\"note\">and %zu less busy ones (all are in --json)</p>\n",
			r->n_loops - LOOPS_SHOWN);
	if (r->loops_merged)
		fprintf(out, "<p class=\"note\">and %s more that share one row (thread 0)</p>\n",
			format_count(r->loops_merged).s);
}

/* "run queue P50" and so on, as text has them in a line. */
static void put_waits(FILE *out, const char *name, const struct dist *d)
{
	char words[32];

	for (const struct column *c = stage_columns; c->at.size && d->count; c++) {
		if (c->unit != COLUMN_NS || !c->text)
			continue;
		snprintf(words, sizeof(words), "%s %s", name, c->text);
		html_pair(out, words, html_ns(column_number(c, d)).s);
	}
}

static void put_sched(FILE *out, const struct report *r)
{
	fputs("<h3>Scheduler</h3>\n<dl class=\"pairs\">", out);
	html_pairs(out, sched_counts, r);
	put_waits(out, "run queue", &r->runqueue);
	for (unsigned i = 0; i < OFFCPU_COUNT; i++)
		if (r->offcpu_count[i])
			fprintf(out, "<div><dt>off-CPU, %s</dt><dd>%s in %s</dd></div>",
				offcpu_name(i), html_ns(r->offcpu_ns[i]).s,
				format_count(r->offcpu_count[i]).s);
	fputs("</dl>\n", out);
}

static void put_connections(FILE *out, const struct report *r)
{
	fputs("<h3>Connections</h3>\n<dl class=\"pairs\">", out);
	html_pairs(out, connection_counts, r);
	html_pairs(out, network_counts, r);
	if (r->connections.listen_overflows)
		html_pair(out, "dropped: accept queue full",
			  html_count(r->connections.listen_overflows).s);
	for (unsigned i = 0; i < TCP_STATES; i++)
		if (r->connections.by_state[i])
			html_pair(out, tcp_state_name(i), html_count(r->connections.by_state[i]).s);
	for (unsigned i = 0; i < CLOSE_REASONS; i++)
		if (r->connections.by_reason[i])
			fprintf(out, "<div><dt>closed by %s</dt><dd>%s</dd></div>",
				close_reason_name(i), html_count(r->connections.by_reason[i]).s);
	put_waits(out, "accept wait", &r->connections.accept_wait);
	fputs("</dl>\n", out);
}

static void put_kinds(FILE *out, const struct report *r)
{
	char text[768];

	if (!traffic_known(r))
		return;
	fputs("<h3>Traffic</h3>\n", out);
	html_table_begin(out, "Traffic", HTML_HEAD("Kind") HTML_HEAD("Connections") HTML_HEAD("Exchanges")
			 HTML_HEAD("In") HTML_HEAD("Out") HTML_HEAD("P50") HTML_HEAD("P99")
			 HTML_HEAD("Protocols"));
	html_table_body(out);
	for (unsigned i = 0; i < TRAFFIC_KINDS - 1; i++) {
		const struct traffic_info *t = &r->traffic[i];
		bool timed = t->latency.count > 0;

		if (!t->connections && !t->exchanges)
			continue;
		traffic_protocols(t, text, sizeof(text));
		fprintf(out, "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td>",
			traffic_kind_name(i + 1),
			html_count(t->connections).s, timed ? html_count(t->exchanges).s : "");
		fprintf(out, "<td>%s</td><td>%s</td><td>%s</td>", format_short(t->bytes_in).s,
			format_short(t->bytes_out).s, timed ? html_ns(t->latency.p50_ns).s : "");
		fprintf(out, "<td>%s</td><td>%s</td></tr>\n",
			timed ? html_ns(t->latency.p99_ns).s : "", text);
	}
	html_table_end(out);
	traffic_sentences(r, text, sizeof(text));
	if (*text)
		fprintf(out, "<p class=\"note\">%s</p>\n", text);
}

void html_put_details(FILE *out, const struct html_page *p)
{
	html_section(out, "details", "Details");
	if (p->r->exchanges_only) {
		fputs("<p>Not known: the recording has no end.</p>\n", out);
	} else {
		put_kinds(out, p->r);
		put_syscalls(out, p->r);
		put_loops(out, p->r);
		put_sched(out, p->r);
		if (p->r->n_wakers)
			put_rows(out, "Who woke the loops", waker_columns, p->r->wakers,
				 p->r->n_wakers < WAKERS_SHOWN ? p->r->n_wakers : WAKERS_SHOWN,
				 sizeof(*p->r->wakers));
		put_connections(out, p->r);
		if (p->r->n_listeners)
			put_rows(out, "Listening sockets", listener_columns, p->r->listeners,
				 p->r->n_listeners, sizeof(*p->r->listeners));
	}
	html_section_end(out);
}

static void put_loss(FILE *out, const struct report *r)
{
	if (r->loss_unknown) {
		fputs("<p>Loss is not known: the recording has no end.</p>\n", out);
		return;
	}
	if (!columns_sum(loss_counts, r))
		fputs("<p>Nothing was lost.</p>\n", out);
	html_table_begin(out, "Losses", HTML_HEAD("Counter") HTML_HEAD("Lost")
			 HTML_HEAD("What that means"));
	html_table_body(out);
	for (const struct column *c = loss_counts; c->at.size; c++)
		fprintf(out, "<tr><th scope=\"row\">%s</th><td>%s</td><td class=\"why\">%s</td></tr>\n",
			c->key, html_count(column_number(c, r)).s, html_text(c->html).s);
	html_table_end(out);
}

static void put_budget(FILE *out, const struct report *r)
{
	char text[512];

	if (!budget_sentence(&r->budget, text, sizeof(text)))
		return;
	fprintf(out, "<p>Budget: %s</p>\n", text);
	for (unsigned step = 0; step < SHED_STEPS; step++)
		if (shed_sentence(&r->budget, step, r->realtime_offset_ns, text,
				  sizeof(text)))
			fprintf(out, "<p>%s</p>\n", text);
}

static void put_overhead(FILE *out, const struct report *r)
{
	double collector = r->overhead.collector_cpu_seconds;

	fputs("<h3>Overhead</h3>\n<dl class=\"pairs\">", out);
	if (!r->overhead.bpf_known)
		html_pair(out, "BPF", r->exchanges_only ? "not known" :
			  "not known (run-time statistics are off)");
	if (r->overhead.bpf_known && r->latency.count)
		fprintf(out, "<div><dt>BPF an exchange</dt><dd>%s ns</dd></div>",
			format_count((uint64_t)(r->overhead.bpf_ns_per_exchange + 0.5)).s);
	if (r->overhead.bpf_known)
		fprintf(out, "<div><dt>BPF</dt><dd>%s s</dd></div>",
			format_decimal(r->overhead.bpf_cpu_seconds, 3).s);
	if (isfinite(collector))
		fprintf(out, "<div><dt>collector</dt><dd>%s s</dd></div>",
			format_decimal(collector, 3).s);
	if (isfinite(collector) && r->window_ns)
		html_pair(out, "collector, of a core",
			  html_share(collector / ((double)r->window_ns / 1e9)).s);
	html_pair(out, "events read", html_count(r->events).s);
	fputs("</dl>\n", out);
	put_budget(out, r);
	fputs("<p class=\"note\">With the stacks that a flame graph needs, "
	      "watching costs more than for a report alone.</p>\n", out);
}

void html_put_loss(FILE *out, const struct html_page *p)
{
	const struct report *r = p->r;

	html_section(out, "loss", "Loss and overhead");
	put_loss(out, r);
	put_overhead(out, r);
	if (r->n_notes) {
		fputs("<h3>Notes</h3>\n<ul class=\"notes\">", out);
		for (size_t i = 0; i < r->n_notes; i++)
			fprintf(out, "<li>%s</li>", html_bytes(r->notes[i], 512).s);
		fputs("</ul>\n", out);
	}
	html_section_end(out);
}
