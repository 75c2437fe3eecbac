/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report_build.h - makes a report out of what a watch, or one window of a watch, has accumulated:
 * its figures, and the diagnosis that rests on them.
 */
#ifndef EPOLLSCOPE_REPORT_BUILD_H
#define EPOLLSCOPE_REPORT_BUILD_H

#include "explain/blame.h"
#include "explain/facts.h"
#include "model/aggregate.h"

/* Borrowed until report_build() returns. */
struct report_source {
	const struct aggregate *aggregate;
	const struct facts *facts;
	struct history *history;
	const double *threshold;	/* THRESHOLD_COUNT of them */
	uint64_t window_ns;		/* how long that was accumulated */
	uint64_t events;		/* records that reached user space meanwhile */
	uint64_t listen_overflows;	/* connections dropped meanwhile because a queue was full */
};

/*
 * Fills a zeroed report, but for what says where and how it was watched: version, host, times,
 * targets, notes, worst exchanges. Targets, if they are known, come before: the diagnosis tells the
 * target's own threads from others by them. 0 or -ENOMEM; report_free() in either case.
 */
int report_build(struct report *r, const struct report_source *from);

#endif
