/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * metrics.c - buckets, the page over the table and how many series that makes, docs/metrics.md.
 */
#include <errno.h>
#include <string.h>

#include "export/metrics.h"

unsigned metrics_bucket(uint64_t ns)
{
	if (ns < 1ULL << METRICS_EXP_MIN)
		return 0;
	if (ns >= 1ULL << METRICS_EXP_MAX)
		return METRICS_BUCKETS - 1;
	return hist_log2(ns) - METRICS_EXP_MIN + 1;
}

void metrics_hist_add(struct metrics_hist *to, const struct hist *from)
{
	for (uint32_t b = 0; b < HIST_BUCKETS; b++)
		if (from->bucket[b])
			to->bucket[metrics_bucket(hist_bucket_upper(b))] += from->bucket[b];
	to->sum_ns += from->sum;
}

void metrics_hist_put(struct metrics_hist *to, uint64_t ns)
{
	to->bucket[metrics_bucket(ns)]++;
	to->sum_ns += ns;
}

uint64_t metrics_hist_count(const struct metrics_hist *h)
{
	uint64_t count = 0;

	for (unsigned b = 0; b < METRICS_BUCKETS; b++)
		count += h->bucket[b];
	return count;
}

const char *metric_type_name(enum metric_type type)
{
	static const char *const names[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
		[METRIC_SUMMARY] = "summary",
		[METRIC_INFO] = "info",
	};

	return names[type];
}

const char *metric_suffix(enum metric_type type)
{
	return type == METRIC_COUNTER ? "_total" : type == METRIC_INFO ? "_info" : "";
}

void metrics_write(struct exposition *e, const struct metrics *m)
{
	for (size_t i = 0; i < metric_count; i++) {
		const struct metric *row = &metric_rows[i];

		exposition_metric(e, row);
		if (row->put_global) {
			exposition_target(e, NULL, m->created_ns);
			row->put_global(e, m);
			continue;
		}
		for (size_t n = 0; n < m->n_targets; n++) {
			exposition_target(e, m->targets[n].name, m->targets[n].created_ns);
			row->put(e, &m->targets[n]);
		}
	}
	exposition_end(e);
}

/* Series of a page with so many loops and ports, in the format that has more of them. */
static int count_series(uint64_t *series, size_t loops, size_t ports, bool syscalls)
{
	struct metrics_loop loop = { .name = "" };
	struct metrics_target target = {
		.loops = &loop, .n_loops = loops, .n_ports = ports,
		.cost_known = true,
	};
	struct metrics m = { .targets = &target, .n_targets = 1, .version = "",
			     .syscalls = syscalls };
	struct exposition e = { .format = EXPOSITION_OPENMETRICS };

	for (unsigned sc = 0; sc < SC_COUNT && syscalls; sc++)
		target.syscall[sc].bucket[0] = 1;
	while (target.n_findings < METRICS_CODES)
		target.findings[target.n_findings++].code = "";
	metrics_write(&e, &m);
	*series = e.series;
	exposition_free(&e);
	return e.failed ? -ENOMEM : 0;
}

int metrics_need(struct metrics_need *need, size_t targets, bool syscalls)
{
	uint64_t with_loop, with_port;
	int err = count_series(&need->fixed, 0, 0, syscalls);

	err = err ? err : count_series(&with_loop, 1, 0, syscalls);
	err = err ? err : count_series(&with_port, 0, 1, syscalls);
	if (err)
		return err;
	need->loop = with_loop - need->fixed;
	need->port = with_port - need->fixed;
	/* The exporter's own few series are in it once for each target: a little too much. */
	need->fixed *= targets;
	return 0;
}

static void print_row(FILE *out, const struct metric *row)
{
	fprintf(out, "| `epollscope_%s%s` | %s | %s", row->name, metric_suffix(row->type),
		metric_type_name(row->type), row->put ? "`target`" : "");
	if (row->label)
		fprintf(out, "%s`%s`", row->put ? ", " : "", row->label);
	fprintf(out, " | %s |\n", row->help);
}

/* metrics.md has the head of the table of metrics, and the prose around it. */
void metrics_document(FILE *out)
{
	static const char prose[] =
#include "user/export/metrics.md.h"
		;
	static const char head[] = "|---|---|---|---|\n";
	const char *after = strstr(prose, head) + strlen(head);

	fwrite(prose, 1, (size_t)(after - prose), out);
	for (size_t i = 0; i < metric_count; i++)
		print_row(out, &metric_rows[i]);
	fputs(after, out);
}
