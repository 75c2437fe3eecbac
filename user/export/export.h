/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * export.h - the parts of the exporter: targets that are watched and read, the snapshot that the
 * collector publishes.
 *
 *   collector (main thread)                       HTTP (http.h, its own thread)
 *   tick every 10 ms; when asked: read maps  -->  snapshot, immutable, counted  --> page
 */
#ifndef EPOLLSCOPE_EXPORT_H
#define EPOLLSCOPE_EXPORT_H

#include "export/findings.h"
#include "export/metrics.h"
#include "watch/live.h"

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
	struct export_findings *findings;
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
void export_collect_free(struct metrics_target *out);

#endif
