/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * export.h - the parts of the exporter: targets that are watched and read, the snapshot that the
 * collector publishes.
 *
 *   collector (main thread)                       HTTP (http.h, its own thread)
 *   tick every 10 ms; when asked: read maps  -->  snapshot  --> page
 */
#ifndef EPOLLSCOPE_EXPORT_H
#define EPOLLSCOPE_EXPORT_H

#include <pthread.h>

#include "explain/finding.h"
#include "export/metrics.h"
#include "target/proc.h"
#include "watch/live.h"

/* What is alike for all targets. */
struct export_config {
	double threshold[THRESHOLD_COUNT];	/* of the diagnosis */
	uint64_t finding_window_ns;
	enum syscall_mode syscalls;
	double budget;		/* of each target's CPU time; 0: no limit */
	unsigned watches;	/* targets */
	const struct stats_switch *stats;
	unsigned verbose;
};

#define RUNTIMES 16	/* names of processes whose runtime is known */

/*
 * The report's diagnosis of a target that is watched for ever: of one window after the other, each
 * the difference of two readings.
 */
struct export_findings {
	const struct export_config *config;
	const struct watch_result *r;
	struct history *history;	/* gets slow exchanges, turns, off-CPU intervals as they come */

	/* The window under way. */
	uint64_t began_ns;
	struct aggregate *then;		/* NULL: there was no memory to begin it */
	struct facts facts;
	uint32_t *pids;			/* of the target, then */
	size_t n_pids;
	uint64_t events, overflows;
	struct budget_info budget;

	struct {
		char comm[PROC_COMM_LEN];
		bool go;
	} runtimes[RUNTIMES];
	size_t n_runtimes;

	/* What was said of the last complete window; nothing before the first. */
	struct metrics_finding list[METRICS_CODES];
	size_t n;
	uint64_t holds;			/* of all complete windows */
	struct metrics_wait open_loop;	/* of the last one */
};

/* 0 or -ENOMEM. `config` and `r` outlive it; export_findings_close() in any case. */
int export_findings_open(struct export_findings *f, const struct export_config *config,
			 const struct watch_result *r);

/*
 * The first window begins. While the privileges last: what runtime the target has can be told of
 * later processes by their names only.
 */
void export_findings_begin(struct export_findings *f, const struct live *w, uint64_t now_ns);

/* Judges the window when it is over, and begins the next. */
void export_findings_tick(struct export_findings *f, const struct live *w, uint64_t now_ns);

void export_findings_close(struct export_findings *f);

/* Loops that were in "other" before they had a name, so that no counter moves. */
struct nameless {
	uint64_t ids[LOOPS_MAX];
	size_t n;
};

/* One target with its session, for as long as the exporter runs. */
struct export_target {
	char label[LABEL_MAX];
	const struct target_spec *spec;
	struct sink sink, history_sink;
	struct watch_result result;
	struct live *live;
	uint64_t created_ns;		/* wall clock */
	bool waiting;			/* no process runs: said so */

	/* From events, since the kernel side keeps no such sums. */
	struct metrics_hist conn_duration;
	struct metrics_exemplar exemplar[METRICS_BUCKETS];

	/* First come, first served: a label keeps its series. */
	char (*loop_names)[LABEL_MAX];
	size_t n_loop_names;
	struct nameless nameless;
	uint16_t ports[METRICS_PORTS];
	size_t n_ports;

	uint32_t overflow_pid;		/* whose namespace was read last */
	uint64_t overflow_last, overflow_sum;
	uint64_t bpf_ns, bpf_exchanges;	/* estimated cost of so many */
	struct export_findings findings;
};

/* How many loops and ports of each target have series of their own. */
struct export_limits {
	size_t loops, ports;
};

/* 0, -ENOMEM, or -ERANGE if max_series does not hold the least; *least is that. */
int export_limits(struct export_limits *limits, uint64_t max_series, size_t targets, bool syscalls,
		  uint64_t *least);

/*
 * Attaches, whether a process of the target runs or not. It is labelled `name`, or after its
 * conditions if that is NULL. EXIT_OK, or an exit status whose line is already printed. `spec` and
 * `config` outlive the target; export_target_close() in any case.
 */
int export_target_open(struct export_target *t, const char *name, const struct target_spec *spec,
		       const struct export_config *config);
void export_target_tick(struct export_target *t, uint64_t now_ns);
void export_target_close(struct export_target *t);

/* Reads all that was accumulated into a fresh metrics_target. 0 or -ENOMEM. */
int export_collect(struct export_target *t, const struct export_limits *limits,
		   struct metrics_target *out);

/*
 * The hand-over between the collector and the HTTP thread: one asks and waits, the other publishes
 * when its tick allows. Neither holds the other up: a snapshot changes hands under the lock, and a
 * page is written from one that is the reader's own.
 */
struct publisher {
	pthread_mutex_t lock;
	pthread_cond_t published;
	int wake_fd;			/* readable when a snapshot is wanted */
	_Atomic bool wanted;
	struct metrics ready;		/* not taken yet; without targets: none */
	struct metrics taken;		/* the reader's */
	_Atomic uint64_t tick_ns;	/* the collector's last sign of life */
};

/* 0 or -errno. */
int publisher_open(struct publisher *p);
void publisher_close(struct publisher *p);

/* Collector: at each tick; true when a snapshot is wanted. */
bool publisher_tick(struct publisher *p, uint64_t now_ns);

/* Collector: what m owns goes over to the publisher. */
void publisher_put(struct publisher *p, struct metrics *m);

/* Reader: a snapshot of now, valid until the next call; NULL when the collector does not answer. */
const struct metrics *publisher_get(struct publisher *p);

/* Reader: the collector has ticked lately. */
bool publisher_alive(const struct publisher *p);

#endif
