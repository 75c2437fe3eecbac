/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * watcher.h - one attached session: its events, its tail's threshold, its target's processes.
 *
 * Driven by its owner: open, then a tick every few milliseconds, then end. It neither waits nor
 * handles signals, so several can run side by side.
 */
#ifndef EPOLLSCOPE_WATCHER_H
#define EPOLLSCOPE_WATCHER_H

#include "watch/watch.h"

#define WATCHER_TICK_MS 10

struct watcher;

struct watcher_config {
	const struct target_spec *spec;	/* of processes to follow; outlives the watcher */
	const struct watch_handlers *handlers;
	uint32_t ring_kib;
	uint64_t close_wait_ns;	/* connections in CLOSE_WAIT for longer count at the end */
	bool no_syscalls;
	bool stay;	/* r->targets may be empty: they come and go, and the ended are forgotten */
	bool measure_all;	/* our own cost, as long as there are exchanges: doctor */
	unsigned verbose;
};

/*
 * Loads and attaches to r->targets, which are resolved; fills r->features, start_ns,
 * realtime_offset_ns. The result outlives the watcher. EXIT_OK, or an exit status whose line is
 * already printed.
 */
int watcher_open(struct watcher **out, const struct watcher_config *config, struct watch_result *r);

/* Takes what the rings hold and does what is due. */
void watcher_tick(struct watcher *w, uint64_t now_ns);

bool watcher_done(const struct watcher *w);	/* a handler has had enough */
size_t watcher_alive(const struct watcher *w);	/* processes of the target that run */
const uint32_t *watcher_pids(const struct watcher *w, size_t *n);	/* valid until the next tick */
uint32_t watcher_last_exit(const struct watcher *w);	/* the last that ended; 0: none */

/* All that was accumulated so far, into a fresh aggregate. 0 or -ENOMEM. */
int watcher_read(const struct watcher *w, struct aggregate *a);

/* The same without wakers and eventpolls, whose maps take long to walk. */
int watcher_read_brief(const struct watcher *w, struct aggregate *a);

/*
 * Hooks off, the last answers completed, everything in the rings and maps taken: r->aggregate,
 * end_ns, listen_overflows. EXIT_OK, or an exit status whose line is already printed.
 */
int watcher_end(struct watcher *w);

void watcher_close(struct watcher *w);	/* NULL is fine */

#endif
