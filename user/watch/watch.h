/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * watch.h - what every command does while it watches: resolve the target, attach, drain, follow
 * the target's processes, keep the tail's threshold, stop in good order.
 */
#ifndef EPOLLSCOPE_WATCH_H
#define EPOLLSCOPE_WATCH_H

#include "kernel/session.h"
#include "explain/facts.h"
#include "model/model.h"
#include "cli/options.h"
#include "symbols/stack_set.h"
#include "target/target.h"

struct watch_result;

/*
 * Sees the event stream itself, for a recorder: what is known when attached, each record as it came
 * out of the rings, after each round the time, and at the end the stacks. With a tap everything is
 * sent and timed, whatever the handlers ask for; they hear the same as from the capture. A tick that
 * returns non-zero ends the watch.
 */
struct watch_tap {
	void (*attached)(void *ctx, const struct watch_result *r);
	void (*record)(void *ctx, const void *data, size_t size);
	int (*tick)(void *ctx, uint64_t now_ns);
	void (*drained)(void *ctx);	/* that was the last record */
	stack_module_fn module;
	named_stack_fn stack;
	void *ctx;
};

#define STACK_HZ_MAX 10000

/* What a command wants to hear; each may be NULL. A non-zero return ends the
 * watch. */
#define WATCH_NOTES 4

struct watch_handlers {
	void (*attached)(void *ctx);
	int (*exchange)(void *ctx, const struct exchange_info *x);
	int (*conn_close)(void *ctx, const struct ev_conn_close *c);
	void (*turn)(void *ctx, const struct ev_turn *t);
	void (*offcpu)(void *ctx, const struct ev_offcpu *o);
	void (*sample)(void *ctx, const struct ev_sample *s);
	/* All exchanges so far: at the attach, every 100 ms, and after the last. */
	void (*latency)(void *ctx, uint64_t now_ns, const struct hist *total);
	named_stack_fn stack;	/* after the last record: every stack that one named, once */
	stack_module_fn module;	/* before the first stack that it has a nameless frame in */
	/* Of a capture: what replay itself has no use for (enum capture_chunk_type). */
	void (*chunk)(void *ctx, uint32_t type, const void *data, size_t len);
	void *ctx;
	bool every_exchange;	/* not only the tail: `over_ns` is the threshold */
	uint64_t over_ns;
	bool syscalls;		/* the result shows system calls: time every one */
	bool blame;		/* turn and offcpu are called, for what is long beside the P99 */
	bool every_turn;	/* with blame: turn is called for all, not only the long ones */
	uint32_t stack_hz;	/* sample is called; absences of any length, all with stacks */
	bool answers;		/* complete answers soon, also on connections that fell idle */
	bool tail_only;		/* without every_exchange: the tail, and nothing beside it */
	const struct watch_tap *tap;
	/* From the options, by watch(): */
	uint32_t stack_depth;	/* 0: as deep as can be */
	uint64_t window_ns;	/* of the tail; 0: TAIL_WINDOW_NS */
	const char *debug_dir;	/* of debug files; NULL: /usr/lib/debug */
};

/* What was watched, valid until watch_free(). */
struct watch_result {
	struct aggregate *aggregate;	/* NULL if it did not come to watching */
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
	uint32_t stack_hz;		/* 0: no stacks were taken */
	uint32_t stack_depth;		/* frames, if they were */
	uint64_t window_ns;		/* whose P99 makes a tail */
	uint64_t attached_ns;		/* start_ns, or earlier: losses are counted from then on */

	/* Only of a capture. */
	bool rebuilt;			/* the aggregate holds exchanges alone, added up from records */
	bool loss_known;		/* false: nobody counted what was lost */
	bool damaged;			/* its line is printed: what is whole follows */
	bool interrupted;		/* a capture whose recorder did not come to its end */
	const char *notes[WATCH_NOTES];	/* static strings */
	size_t n_notes;
};

/*
 * Runs a watch to its end, or replays a capture (o->input). EXIT_OK, or an exit status whose line is already printed. The result
 * is to be freed in either case.
 */
int watch(const struct options *o, const struct watch_handlers *h, struct watch_result *r);
void watch_free(struct watch_result *r);

/* The command's exit status after it has printed: --max-loss, the launched program's status. */
int watch_status(const struct options *o, const struct watch_result *r, uint64_t lost);

#endif
