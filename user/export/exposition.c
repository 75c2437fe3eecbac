/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* exposition.c - lines of the exposition formats; a page has thousands, so no printf a line. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "export/metrics.h"
#include "base/term.h"

#define PREFIX "epollscope_"

void exposition_free(struct exposition *e)
{
	free(e->data);
	*e = (struct exposition){ .format = e->format };
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

static void append_u64(struct exposition *e, uint64_t v)
{
	append_digits(e, v, 1);
}

/* Exact: no floating point between the kernel's nanoseconds and the page. */
static void append_seconds(struct exposition *e, uint64_t ns)
{
	append_u64(e, ns / 1000000000);
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
	append_text(e, what);
	append(e, e->name, e->name_len);
	append_text(e, suffix);
	append(e, " ", 1);
	append_text(e, text);
	append(e, "\n", 1);
}

void exposition_metric(struct exposition *e, const struct metric *metric)
{
	bool open = e->format == EXPOSITION_OPENMETRICS;
	const char *suffix = open ? "" : metric_suffix(metric->type);
	const char *type = metric_type_name(metric->type);

	e->metric = metric;
	e->name_len = (size_t)snprintf(e->name, sizeof(e->name), PREFIX "%s", metric->name);
	append_about(e, "# HELP ", suffix, metric->help);
	append_about(e, "# TYPE ", suffix, !open && metric->type == METRIC_INFO ? "gauge" : type);
	if (open && metric->unit)
		append_about(e, "# UNIT ", "", metric->unit);
}

void exposition_target(struct exposition *e, const char *target, uint64_t created_ns)
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

static void end_line(struct exposition *e)
{
	append(e, "\n", 1);
}

static void line_u64(struct exposition *e, const char *suffix, const char *le, uint64_t value)
{
	begin_line(e, suffix, le);
	append_u64(e, value);
	end_line(e);
}

static void line_seconds(struct exposition *e, const char *suffix, uint64_t ns)
{
	begin_line(e, suffix, NULL);
	append_seconds(e, ns);
	end_line(e);
}

static void line_created(struct exposition *e)
{
	if (e->format == EXPOSITION_OPENMETRICS && e->metric->type != METRIC_GAUGE)
		line_seconds(e, "_created", e->created_ns);
}

void exposition_u64(struct exposition *e, const char *label, uint64_t value)
{
	set_labels(e, label);
	line_u64(e, metric_suffix(e->metric->type), NULL, value);
	line_created(e);
}

void exposition_seconds(struct exposition *e, const char *label, uint64_t ns)
{
	set_labels(e, label);
	line_seconds(e, metric_suffix(e->metric->type), ns);
	line_created(e);
}

void exposition_summary(struct exposition *e, const char *label, uint64_t sum, uint64_t count)
{
	set_labels(e, label);
	line_u64(e, "_sum", NULL, sum);
	line_u64(e, "_count", NULL, count);
	line_created(e);
}

/* `# {conn="..",pid="..",tid=".."} seconds time`: at most 70 of the 128 characters allowed. */
static void append_exemplar(struct exposition *e, const struct metrics_exemplar *x)
{
	append_text(e, " # {conn=\"");
	append_u64(e, x->conn);
	append_text(e, "\",pid=\"");
	append_u64(e, x->pid);
	append_text(e, "\",tid=\"");
	append_u64(e, x->tid);
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
		append_u64(e, below);
		if (exemplars && exemplars[b].latency_ns && e->format == EXPOSITION_OPENMETRICS)
			append_exemplar(e, &exemplars[b]);
		end_line(e);
	}
	line_seconds(e, "_sum", h->sum_ns);
	line_u64(e, "_count", NULL, below);
	line_created(e);
}

void exposition_info(struct exposition *e, const char *version, const char *kernel)
{
	char escaped[LABEL_MAX];

	exposition_label(escaped, kernel, strlen(kernel));
	e->labels_len = (size_t)snprintf(e->labels, sizeof(e->labels),
					 "version=\"%s\",kernel=\"%s\"", version, escaped);
	line_u64(e, metric_suffix(e->metric->type), NULL, 1);
}

void exposition_end(struct exposition *e)
{
	if (e->format == EXPOSITION_OPENMETRICS)
		append_text(e, "# EOF\n");
}
