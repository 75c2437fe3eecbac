/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * watch_result.h - what was watched, where, when and how: filled by a live watch or from a
 * capture's head and trailer, written into them by a recorder.
 */
#ifndef EPOLLSCOPE_WATCH_RESULT_H
#define EPOLLSCOPE_WATCH_RESULT_H

#include "explain/facts.h"
#include "kernel/feature_table.h"
#include "model/aggregate.h"
#include "model/budget.h"
#include "target/target.h"

#define STACK_HZ_MAX 10000
#define WATCH_NOTES 4

/* Valid until watch_result_free(). */
struct watch_result {
	struct aggregate *aggregate;	/* NULL if nothing was watched */
	struct feature_set features;
	struct facts facts;
	struct targets targets;
	uint64_t start_ns;		/* CLOCK_MONOTONIC */
	uint64_t end_ns;
	int64_t realtime_offset_ns;	/* wall clock less CLOCK_MONOTONIC */
	uint64_t events;		/* records that reached us */
	uint64_t bad_events;		/* of a kind or size that we do not know */
	uint64_t listen_overflows;	/* in the namespace of the first target */
	int program_status;		/* of `-- PROGRAM`; -1: none, or still running */

	/* Where and how it was watched; of a capture, by the program that recorded it. */
	char version[32];
	char kernel[65];
	char host[65];
	uint32_t cpus;
	bool no_syscalls;
	double collector_cpu_seconds;	/* NAN: not known */
	struct budget_info budget;
	uint32_t stack_hz;		/* 0: no stacks were taken */
	uint32_t stack_depth;		/* frames, if they were */
	uint64_t window_ns;		/* whose P99 makes a tail */
	uint64_t attached_ns;		/* start_ns, or earlier: losses are counted from then on */

	bool damaged;			/* its line is printed: what is whole follows */

	/* Only of a capture. */
	bool rebuilt;			/* the aggregate holds exchanges alone, added up from records */
	bool loss_known;		/* false: nobody counted what was lost */
	bool interrupted;		/* a capture whose recorder did not come to its end */
	const char *notes[WATCH_NOTES];	/* static strings */
	size_t n_notes;
};

/* What the user asked for, beside what the result says of it. */
struct capture_request {
	const struct target_spec *target;
	uint64_t duration_ns;
	uint32_t ring_kib;
};

void watch_result_free(struct watch_result *r);

#endif
