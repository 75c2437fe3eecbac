/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.c - the report for people: one section after the other, the answer first. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "render/columns.h"
#include "render/render.h"

#define LABEL_COLUMNS 12
#define LOOPS_SHOWN 16
#define WAKERS_SHOWN 6
#define TARGETS_SHOWN 8

static void put_heading(FILE *out, const struct report *r, const struct style *style)
{
	char text[64];
	struct para p;

	para_begin(&p, out, style, "epollscope", LABEL_COLUMNS);
	if (r->version && escape_text(text, sizeof(text), r->version, strlen(r->version)))
		para_item(&p, ", ", "%s", text);
	para_item(&p, ", ", "%s from %s", format_ns(r->window_ns).s,
		  format_time(r->start_realtime_ns, 3).s);
	if (escape_text(text, sizeof(text), r->host, sizeof(r->host)))
		para_item(&p, ", ", "host %s", text);
	if (escape_text(text, sizeof(text), r->kernel, sizeof(r->kernel)))
		para_item(&p, ", ", "Linux %s", text);
	para_end(&p);
	if (!r->n_targets)
		return;
	para_begin(&p, out, style, "target", LABEL_COLUMNS);
	for (size_t i = 0; i < r->n_targets && i < TARGETS_SHOWN; i++) {
		const struct target_info *t = &r->targets[i];
		struct fmt comm = format_comm(t->comm, sizeof(t->comm), 24);

		if (t->exe[0] && i == 0)
			para_item(&p, ", ", "%s (pid %u, %s)", comm.s, t->pid,
				  format_comm(t->exe, sizeof(t->exe), 40).s);
		else
			para_item(&p, ", ", "%s (pid %u)", comm.s, t->pid);
	}
	if (r->n_targets > TARGETS_SHOWN)
		para_item(&p, ", ", "and %zu more", r->n_targets - TARGETS_SHOWN);
	para_end(&p);
}

static void put_worst(FILE *out, const struct report *r, const struct style *style)
{
	if (!r->n_worst)
		return;
	fputc('\n', out);
	render_slow_header(out, "WORST", style);
	for (size_t i = 0; i < r->n_worst; i++)
		render_slow_text(out, &r->worst[i], r->realtime_offset_ns, style);
}

static void put_rows(FILE *out, const struct style *style, const struct column *columns,
		     const void *rows, size_t n, size_t row_size)
{
	if (!n)
		return;
	fprintf(out, "\n%s", ink_on(style, INK_BOLD));
	text_heads(out, columns);
	fprintf(out, "%s\n", ink_off(style));
	for (size_t i = 0; i < n; i++) {
		text_cells(out, columns, (const char *)rows + i * row_size);
		fputc('\n', out);
	}
}

static void put_syscalls(FILE *out, const struct report *r, const struct style *style)
{
	char text[512];
	struct para p;

	put_rows(out, style, syscall_columns, r->syscalls, r->n_syscalls, sizeof(*r->syscalls));
	sampled_sentence(r, text, sizeof(text));
	if (!*text)
		return;
	para_begin(&p, out, style, "", 2);
	para_words(&p, text);
	para_end(&p);
}

static void put_wakers(FILE *out, const struct report *r)
{
	uint64_t all = 0, rest = 0;
	struct para p;

	for (size_t i = 0; i < r->n_wakers; i++)
		all += r->wakers[i].count;
	if (!all)
		return;
	para_begin(&p, out, NULL, "woken by", LABEL_COLUMNS);
	for (size_t i = 0; i < r->n_wakers; i++) {
		const struct waker_info *w = &r->wakers[i];

		if (i >= WAKERS_SHOWN)
			rest += w->count;
		else
			para_item(&p, ", ", "%s %s", format_comm(w->comm, sizeof(w->comm), 40).s,
				  format_share((double)w->count / (double)all).s);
	}
	if (rest)
		para_item(&p, ", ", "others %s", format_share((double)rest / (double)all).s);
	para_end(&p);
}

