/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_report.c - watch, then say where the P99 went; with --html as a page too. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/out_file.h"
#include "base/status.h"
#include "capture/watch_result.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "explain/finding.h"
#include "explain/heatmap.h"
#include "explain/waterfall.h"
#include "render/render.h"
#include "stream/sink.h"

struct reporting {
	const struct options *o;
	struct history *history;
	struct worst worst;
	/* With --html; else NULL: */
	struct out_file page;
	struct heatmap *heat;
	struct profile *profile;
	struct flame_tree *tree;	/* of the tail, */
	struct profile_tail tail;	/* which it is of */
};

static int on_exchange(void *ctx, const struct exchange_info *x)
{
	struct reporting *r = ctx;

	history_add(r->history, EV_EXCHANGE, &x->ex);
	worst_add(&r->worst, x, r->history);
	return 0;
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	profile_stack(((struct reporting *)ctx)->profile, s);
}

static void on_latency(void *ctx, uint64_t now_ns, const struct hist *total)
{
	heatmap_feed(((struct reporting *)ctx)->heat, now_ns, total);
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

		if (set->available[f] || f == FEATURE_SOCKET_OLD || feature_table[f].cheaper)
			continue;
		r->notes[r->n_notes++] = sub >= 0 && set->used[sub] ?
					 feature_table[sub].without : feature_table[f].without;
	}
	if (w->no_syscalls)
		r->notes[r->n_notes++] = "system calls were left out (--syscalls off)";
	return 0;
}

static bool build(struct report *r, const struct watch_result *w, const struct options *o,
		 struct history *history)
{
	r->version = w->version;
	memcpy(r->kernel, w->kernel, sizeof(r->kernel));
	memcpy(r->host, w->host, sizeof(r->host));
	r->start_realtime_ns = w->start_ns + (uint64_t)w->realtime_offset_ns;
	r->realtime_offset_ns = w->realtime_offset_ns;
	r->window_ns = w->end_ns > w->start_ns ? w->end_ns - w->start_ns : 0;
	r->events = w->events;
	r->connections.listen_overflows = w->listen_overflows;
	r->overhead.collector_cpu_seconds = w->collector_cpu_seconds;
	r->budget = w->budget;
	r->exchanges_only = w->rebuilt;
	r->loss_unknown = !w->loss_known;
	r->tail_permille = o->tail_permille;
	return fill_targets(r, &w->targets) || fill_notes(r, w) ||
	       report_build(r, w->aggregate, &w->facts, history, o->threshold);
}

/* Where stacks were taken they name the code of what was computed, or slept in. */
static void name_code(struct report *r, const struct flame_tree *tree)
{
	static const char *const codes[] = { "loop-blocked", "slow-service", "blocking-call",
					     "lock-contention" };
	char code[COMM_LEN * 4] = "";

	hot_code(tree, code, sizeof(code));
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

/* After the watch: only then it is known how often stacks were taken. 0 or -ENOMEM. */
static int make_tree(struct reporting *t, struct report *r, uint32_t hz)
{
	int err;

	t->tail = (struct profile_tail){ .from_ns = report_tail_ns(r), .to_ns = UINT64_MAX };
	t->tree = flame_new();
	t->profile->hz = hz;
	err = t->tree ? profile_tree(t->profile, PROFILE_TAIL, false, &t->tail, t->tree) : -ENOMEM;
	if (!err && hz && shed_share(&r->budget.shed[SHED_STACKS], r->window_ns, r->latency.count) <=
			  t->o->threshold[THRESHOLD_LOST])
		name_code(r, t->tree);
	return err;
}

static int write_page(struct reporting *t, const struct report *r, uint32_t hz)
{
	struct html_page page = {
		.r = r, .heat = t->heat, .waterfalls = t->worst.waterfalls,
		.tree = hz ? t->tree : NULL, .tail = t->tail,
	};

	profile_get_stats(t->profile, PROFILE_TAIL, &page.stacks);
	out_file_begin(&t->page);
	return html_write(t->page.f, &page);
}

/* The page's file is closed; one that was not there before goes if it is not whole. */
static int end_page(struct out_file *page, int err)
{
	/* out_file_end() prints what could not be written. */
	if (err && err != -EIO) {
		fail_line("cannot write '%s': %s", page->path, strerror(-err));
		out_file_drop(page);
	}
	return out_file_end(page) || err ? EXIT_FAULT : EXIT_OK;
}

static int print(struct reporting *t, const struct watch_result *w)
{
	const struct options *o = t->o;
	struct style style = { .color = !o->json && options_color(o, 1) };
	struct report r = { .worst = t->worst.list, .n_worst = t->worst.n };
	int err = 0, status = EXIT_OK;

	t->worst.list = NULL;
	if (build(&r, w, o, t->history)) {
		fail_line("out of memory");
		report_free(&r);
		return EXIT_FAULT;
	}
	if (o->html)
		err = make_tree(t, &r, w->stack_hz);
	if (o->json)
		render_report_json(stdout, &r);
	else
		render_report_text(stdout, &r, &style);
	if (o->html)
		status = end_page(&t->page, err ? err : write_page(t, &r, w->stack_hz));
	report_free(&r);
	return status ? status : command_status(o, w);
}

static int prepare(struct reporting *t)
{
	const char *html = t->o->html;

	if (html && t->history) {
		t->heat = heatmap_new();
		t->profile = profile_new(t->history);
	}
	if (!t->history || worst_init(&t->worst, t->o->top, html) ||
	    (html && (!t->heat || !t->profile))) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	/* A bad name is known before the watch. */
	return out_file_open(&t->page, html) ? EXIT_FAULT : EXIT_OK;
}

int cmd_report(const struct options *o)
{
	struct watch_result w = { 0 };
	struct reporting t = {
		.o = o, .history = history_new(o->html ? HISTORY_WHOLE : HISTORY_RECENT),
	};
	const struct sink history = history_sink(t.history), sink = {
		.needs = { .answers = true, .syscalls = true }, .exchange = on_exchange, .ctx = &t,
	}, page = {
		.needs = { .intervals = true, .stack_hz = o->hz },
		.stack = on_stack, .latency = on_latency, .ctx = &t,
	};
	struct sinks sinks = { .list = { &history, &sink, &page }, .n = o->html ? 3 : 2 };
	int recorded, status = prepare(&t);

	status = status ? status : command_watch(o, &sinks, &w, &recorded);
	/* The capture is written by now, so that both say the same; the report comes in any case. */
	if (!status) {
		status = print(&t, &w);
		status = recorded ? recorded : status;
	}
	out_file_end(&t.page);
	worst_free(&t.worst);
	flame_free(t.tree);
	free(t.heat);
	profile_free(t.profile);
	history_free(t.history);
	watch_result_free(&w);
	return status;
}
