/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_report.c - watch, then say where the P99 went. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/command_watch.h"
#include "cli/commands.h"
#include "cli/report_page.h"
#include "explain/finding.h"
#include "explain/report_build.h"
#include "explain/worst.h"
#include "render/render.h"

struct reporting {
	struct history *history;
	struct worst worst;
	struct report_page *page;	/* with --html; else NULL */
};

static int on_exchange(void *ctx, const struct exchange_info *x)
{
	struct reporting *r = ctx;

	history_add_exchange(r->history, &x->ex);
	worst_add(&r->worst, x, r->history);
	return 0;
}

static int fill_targets(struct report *r, const struct targets *t)
{
	r->targets = calloc(t->n ? t->n : 1, sizeof(*r->targets));
	if (!r->targets)
		return -1;
	for (r->n_targets = 0; r->n_targets < t->n; r->n_targets++) {
		struct target_info *to = &r->targets[r->n_targets];
		const struct target *from = &t->list[r->n_targets];

		to->pid = from->pid;
		memcpy(to->comm, from->comm, COMM_LEN);
		memcpy(to->exe, from->exe, sizeof(to->exe));
	}
	return 0;
}

static int fill_notes(struct report *r, const struct watch_result *w)
{
	const struct feature_set *set = &w->features;

	r->notes = calloc(FEATURE_COUNT + 1 + WATCH_NOTES, sizeof(*r->notes));
	if (!r->notes)
		return -1;
	for (size_t i = 0; i < w->n_notes; i++)
		r->notes[r->n_notes++] = w->notes[i];
	for (int f = 0; f < FEATURE_COUNT; f++) {
		int sub = feature_table[f].substitute;

		if (set->available[f] || f == FEATURE_SOCKET_OLD)
			continue;
		r->notes[r->n_notes++] = sub >= 0 && set->used[sub] ?
					 feature_table[sub].without : feature_table[f].without;
	}
	if (w->no_syscalls)
		r->notes[r->n_notes++] = "system calls were left out (--no-syscalls)";
	return 0;
}

static int build(struct report *r, const struct watch_result *w, const struct options *o,
		 struct history *history)
{
	struct report_source from = {
		.aggregate = w->aggregate, .facts = &w->facts, .history = history,
		.threshold = o->threshold, .events = w->events,
		.window_ns = w->end_ns > w->start_ns ? w->end_ns - w->start_ns : 0,
		.listen_overflows = w->listen_overflows,
	};

	r->version = w->version;
	memcpy(r->kernel, w->kernel, sizeof(r->kernel));
	memcpy(r->host, w->host, sizeof(r->host));
	r->start_realtime_ns = w->start_ns + (uint64_t)w->realtime_offset_ns;
	r->realtime_offset_ns = w->realtime_offset_ns;
	r->overhead.collector_cpu_seconds = w->collector_cpu_seconds;
	r->exchanges_only = w->rebuilt;
	r->loss_unknown = !w->loss_known;
	return fill_targets(r, &w->targets) || fill_notes(r, w) || report_build(r, &from) ? -1 : 0;
}

/* Where stacks were taken they name the code of what was computed, or slept in. */
static void name_code(struct report *r, struct report_page *page)
{
	static const char *const codes[] = { "loop-blocked", "slow-service", "blocking-call",
					     "lock-contention" };
	char code[COMM_LEN * 4];

	report_page_code(page, r, code, sizeof(code));
	for (size_t i = 0; code[0] && i < r->n_findings; i++) {
		struct finding *f = &r->findings[i];

		for (size_t k = 0; k < sizeof(codes) / sizeof(codes[0]); k++) {
			if (strcmp(f->code, codes[k]) != 0 || f->n_evidence == EVIDENCE_MAX)
				continue;
			evidence_name(f, "code", code);
			finding_say(f, " Most of the tail's stacks are under %s.",
				    f->evidence[f->n_evidence - 1].text);
		}
	}
}

static int print(const struct options *o, const struct watch_result *w,
		 struct reporting *reporting)
{
	struct style style = { .color = !o->json && options_color(o, 1) };
	struct report r = { .worst = reporting->worst.list, .n_worst = reporting->worst.n };
	int status = EXIT_FAULT;

	reporting->worst.list = NULL;
	if (build(&r, w, o, reporting->history)) {
		fail_line("out of memory");
	} else {
		if (reporting->page) {
			report_page_rate(reporting->page, w->stack_hz);
			name_code(&r, reporting->page);
		}
		if (o->json)
			render_report_json(stdout, &r);
		else
			render_report_text(stdout, &r, &style);
		status = EXIT_OK;
		if (reporting->page)
			status = report_page_write(reporting->page, &r,
						   reporting->worst.waterfalls);
		if (!status)
			status = command_status(o, w, r.loss.ring);
	}
	report_free(&r);
	return status;
}

int cmd_report(const struct options *o)
{
	struct watch_result w = { 0 };
	struct reporting r = { .history = history_new(o->html ? HISTORY_WHOLE : HISTORY_RECENT) };
	const struct sink history = history_sink(r.history), sink = {
		.needs = { .answers = true, .syscalls = true }, .exchange = on_exchange, .ctx = &r,
	};
	struct sinks sinks = { .list = { &history, &sink }, .n = 2 };
	int status = EXIT_OK, recorded;

	if (worst_init(&r.worst, o->top, o->html) || !r.history) {
		fail_line("out of memory");
		status = EXIT_FAULT;
	}
	if (!status && o->html)
		status = report_page_open(&r.page, o->html, r.history, o->hz);
	if (!status) {
		sinks_add(&sinks, report_page_sink(r.page));
		status = command_watch(o, &sinks, &w, &recorded);
	}
	/* The capture is written by now, so that both say the same; the report comes in any case. */
	if (!status) {
		status = print(o, &w, &r);
		status = recorded ? recorded : status;
	}
	worst_free(&r.worst);
	report_page_close(r.page);
	history_free(r.history);
	watch_result_free(&w);
	return status;
}