static void put_sched(FILE *out, const struct report *r, const struct style *style)
{
	const struct dist *d = &r->runqueue;
	uint64_t off = 0;
	struct para p;

	for (unsigned i = 0; i < OFFCPU_COUNT; i++)
		off += r->offcpu_count[i];
	if (!r->wakeups && !r->preemptions && !d->count && !off)
		return;
	fputc('\n', out);
	para_begin(&p, out, style, "SCHEDULER", LABEL_COLUMNS);
	text_counts(&p, sched_counts, r);
	para_end(&p);
	if (d->count) {
		para_begin(&p, out, NULL, "run queue", LABEL_COLUMNS);
		para_item(&p, ", ", "%s waits", format_count(d->count).s);
		text_percentiles(&p, latency_columns, d);
		para_end(&p);
	}
	if (off) {
		para_begin(&p, out, NULL, "off-CPU", LABEL_COLUMNS);
		for (unsigned i = 0; i < OFFCPU_COUNT; i++)
			if (r->offcpu_count[i])
				para_item(&p, ", ", "%s %s (%s times)", offcpu_name(i),
					  format_ns(r->offcpu_ns[i]).s,
					  format_count(r->offcpu_count[i]).s);
		para_end(&p);
	}
	put_wakers(out, r);
}

static void put_loops(FILE *out, const struct report *r, const struct style *style)
{
	put_rows(out, style, loop_columns, r->loops,
		 r->n_loops < LOOPS_SHOWN ? r->n_loops : LOOPS_SHOWN, sizeof(*r->loops));
	if (r->n_loops > LOOPS_SHOWN)
		fprintf(out, "... and %zu less busy ones (all are in --json)\n",
			r->n_loops - LOOPS_SHOWN);
	if (r->loops_merged)
		fprintf(out, "... and %s more that share one row (tid 0)\n",
			format_count(r->loops_merged).s);
}

static void put_listeners(FILE *out, const struct report *r)
{
	struct para p;

	for (size_t i = 0; i < r->n_listeners && i < TARGETS_SHOWN; i++) {
		const struct listener_info *l = &r->listeners[i];

		para_begin(&p, out, NULL, i ? "" : "listening", LABEL_COLUMNS);
		para_item(&p, ", ", "port %u:", l->port);
		para_item(&p, " ", "backlog %u", l->backlog);
		para_item(&p, ", ", "at most %u", l->backlog_max);
		para_item(&p, " ", "of %u", l->limit);
		para_item(&p, "; ", "%s queued", format_count(l->queued).s);
		para_item(&p, ", ", "%s accepted", format_count(l->accepted).s);
		para_end(&p);
	}
	if (r->connections.listen_overflows)
		fprintf(out, "%-*s%s connections were dropped: accept queue full\n", LABEL_COLUMNS,
			"overflow", format_count(r->connections.listen_overflows).s);
}

/* "label  name count, name count": only what is not zero. */
static void put_counts(FILE *out, const char *label, const uint64_t *count, unsigned n,
		       const char *(*name)(unsigned))
{
	struct para p;
	bool any = false;

	for (unsigned i = 0; i < n; i++) {
		if (!count[i])
			continue;
		if (!any)
			para_begin(&p, out, NULL, label, LABEL_COLUMNS);
		any = true;
		para_item(&p, ", ", "%s %s", name(i), format_count(count[i]).s);
	}
	if (any)
		para_end(&p);
}

static void put_connections(FILE *out, const struct report *r, const struct style *style)
{
	const struct dist *wait = &r->connections.accept_wait;
	struct para p;

	fputc('\n', out);
	para_begin(&p, out, style, "CONNECTIONS", LABEL_COLUMNS);
	text_counts(&p, connection_counts, r);
	text_counts(&p, network_counts, r);
	para_end(&p);
	put_counts(out, "in state", r->connections.by_state, TCP_STATES, tcp_state_name);
	put_counts(out, "closed by", r->connections.by_reason, CLOSE_REASONS, close_reason_name);
	if (wait->count) {
		para_begin(&p, out, NULL, "accept wait", LABEL_COLUMNS);
		para_item(&p, ", ", "%s accepts", format_count(wait->count).s);
		text_percentiles(&p, stage_columns, wait);
		para_end(&p);
	}
	put_listeners(out, r);
}

