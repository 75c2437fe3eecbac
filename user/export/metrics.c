/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * metrics.c - buckets; lines of the exposition formats (a page has thousands, so no printf a line);
 * the page over the table and how many series that makes; docs/metrics.md.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/term.h"
#include "export/metrics.h"

#define PREFIX "epollscope_"

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

void metrics_free(struct metrics *m)
{
	for (size_t i = 0; i < m->n_targets; i++)
		free(m->targets[i].loops);
	free(m->targets);
	*m = (struct metrics){ 0 };
}

/* --- lines --- */

static const char *const type_names[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
	[METRIC_SUMMARY] = "summary",
	[METRIC_INFO] = "info",
};

static const char *type_suffix(enum metric_type type)
{
	return type == METRIC_COUNTER ? "_total" : type == METRIC_INFO ? "_info" : "";
}

static void append(struct exposition *e, const char *s, size_t len)
{
	if (e->failed)
		return;
	if (array_reserve(&e->data, &e->room, e->len + len, 1)) {
		e->failed = true;
		return;
	}
	memcpy(e->data + e->len, s, len);
	e->len += len;
}

static void append_text(struct exposition *e, const char *s)
{
	append(e, s, strlen(s));
}

/* Digits of v, at least `width` of them. */
static void append_digits(struct exposition *e, uint64_t v, unsigned width)
{
	char digits[24];
	size_t at = sizeof(digits);

	while (v || sizeof(digits) - at < width) {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	}
	append(e, digits + at, sizeof(digits) - at);
}

/* Exact: no floating point between the kernel's nanoseconds and the page. */
static void append_seconds(struct exposition *e, uint64_t ns)
{
	append_digits(e, ns / 1000000000, 1);
	if (ns % 1000000000) {
		append(e, ".", 1);
		append_digits(e, ns % 1000000000, 9);
	}
}

void exposition_label(char out[LABEL_MAX], const char *name, size_t len)
{
	/* Doubled backslashes and quotes must fit. */
	char shown[(LABEL_MAX - 1) / 2 + 1];
	size_t n = escape_text(shown, sizeof(shown), name, len), at = 0;

	for (size_t i = 0; i < n; i++) {
		if (shown[i] == '\\' || shown[i] == '"')
			out[at++] = '\\';
		out[at++] = shown[i];
	}
	out[at] = '\0';
}

