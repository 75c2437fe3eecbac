/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * findings.h - the report's diagnosis of a target that is watched for ever: of one window
 * after the other, each the difference of two readings.
 */
#ifndef EPOLLSCOPE_EXPORT_FINDINGS_H
#define EPOLLSCOPE_EXPORT_FINDINGS_H

#include "explain/history.h"
#include "explain/threshold.h"
#include "export/metrics.h"
#include "watch/live.h"

/* What is alike for all targets. */
struct export_config {
	double threshold[THRESHOLD_COUNT];	/* of the diagnosis */
	uint64_t finding_window_ns;
	bool syscalls;				/* time every system call */
	unsigned verbose;
};

struct export_findings;

/* NULL when out of memory. `config` and `r` outlive it. */
struct export_findings *export_findings_new(const struct export_config *config,
					    const struct watch_result *r);
void export_findings_free(struct export_findings *f);	/* NULL is fine */

/* Where slow exchanges, turns and off-CPU intervals go as they come. */
struct history *export_findings_history(struct export_findings *f);

/*
 * The first window begins. While the privileges last: what runtime the target has can be told of
 * later processes by their names only.
 */
void export_findings_begin(struct export_findings *f, const struct live *w, uint64_t now_ns);

/* Judges the window when it is over, and begins the next. */
void export_findings_tick(struct export_findings *f, const struct live *w, uint64_t now_ns);

/* What was said of the last complete window; nothing before the first. */
void export_findings_get(const struct export_findings *f, struct metrics_target *out);

#endif