static void put_loss(FILE *out, const struct report *r, const struct style *style)
{
	struct para p;
	bool any = false;

	fputc('\n', out);
	for (const struct column *c = loss_counts; c->at.size && !r->loss_unknown; c++) {
		uint64_t lost = column_number(c, r);

		if (!lost)
			continue;
		para_begin(&p, out, style, any ? "" : "LOST", LABEL_COLUMNS);
		any = true;
		para_item(&p, " ", "%s", format_count(lost).s);
		para_words(&p, c->text);
		para_end(&p);
	}
	if (!any) {
		para_begin(&p, out, style, "LOST", LABEL_COLUMNS);
		para_words(&p, r->loss_unknown ? "not known: the recording has no end" : "nothing");
		para_end(&p);
	}
}

static void put_overhead(FILE *out, const struct report *r, const struct style *style)
{
	double collector = r->overhead.collector_cpu_seconds;
	struct para p;

	para_begin(&p, out, style, "OVERHEAD", LABEL_COLUMNS);
	if (!r->overhead.bpf_known)
		para_item(&p, ", ", "BPF not known%s",
			  r->exchanges_only ? "" : " (run-time statistics are off)");
	if (r->overhead.bpf_known && r->latency.count)
		para_item(&p, ", ", "%s ns of BPF an exchange",
			  format_count((uint64_t)(r->overhead.bpf_ns_per_exchange + 0.5)).s);
	if (r->overhead.bpf_known)
		para_item(&p, ", ", "BPF %s s",
			  format_decimal(r->overhead.bpf_cpu_seconds, 3).s);
	para_item(&p, ", ", "collector %s s", format_decimal(collector, 3).s);
	if (isfinite(collector) && r->window_ns)
		para_item(&p, " ", "(%s of a core)",
			  format_share(collector / ((double)r->window_ns / 1e9)).s);
	para_item(&p, ", ", "%s events read", format_count(r->events).s);
	para_end(&p);
}

static void put_budget(FILE *out, const struct report *r, const struct style *style)
{
	char text[512];
	struct para p;

	if (!budget_sentence(&r->budget, text, sizeof(text)))
		return;
	para_begin(&p, out, style, "BUDGET", LABEL_COLUMNS);
	para_words(&p, text);
	para_end(&p);
	for (unsigned step = 0; step < SHED_STEPS; step++) {
		if (!shed_sentence(&r->budget, step, r->realtime_offset_ns, text,
				  sizeof(text)))
			continue;
		para_begin(&p, out, NULL, "", LABEL_COLUMNS);
		para_words(&p, text);
		para_end(&p);
	}
}

static void put_notes(FILE *out, const struct report *r, const struct style *style)
{
	char text[512];
	struct para p;

	for (size_t i = 0; i < r->n_notes; i++) {
		escape_text(text, sizeof(text), r->notes[i], strlen(r->notes[i]));
		para_begin(&p, out, style, i ? "" : "NOTES", LABEL_COLUMNS);
		para_words(&p, text);
		para_end(&p);
	}
}

void render_report_text(FILE *out, const struct report *r, const struct style *style)
{
	put_heading(out, r, style);
	fputc('\n', out);
	put_diagnosis(out, r, style);
	put_summary(out, r);
	put_latency(out, r, style);
	put_ledger(out, r, style);
	put_holds(out, r, style);
	put_traffic(out, r, style);
	put_worst(out, r, style);
	if (!r->exchanges_only) {
		put_syscalls(out, r, style);
		put_sched(out, r, style);
		put_loops(out, r, style);
		put_connections(out, r, style);
	}
	put_loss(out, r, style);
	put_overhead(out, r, style);
	put_budget(out, r, style);
	put_notes(out, r, style);
}
