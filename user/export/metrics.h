/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * metrics.h - what an exporter publishes: a snapshot as plain data, and the table of metrics that
 * gives the page, its documentation and its limits.
 *
 * A snapshot is made by its owner (collect.c), never changes afterwards and is written out by
 * metrics_write() as often as wanted: as Prometheus text 0.0.4 or OpenMetrics 1.0, appended to a
 * buffer that grows. Times are nanoseconds until they are written: seconds on
 * the page, exact to the nanosecond. Nothing in it grows with connections or peers.
 */
#ifndef EPOLLSCOPE_METRICS_H
#define EPOLLSCOPE_METRICS_H

#include <stdio.h>

#include "model/aggregate.h"

#define LABEL_MAX 192	/* a label's value, escaped by exposition_label() */

/*
 * Buckets of every histogram: powers of two from 2^10 ns (1 us) to 2^36 ns (68.7 s), then +Inf.
 * They are bounds of bpf/hist.h too, so no count is moved by the conversion. A bucket holds what
 * is shorter than its bound by a nanosecond or more: exactly 2^k ns counts in the next one.
 */
#define METRICS_EXP_MIN	10
#define METRICS_EXP_MAX	36
#define METRICS_BUCKETS	(METRICS_EXP_MAX - METRICS_EXP_MIN + 2)

#define METRICS_PORTS	64	/* ports of one target that have series of their own */
#define METRICS_CODES	32	/* findings of one target */

struct metrics_hist {
	uint64_t bucket[METRICS_BUCKETS];	/* not cumulative; the last is +Inf */
	uint64_t sum_ns;
};

/* A slow exchange, which `slow` shows under the same ids. */
struct metrics_exemplar {
	uint64_t latency_ns;	/* 0: none */
	uint64_t realtime_ns;	/* when it ended */
	uint64_t conn;
	uint32_t pid, tid;
};

/* All event loops of one name; "other" for those that have no series of their own. */
struct metrics_loop {
	char name[LABEL_MAX];
	struct metrics_hist turn;
	uint64_t turns, events, wakeups, exchanges, accepts;
	uint64_t busy_ns, wait_ns;
};

struct metrics_port {
	uint16_t port;		/* 0: others */
	uint64_t length, limit;	/* of its accept queues, added up */
};

/* A diagnosis that was looked for, and whether it holds. */
struct metrics_finding {
	const char *code;	/* static */
	bool holds;
};

/* The open-loop wait. */
struct metrics_wait {
	bool known;
	uint64_t p50_ns, p90_ns, p99_ns, p999_ns;
};

struct metrics_target {
	char name[LABEL_MAX];
	uint64_t created_ns;	/* wall clock: since when its counters count */
	uint64_t processes;

	struct metrics_hist exchange, stage[STAGE_COUNT], send, deliver, client, overlapping;
	struct metrics_hist runqueue, accept_wait, conn_duration, syscall[SC_COUNT];
	struct metrics_exemplar exemplar[METRICS_BUCKETS];
	struct counters counters;

	struct metrics_loop *loops;
	size_t n_loops;
	uint64_t loops_merged;	/* loops whose numbers are in "other" */
	struct metrics_port ports[METRICS_PORTS + 1];
	size_t n_ports;
	uint64_t listen_overflows;

	struct metrics_finding findings[METRICS_CODES];
	size_t n_findings;	/* 0: none was looked for yet */
	uint64_t holds;
	struct metrics_wait open_loop;

	struct budget_info budget;
	uint32_t shed;		/* SHED_BIT() of what is left out now */
	uint64_t syscall_window_ns;	/* 0: system calls are not sampled */
	uint64_t lost_events, missed, bad_events;
	bool cost_known;
	uint64_t bpf_ns;
};

struct metrics {
	struct metrics_target *targets;	/* the snapshot's own, and their loops */
	size_t n_targets;
	const char *version;
	char kernel[65];
	uint64_t taken_ns;		/* CLOCK_MONOTONIC */
	uint64_t created_ns;		/* wall clock: when the exporter began */
	uint64_t collector_cpu_ns;
	uint64_t scrapes, refused;	/* pages delivered; requests, connections turned away */
	uint64_t max_series;
	bool syscalls;			/* system calls are timed */
};

void metrics_free(struct metrics *m);

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
	METRIC_SUMMARY,	/* sum and count only */
	METRIC_INFO,
};

struct exposition;

struct metric {
	const char *name;	/* without epollscope_, and without _total or _info */
	enum metric_type type;
	const char *unit;	/* OpenMetrics: the end of the name; NULL if it has none */
	const char *label;	/* besides `target`; NULL if none */
	const char *help;	/* one line */
	/* What one target has to say; NULL for a metric of the exporter itself: */
	void (*put)(struct exposition *e, const struct metrics_target *m);
	void (*put_global)(struct exposition *e, const struct metrics *m);
	size_t at;		/* where a row that is one number or histogram has it */
};

extern const struct metric metric_rows[];
extern const size_t metric_count;

enum exposition_format {
	EXPOSITION_TEXT,	/* 0.0.4 */
	EXPOSITION_OPENMETRICS,	/* 1.0.0 */
};

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

/* Writes the page. The caller checks e->failed (out of memory) and frees e->data. */
void metrics_write(struct exposition *e, const struct metrics *m);

/*
 * A name of raw bytes as a label's value: valid UTF-8, nothing that steers a terminal (such bytes,
 * and backslashes, become \xNN, so that two names stay two), escaped for the format; terminated.
 */
void exposition_label(char out[LABEL_MAX], const char *name, size_t len);

/*
 * For the table: one series each. `label` is the value of the metric's second label, NULL if it has
 * none, already escaped. A counter's and a summary's creation time follows by itself.
 */
void exposition_number(struct exposition *e, const char *label, uint64_t value);
void exposition_summary(struct exposition *e, const char *label, uint64_t sum, uint64_t count);
void exposition_hist(struct exposition *e, const char *label, const struct metrics_hist *h,
		     const struct metrics_exemplar *exemplars);
void exposition_info(struct exposition *e, const char *version, const char *kernel);

/* Series that a page can have with `targets` targets and no loop or port, and those of one each. */
struct metrics_need {
	uint64_t fixed, loop, port;
};

int metrics_need(struct metrics_need *need, size_t targets, bool syscalls);

/* docs/metrics.md, from the table. */
void metrics_document(FILE *out);

/* Adds a histogram of bpf/hist.h, or one duration. */
void metrics_hist_add(struct metrics_hist *to, const struct hist *from);
void metrics_hist_put(struct metrics_hist *to, uint64_t ns);
unsigned metrics_bucket(uint64_t ns);
uint64_t metrics_hist_count(const struct metrics_hist *h);

#endif