/* HELP texts of the table hold neither backslash nor newline; a quote needs no escape. */
static void append_about(struct exposition *e, const char *what, const char *suffix,
			 const char *text)
{
	const char *const words[] = { "# ", what, " ", e->name, suffix, " ", text, "\n" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		append_text(e, words[i]);
}

/* HELP, TYPE and, in OpenMetrics, UNIT. */
static void begin_metric(struct exposition *e, const struct metric *metric)
{
	bool open = e->format == EXPOSITION_OPENMETRICS;
	const char *suffix = open ? "" : type_suffix(metric->type);

	e->metric = metric;
	e->name_len = (size_t)snprintf(e->name, sizeof(e->name), PREFIX "%s", metric->name);
	append_about(e, "HELP", suffix, metric->help);
	append_about(e, "TYPE", suffix,
		     !open && metric->type == METRIC_INFO ? "gauge" : type_names[metric->type]);
	if (open && metric->unit)
		append_about(e, "UNIT", "", metric->unit);
}

/* The lines that follow are this target's; NULL: no target. */
static void begin_target(struct exposition *e, const char *target, uint64_t created_ns)
{
	e->target_len = 0;
	e->created_ns = created_ns;
	if (target)
		e->target_len = (size_t)snprintf(e->labels, sizeof(e->labels), "target=\"%s\"",
						 target);
}

/* Target and the second label, without braces. */
static void set_labels(struct exposition *e, const char *label)
{
	e->labels_len = e->target_len;
	if (label)
		e->labels_len += (size_t)snprintf(e->labels + e->target_len,
						  sizeof(e->labels) - e->target_len, "%s%s=\"%s\"",
						  e->target_len ? "," : "", e->metric->label,
						  label);
}

/* The series up to its value; le is a bucket's bound or NULL. */
static void begin_line(struct exposition *e, const char *suffix, const char *le)
{
	e->series++;
	append(e, e->name, e->name_len);
	append_text(e, suffix);
	if (e->labels_len || le) {
		append(e, "{", 1);
		append(e, e->labels, e->labels_len);
		if (le) {
			append_text(e, e->labels_len ? ",le=\"" : "le=\"");
			append_text(e, le);
			append(e, "\"", 1);
		}
		append(e, "}", 1);
	}
	append(e, " ", 1);
}

static void line(struct exposition *e, const char *suffix, bool seconds, uint64_t value)
{
	begin_line(e, suffix, NULL);
	if (seconds)
		append_seconds(e, value);
	else
		append_digits(e, value, 1);
	append(e, "\n", 1);
}

static void line_created(struct exposition *e)
{
	if (e->format == EXPOSITION_OPENMETRICS && e->metric->type != METRIC_GAUGE)
		line(e, "_created", true, e->created_ns);
}

void exposition_number(struct exposition *e, const char *label, uint64_t value)
{
	set_labels(e, label);
	line(e, type_suffix(e->metric->type), e->metric->unit, value);
	line_created(e);
}

void exposition_summary(struct exposition *e, const char *label, uint64_t sum, uint64_t count)
{
	set_labels(e, label);
	line(e, "_sum", false, sum);
	line(e, "_count", false, count);
	line_created(e);
}

/* `# {conn="..",pid="..",tid=".."} seconds time`: at most 70 of the 128 characters allowed. */
static void append_exemplar(struct exposition *e, const struct metrics_exemplar *x)
{
	append_text(e, " # {conn=\"");
	append_digits(e, x->conn, 1);
	append_text(e, "\",pid=\"");
	append_digits(e, x->pid, 1);
	append_text(e, "\",tid=\"");
	append_digits(e, x->tid, 1);
	append_text(e, "\"} ");
	append_seconds(e, x->latency_ns);
	append(e, " ", 1);
	append_seconds(e, x->realtime_ns);
}

void exposition_hist(struct exposition *e, const char *label, const struct metrics_hist *h,
		     const struct metrics_exemplar *exemplars)
{
	uint64_t below = 0;
	char le[32];

	set_labels(e, label);
	for (unsigned b = 0; b < METRICS_BUCKETS; b++) {
		if (b < METRICS_BUCKETS - 1)
			snprintf(le, sizeof(le), "%.11g",
				 (double)(1ULL << (METRICS_EXP_MIN + b)) / 1e9);
		below += h->bucket[b];
		begin_line(e, "_bucket", b < METRICS_BUCKETS - 1 ? le : "+Inf");
		append_digits(e, below, 1);
		if (exemplars && exemplars[b].latency_ns && e->format == EXPOSITION_OPENMETRICS)
			append_exemplar(e, &exemplars[b]);
		append(e, "\n", 1);
	}
	line(e, "_sum", true, h->sum_ns);
	line(e, "_count", false, below);
	line_created(e);
}

void exposition_info(struct exposition *e, const char *version, const char *kernel)
{
	char escaped[LABEL_MAX];

	exposition_label(escaped, kernel, strlen(kernel));
	e->labels_len = (size_t)snprintf(e->labels, sizeof(e->labels),
					 "version=\"%s\",kernel=\"%s\"", version, escaped);
	line(e, type_suffix(e->metric->type), false, 1);
}

/* --- the page --- */

void metrics_write(struct exposition *e, const struct metrics *m)
{
	for (size_t i = 0; i < metric_count; i++) {
		const struct metric *row = &metric_rows[i];

		begin_metric(e, row);
		if (row->put_global) {
			begin_target(e, NULL, m->created_ns);
			row->put_global(e, m);
			continue;
		}
		for (size_t n = 0; n < m->n_targets; n++) {
			begin_target(e, m->targets[n].name, m->targets[n].created_ns);
			row->put(e, &m->targets[n]);
		}
	}
	if (e->format == EXPOSITION_OPENMETRICS)
		append_text(e, "# EOF\n");
}

/* Series of a page with so many loops and ports, in the format that has more of them. */
static int count_series(uint64_t *series, size_t loops, size_t ports, bool syscalls)
{
	struct metrics_loop loop = { .name = "" };
	struct metrics_target target = {
		.loops = &loop, .n_loops = loops, .n_ports = ports,
		.cost_known = true, .syscall_window_ns = syscalls, .open_loop.known = true,
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
	free(e.data);
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
	fprintf(out, "| `epollscope_%s%s` | %s | %s", row->name, type_suffix(row->type),
		type_names[row->type], row->put ? "`target`" : "");
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
