/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live.h - a live watch: one attached session, which feeds a stream, and the processes of its
 * target.
 *
 * Driven by its owner: open, then a tick every few milliseconds, then end. It neither waits nor
 * handles signals, so several can run side by side.
 */
#ifndef EPOLLSCOPE_LIVE_H
#define EPOLLSCOPE_LIVE_H

#include "capture/watch_result.h"
#include "stream/sink.h"

#define LIVE_TICK_MS 10

struct live;
struct stats_switch;

struct live_config {
	const struct target_spec *spec;	/* of processes to follow; outlives the watch */
	uint32_t ring_kib;
	uint64_t close_wait_ns;	/* connections in CLOSE_WAIT for longer count at the end */
	uint32_t stack_depth;	/* frames of a stack; 0: as deep as can be */
	uint64_t window_ns;	/* of the tail; 0: TAIL_WINDOW_NS */
	const char *debug_dir;	/* of debug files; NULL: /usr/lib/debug */
	enum syscall_mode syscalls;	/* at most this, and what the sinks need */
	bool stay;	/* r->targets may be empty: they come and go, and the ended are forgotten */
	bool measure_all;	/* our own cost, as long as there are exchanges: doctor */
	double budget;		/* our own cost by the target's CPU time, at most; 0: no limit */
	const struct stats_switch *stats;	/* what measures that; NULL: we may ourselves */
	unsigned watches;	/* side by side, which share the collector's CPU time; 0: this alone */
	unsigned verbose;
};

/*
 * Loads what the sinks need and attaches to r->targets, which are resolved; fills r->features,
 * start_ns, realtime_offset_ns. Sinks and result outlive the watch. EXIT_OK, or an exit status
 * whose line is already printed; live_close() in any case.
 */
int live_open(struct live **out, const struct live_config *config, const struct sinks *sinks,
	      struct watch_result *r);

void live_begin(struct live *live);	/* the sinks may begin: the result's beginning is filled */

/* Takes what the rings hold and does what is due. */
void live_tick(struct live *live, uint64_t now_ns);

/* How long its owner may wait until the next tick, LIVE_TICK_MS or less. */
int live_wait_ms(const struct live *live, uint64_t now_ns);

bool live_done(const struct live *live);	/* a sink has had enough */
size_t live_alive(const struct live *live);	/* processes of the target that run */
const uint32_t *live_pids(const struct live *live, size_t *n);	/* valid until the next tick */
uint32_t live_shed(const struct live *live);	/* SHED_BIT() of what the budget leaves out now */
uint32_t live_last_exit(const struct live *live);	/* the last that ended; 0: none */

/* All that was accumulated so far, into a fresh aggregate. 0 or -ENOMEM. */
int live_read(const struct live *live, struct aggregate *a);

/* The same without wakers and eventpolls, whose maps take long to walk. */
int live_read_brief(const struct live *live, struct aggregate *a);

/*
 * Hooks off, the last answers completed, everything in the rings and maps taken: r->aggregate,
 * end_ns, listen_overflows. EXIT_OK, or an exit status whose line is already printed.
 */
int live_end(struct live *live);

void live_close(struct live *live);	/* NULL is fine */

#endif
