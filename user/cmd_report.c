// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cmd_report.c - watch, then say where the P99 went. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "commands.h"
#include "finding.h"
#include "render.h"
#include "status.h"
#include "watch.h"

/* The slowest exchanges, slowest first, and what explains them. */
struct worst {
	struct exchange_info *list;
	size_t n, room;
	struct blame *blame;
};

static void on_turn(void *ctx, const struct ev_turn *t)
{
	blame_turn(((struct worst *)ctx)->blame, t);
}

static void on_offcpu(void *ctx, const struct ev_offcpu *o)
{
	blame_offcpu(((struct worst *)ctx)->blame, o);
}

static int keep_worst(void *ctx, const struct exchange_info *x)
{
	struct worst *w = ctx;
	size_t i;

	blame_exchange(w->blame, &x->ex);
	if (!w->room || (w->n == w->room &&
			 x->ex.latency_ns <= w->list[w->n - 1].ex.latency_ns))
		return 0;
	if (w->n < w->room)
		w->n++;
	for (i = w->n - 1; i > 0 && w->list[i - 1].ex.latency_ns < x->ex.latency_ns; i--)
		w->list[i] = w->list[i - 1];
	w->list[i] = *x;
	return 0;
}

static void fill_place(struct report *r)
{
	struct utsname u;

	if (uname(&u))
		return;
	snprintf(r->kernel, sizeof(r->kernel), "%s", u.release);
	snprintf(r->host, sizeof(r->host), "%s", u.nodename);
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

static int fill_notes(struct report *r, const struct feature_set *set, const struct options *o)
{
	r->notes = calloc(FEATURE_COUNT + 1, sizeof(*r->notes));
	if (!r->notes)
		return -1;
	for (int f = 0; f < FEATURE_COUNT; f++) {
		int sub = feature_table[f].substitute;

		if (set->available[f] || f == FEATURE_SOCKET_OLD)
			continue;
		r->notes[r->n_notes++] = sub >= 0 && set->used[sub] ?
					 feature_table[sub].without : feature_table[f].without;
	}
	if (o->no_syscalls)
		r->notes[r->n_notes++] = "system calls were left out (--no-syscalls)";
	return 0;
}

static double own_cpu_seconds(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u))
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int fill_report(struct report *r, const struct watch_result *w, const struct options *o)
{
	r->version = EPOLLSCOPE_VERSION;
	r->start_realtime_ns = w->start_ns + (uint64_t)w->realtime_offset_ns;
	r->realtime_offset_ns = w->realtime_offset_ns;
	r->window_ns = w->end_ns - w->start_ns;
	r->events = w->events;
	r->connections.listen_overflows = w->listen_overflows;
	r->overhead.collector_cpu_seconds = own_cpu_seconds();
	fill_place(r);
	if (aggregate_report(w->aggregate, r) || fill_targets(r, &w->targets) ||
	    fill_notes(r, &w->features, o))
		return -1;
	return 0;
}

/* The tail that the ledger's shares speak of: the P99's bucket and above. */
static uint64_t tail_ns(const struct report *r)
{
	unsigned bucket = hist_bucket(r->latency.p99_ns);

	return bucket ? hist_bucket_upper(bucket - 1) + 1 : 0;
}

static int fill_diagnosis(struct report *r, const struct watch_result *w, const struct options *o,
			  struct blame *blame)
{
	struct blame_sums sums;
	struct finding_input in = {
		.r = r, .n = &w->aggregate->counters, .b = &sums, .facts = &w->facts,
		.threshold = o->threshold,
	};

	r->findings = calloc(FINDINGS_MAX, sizeof(*r->findings));
	if (!r->findings)
		return -1;
	blame_join(blame, tail_ns(r), &sums);
	r->n_findings = diagnose(&in, r->findings, FINDINGS_MAX);
	return 0;
}

int cmd_report(const struct options *o)
{
	struct style style = { .color = !o->json && options_color(o, 1) };
	struct worst worst = { .room = o->top };
	struct watch_handlers handlers = {
		.exchange = keep_worst, .turn = on_turn, .offcpu = on_offcpu, .ctx = &worst,
		.syscalls = true, .blame = true,
	};
	struct report r = { 0 };
	struct watch_result w;
	int status;

	worst.list = calloc(o->top ? o->top : 1, sizeof(*worst.list));
	worst.blame = blame_new();
	if (!worst.list || !worst.blame) {
		fail_line("out of memory");
		free(worst.list);
		blame_free(worst.blame);
		return EXIT_FAULT;
	}
	status = watch(o, &handlers, &w);
	if (!status) {
		r.worst = worst.list;
		r.n_worst = worst.n;
		worst.list = NULL;
		if (fill_report(&r, &w, o) || fill_diagnosis(&r, &w, o, worst.blame)) {
			fail_line("out of memory");
			status = EXIT_FAULT;
		} else {
			if (o->json)
				render_report_json(stdout, &r);
			else
				render_report_text(stdout, &r, &style);
			status = watch_status(o, &w, r.loss.ring);
		}
	}
	free(worst.list);
	blame_free(worst.blame);
	report_free(&r);
	watch_free(&w);
	return status;
}
