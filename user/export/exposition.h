/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * exposition.h - the exposition formats: Prometheus text 0.0.4 and OpenMetrics 1.0, appended to
 * a buffer that grows. What a series' lines have in common is put together once.
 */
#ifndef EPOLLSCOPE_EXPOSITION_H
#define EPOLLSCOPE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LABEL_MAX 192	/* a label's value, escaped by exposition_label() */

enum exposition_format {
	EXPOSITION_TEXT,	/* 0.0.4 */
	EXPOSITION_OPENMETRICS,	/* 1.0.0 */
};

struct metric;
struct metrics_hist;
struct metrics_exemplar;

struct exposition {
	enum exposition_format format;
	char *data;
	size_t len, room;
	bool failed;		/* out of memory: data is cut */
	uint64_t series;	/* samples written */

	/* The metric and target under way. */
	const struct metric *metric;
	char name[96];		/* with the prefix, without suffix */
	size_t name_len;
	char labels[2 * LABEL_MAX + 64];	/* target="...",stage="..." */
	size_t labels_len, target_len;
	uint64_t created_ns;
};

void exposition_free(struct exposition *e);

/*
 * A name of raw bytes as a label's value: valid UTF-8, nothing that steers a terminal (such bytes,
 * and backslashes, become \xNN, so that two names stay two), escaped for the format; terminated.
 */
void exposition_label(char out[LABEL_MAX], const char *name, size_t len);

/* HELP, TYPE and, in OpenMetrics, UNIT. */
void exposition_metric(struct exposition *e, const struct metric *metric);

/* The lines that follow are this target's; NULL: no target. */
void exposition_target(struct exposition *e, const char *target, uint64_t created_ns);

/*
 * One series each. `label` is the value of the metric's second label, NULL if it has none, already
 * escaped. A counter's and a summary's creation time follows by itself.
 */
void exposition_u64(struct exposition *e, const char *label, uint64_t value);
void exposition_seconds(struct exposition *e, const char *label, uint64_t ns);
void exposition_summary(struct exposition *e, const char *label, uint64_t sum, uint64_t count);
void exposition_hist(struct exposition *e, const char *label, const struct metrics_hist *h,
		     const struct metrics_exemplar *exemplars);
void exposition_info(struct exposition *e, const char *version, const char *kernel);

void exposition_end(struct exposition *e);

#endif
