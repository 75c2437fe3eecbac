// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* metrics_text.c - lines of the exposition formats; a page has thousands, so no printf a line. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "export/metrics.h"
#include "base/term.h"

#define PREFIX "epollscope_"

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){ .format = t->format };
}

static void append(struct text *t, const char *s, size_t len)
{
	if (t->failed)
		return;
	if (array_reserve(&t->data, &t->room, t->len + len, 1)) {
		t->failed = true;
		return;
	}
	memcpy(t->data + t->len, s, len);
	t->len += len;
}

static void append_text(struct text *t, const char *s)
{
	append(t, s, strlen(s));
}

/* Digits of v, at least `width` of them. */
static void append_digits(struct text *t, uint64_t v, unsigned width)
{
	char digits[24];
	size_t at = sizeof(digits);

	while (v || sizeof(digits) - at < width) {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	}
	append(t, digits + at, sizeof(digits) - at);
}

static void append_u64(struct text *t, uint64_t v)
{
	append_digits(t, v, 1);
}

/* Exact: no floating point between the kernel's nanoseconds and the page. */
static void append_seconds(struct text *t, uint64_t ns)
{
	append_u64(t, ns / 1000000000);
	if (ns % 1000000000) {
		append(t, ".", 1);
		append_digits(t, ns % 1000000000, 9);
	}
}

void label_text(char out[LABEL_MAX], const char *name, size_t len)
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
static void append_about(struct text *t, const char *what, const char *suffix, const char *text)
{
	append_text(t, what);
	append(t, t->name, t->name_len);
	append_text(t, suffix);
	append(t, " ", 1);
	append_text(t, text);
	append(t, "\n", 1);
}

void text_metric(struct text *t, const struct metric *metric)
{
	bool open = t->format == TEXT_OPENMETRICS;
	const char *suffix = open ? "" : metric_suffix(metric->type);
	const char *type = metric_type_name(metric->type);

	t->metric = metric;
	t->name_len = (size_t)snprintf(t->name, sizeof(t->name), PREFIX "%s", metric->name);
	append_about(t, "# HELP ", suffix, metric->help);
	append_about(t, "# TYPE ", suffix, !open && metric->type == METRIC_INFO ? "gauge" : type);
	if (open && metric->unit)
		append_about(t, "# UNIT ", "", metric->unit);
}

void text_target(struct text *t, const char *target, uint64_t created_ns)
{
	t->target_len = 0;
	t->created_ns = created_ns;
	if (target)
		t->target_len = (size_t)snprintf(t->labels, sizeof(t->labels), "target=\"%s\"",
						 target);
}

/* Target and the second label, without braces. */
static void set_labels(struct text *t, const char *label)
{
	t->labels_len = t->target_len;
	if (label)
		t->labels_len += (size_t)snprintf(t->labels + t->target_len,
						  sizeof(t->labels) - t->target_len, "%s%s=\"%s\"",
						  t->target_len ? "," : "", t->metric->label, label);
}

/* The series up to its value; le is a bucket's bound or NULL. */
static void begin_line(struct text *t, const char *suffix, const char *le)
{
	t->series++;
	append(t, t->name, t->name_len);
	append_text(t, suffix);
	if (t->labels_len || le) {
		append(t, "{", 1);
		append(t, t->labels, t->labels_len);
		if (le) {
			append_text(t, t->labels_len ? ",le=\"" : "le=\"");
			append_text(t, le);
			append(t, "\"", 1);
		}
		append(t, "}", 1);
	}
	append(t, " ", 1);
}

static void end_line(struct text *t)
{
	append(t, "\n", 1);
}

static void line_u64(struct text *t, const char *suffix, const char *le, uint64_t value)
{
	begin_line(t, suffix, le);
	append_u64(t, value);
	end_line(t);
}

static void line_seconds(struct text *t, const char *suffix, uint64_t ns)
{
	begin_line(t, suffix, NULL);
	append_seconds(t, ns);
	end_line(t);
}

static void line_created(struct text *t)
{
	if (t->format == TEXT_OPENMETRICS && t->metric->type != METRIC_GAUGE)
		line_seconds(t, "_created", t->created_ns);
}

void text_u64(struct text *t, const char *label, uint64_t value)
{
	set_labels(t, label);
	line_u64(t, metric_suffix(t->metric->type), NULL, value);
	line_created(t);
}

void text_seconds(struct text *t, const char *label, uint64_t ns)
{
	set_labels(t, label);
	line_seconds(t, metric_suffix(t->metric->type), ns);
	line_created(t);
}

void text_summary(struct text *t, const char *label, uint64_t sum, uint64_t count)
{
	set_labels(t, label);
	line_u64(t, "_sum", NULL, sum);
	line_u64(t, "_count", NULL, count);
	line_created(t);
}

/* `# {conn="..",pid="..",tid=".."} seconds time`: at most 70 of the 128 characters allowed. */
static void append_exemplar(struct text *t, const struct metrics_exemplar *x)
{
	append_text(t, " # {conn=\"");
	append_u64(t, x->conn);
	append_text(t, "\",pid=\"");
	append_u64(t, x->pid);
	append_text(t, "\",tid=\"");
	append_u64(t, x->tid);
	append_text(t, "\"} ");
	append_seconds(t, x->latency_ns);
	append(t, " ", 1);
	append_seconds(t, x->realtime_ns);
}

void text_hist(struct text *t, const char *label, const struct metrics_hist *h,
	       const struct metrics_exemplar *exemplars)
{
	uint64_t below = 0;
	char le[32];

	set_labels(t, label);
	for (unsigned b = 0; b < METRICS_BUCKETS; b++) {
		if (b < METRICS_BUCKETS - 1)
			snprintf(le, sizeof(le), "%.11g",
				 (double)(1ULL << (METRICS_EXP_MIN + b)) / 1e9);
		below += h->bucket[b];
		begin_line(t, "_bucket", b < METRICS_BUCKETS - 1 ? le : "+Inf");
		append_u64(t, below);
		if (exemplars && exemplars[b].latency_ns && t->format == TEXT_OPENMETRICS)
			append_exemplar(t, &exemplars[b]);
		end_line(t);
	}
	line_seconds(t, "_sum", h->sum_ns);
	line_u64(t, "_count", NULL, below);
	line_created(t);
}

void text_info(struct text *t, const char *version, const char *kernel)
{
	char escaped[LABEL_MAX];

	label_text(escaped, kernel, strlen(kernel));
	t->labels_len = (size_t)snprintf(t->labels, sizeof(t->labels),
					 "version=\"%s\",kernel=\"%s\"", version, escaped);
	line_u64(t, metric_suffix(t->metric->type), NULL, 1);
}

void text_end(struct text *t)
{
	if (t->format == TEXT_OPENMETRICS)
		append_text(t, "# EOF\n");
}
