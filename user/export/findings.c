/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* findings.c - the diagnosis of one window after the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/correlate.h"
#include "explain/finding.h"
#include "export/export.h"

/* An exchange may come this long after its end: the records that explain it are kept as long. */
#define LATE_NS (CORRELATE_WAIT_NS + 1000000000ULL)

int export_findings_open(struct export_findings *f, const struct export_config *config,
			 const struct watch_result *r)
{
	*f = (struct export_findings){ .config = config, .r = r };
	f->history = history_new(HISTORY_RECENT);
	return f->history ? 0 : -ENOMEM;
}

void export_findings_close(struct export_findings *f)
{
	history_free(f->history);
	aggregate_free(f->then);
	free(f->pids);
}

/* The eventpolls, which take long to read, matter to a rule that needs the system calls too. */
static struct aggregate *read_now(const struct export_findings *f, const struct live *w)
{
	struct aggregate *a = aggregate_new();
	int err = -1;

	if (a)
		err = f->config->syscalls ? live_read(w, a) : live_read_brief(w, a);
	if (!err)
		return a;
	aggregate_free(a);
	return NULL;
}

/* --- the runtime, which can be looked up only with privileges --- */

static bool learn_runtime(struct export_findings *f, uint32_t pid, bool *go)
{
	struct proc_stat st;

	*go = false;
	if (proc_stat(pid, &st))
		return true;	/* the process has ended */
	for (size_t i = 0; i < f->n_runtimes; i++)
		if (!strcmp(f->runtimes[i].comm, st.comm)) {
			*go = f->runtimes[i].go;
			return true;
		}
	if (!facts_runtime(pid, go))
		return false;
	if (f->n_runtimes < RUNTIMES) {
		strcpy(f->runtimes[f->n_runtimes].comm, st.comm);
		f->runtimes[f->n_runtimes++].go = *go;
	}
	return true;
}

/* Whether the runtime of every running process is known. */
static bool learn_runtimes(struct export_findings *f, const struct live *w, bool *go)
{
	bool known = true, one;
	size_t n;
	const uint32_t *pids = live_pids(w, &n);

	*go = false;
	for (size_t i = 0; i < n; i++) {
		known = learn_runtime(f, pids[i], &one) && known;
		*go = *go || one;
	}
	return known;
}

/* --- a window --- */

static void begin(struct export_findings *f, const struct live *w, struct aggregate *now,
		  uint64_t now_ns)
{
	size_t n;
	const uint32_t *pids = live_pids(w, &n);
	uint32_t *grown = reallocarray(f->pids, n + 1, sizeof(*grown));

	f->n_pids = 0;
	if (grown) {
		f->pids = grown;
		f->n_pids = n;
		for (size_t i = 0; i < n; i++)
			grown[i] = pids[i];
	}
	aggregate_free(f->then);
	f->then = now;
	f->began_ns = now_ns;
	f->events = f->r->events;
	f->budget = f->r->budget;
	facts_usage_begin(&f->facts, f->pids, f->n_pids);
	f->overflows = f->n_pids ? proc_listen_overflows(f->pids[0]) : 0;
	history_forget(f->history, now_ns > LATE_NS ? now_ns - LATE_NS : 0);
}

/* A loop that did not turn is idle, or its thread has ended. */
static void leave_out_ended(struct aggregate *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_loops; i++) {
		const struct loop *l = &d->loops[i];
		uint32_t pid;

		if (!l->turns && (!l->tid || proc_tgid(l->tid, &pid) || pid != l->pid))
			continue;
		if (n != i)
			d->loops[n] = d->loops[i];
		n++;
	}
	d->n_loops = n;
}

static uint64_t overflows_since(const struct export_findings *f)
{
	uint64_t now = f->n_pids ? proc_listen_overflows(f->pids[0]) : 0;

	return now > f->overflows ? now - f->overflows : 0;
}

/* Codes of what can be judged here at all. */
static void list_codes(struct export_findings *f, const struct report *r, bool runtime)
{
	const char *codes[METRICS_CODES];
	unsigned lacks = NEEDS_DESCRIPTORS | NEEDS_END |
			 finding_lacks(r, f->config->threshold[THRESHOLD_LOST]);

	if (!runtime)
		lacks |= NEEDS_RUNTIME;
	if (!f->config->syscalls)
		lacks |= NEEDS_CALLS;
	f->n = finding_codes(lacks, codes, METRICS_CODES);
	for (size_t i = 0; i < f->n; i++)
		f->list[i] = (struct metrics_finding){ .code = codes[i] };
}

static void mark(struct export_findings *f, const struct report *r)
{
	for (size_t i = 0; i < r->n_findings; i++)
		for (size_t k = 0; k < f->n; k++)
			if (!strcmp(f->list[k].code, r->findings[i].code))
				f->list[k].holds = true;
}

static void add_holds(struct export_findings *f, const struct holds *h)
{
	f->holds += h->long_count;
	f->open_loop = (struct metrics_wait){
		.known = h->known, .p50_ns = h->p50_ns, .p90_ns = h->p90_ns,
		.p99_ns = h->p99_ns, .p999_ns = h->p999_ns,
	};
}

static void judge(struct export_findings *f, const struct live *w, struct aggregate *d,
		  uint64_t now_ns)
{
	struct report r = {
		.window_ns = now_ns - f->began_ns, .events = f->r->events - f->events,
		.connections.listen_overflows = overflows_since(f),
	};
	bool go, runtime = learn_runtimes(f, w, &go);

	facts_usage_end(&f->facts, f->pids, f->n_pids);
	f->facts.go = go;
	shed_since(r.budget.shed, &f->r->budget, &f->budget);
	leave_out_ended(d);
	/* What is on its way through the rings is not lost. */
	d->drained = d->counters.ring_sent;
	if (!report_build(&r, d, &f->facts, f->history, f->config->threshold)) {
		list_codes(f, &r, runtime);
		mark(f, &r);
		add_holds(f, &r.holds);
	}
	report_free(&r);
}

void export_findings_begin(struct export_findings *f, const struct live *w, uint64_t now_ns)
{
	bool go;

	learn_runtimes(f, w, &go);
	begin(f, w, read_now(f, w), now_ns);
}

void export_findings_tick(struct export_findings *f, const struct live *w, uint64_t now_ns)
{
	struct aggregate *now, *d;

	if (now_ns - f->began_ns < f->config->finding_window_ns)
		return;
	now = read_now(f, w);
	d = aggregate_new();
	if (d && now && f->then && !aggregate_since(d, now, f->then))
		judge(f, w, d, now_ns);
	aggregate_free(d);
	begin(f, w, now, now_ns);
}
