// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* watch.c - from a target to its events, and back out without a trace. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "correlate.h"
#include "launch.h"
#include "proc.h"
#include "status.h"
#include "stop.h"
#include "tail.h"
#include "watch.h"

#define MS 1000000ULL

#define DRAIN_MS		10
#define TAIL_EVERY_NS		(100 * MS)
#define HOUSEKEEPING_EVERY_NS	(1000 * MS)
#define COST_EVERY_NS		(10000 * MS)	/* our own cost is measured this often */
#define COST_SLICE_NS		(1000 * MS)	/* for at most this long */
#define COST_ENOUGH		1000		/* exchanges in a slice */
#define COST_WORTH		20		/* exchanges since the last look, to begin one */
#define REFRESH_SHARE		500		/* looking for processes takes 1/500 of our time */
#define FLUSH_AFTER_NS		(500 * MS)
#define SAMPLE_EVERY		1024
#define EXIT_GRACE_MS		500

struct watcher {
	const struct options *o;
	const struct watch_handlers *h;
	struct watch_result *r;
	struct session *session;
	struct correlate *correlate;
	struct tail *tail;
	struct target_spec spec;	/* the user's, or the launched pid */
	uint32_t launched;
	struct stop stop;
	struct launch launch;
	uint32_t *alive;		/* processes of the target that run */
	size_t n_alive, room;
	uint32_t last_exit;		/* the process that ended last */
	uint64_t next_tail_ns, next_house_ns, last_flush_ns;
	uint64_t next_slice_ns;		/* when our own cost is measured again */
	uint64_t slice_ns;		/* when the slice began; 0: none */
	uint64_t slice_seen, last_seen;	/* exchanges then, and at the last look */

	bool enough;			/* a handler has had enough */
};

uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int64_t realtime_offset_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - (int64_t)monotonic_ns();
}

static void alive_add(struct watcher *w, uint32_t pid)
{
	for (size_t i = 0; i < w->n_alive; i++)
		if (w->alive[i] == pid)
			return;
	if (w->n_alive == w->room) {
		size_t room = w->room ? w->room * 2 : 64;
		uint32_t *grown = realloc(w->alive, room * sizeof(*grown));

		if (!grown)
			return;
		w->alive = grown;
		w->room = room;
	}
	w->alive[w->n_alive++] = pid;
}

static void alive_remove(struct watcher *w, uint32_t pid)
{
	for (size_t i = 0; i < w->n_alive; i++) {
		if (w->alive[i] != pid)
			continue;
		w->alive[i] = w->alive[--w->n_alive];
		w->last_exit = pid;
		return;
	}
}

static bool runs(uint32_t pid)
{
	struct proc_stat st;

	return !proc_stat(pid, &st) && !proc_is_zombie(&st);
}

static void on_process(struct watcher *w, const struct ev_process *p)
{
	if (p->change == PROCESS_FORK)
		alive_add(w, p->pid);
	else if (p->change == PROCESS_EXIT)
		alive_remove(w, p->pid);
}

static void on_record(void *ctx, const void *data, size_t size)
{
	struct watcher *w = ctx;
	struct event e;

	w->r->events++;
	if (decode_event(data, size, &e)) {
		w->r->bad_events++;
		return;
	}
	correlate_feed(w->correlate, &e);
	if (e.head.kind == EV_PROCESS)
		on_process(w, &e.process);
	else if (e.head.kind == EV_CONN_CLOSE && w->h->conn_close &&
		 w->h->conn_close(w->h->ctx, &e.conn_close))
		w->enough = true;
}

static void on_exchange(void *ctx, const struct exchange_info *x)
{
	struct watcher *w = ctx;

	if (w->h->exchange && w->h->exchange(w->h->ctx, x))
		w->enough = true;
}

/* Until there is a P99 every exchange is sent: look again soon. */
static void update_tail(struct watcher *w, uint64_t now)
{
	struct hist latency;
	uint64_t tail_ns;

	w->next_tail_ns = now + TAIL_EVERY_NS;
	if (w->h->every_exchange)
		return;
	session_latency(w->session, &latency);
	tail_ns = tail_threshold(w->tail, &latency, now);
	session_tail(w->session, tail_ns);
	if (!tail_ns)
		w->next_tail_ns = now + DRAIN_MS * MS;
}

/*
 * Each switch of the kernel's statistics rewrites code on all processors, and while they are on
 * every firing, anybody's, costs half as much again: a short slice, and only while there are
 * exchanges to share the cost.
 */
static void measure_cost(struct watcher *w, uint64_t now)
{
	uint64_t seen = session_exchanges(w->session), lately = seen - w->last_seen;

	w->last_seen = seen;
	if (!w->slice_ns) {
		if (now < w->next_slice_ns || lately < COST_WORTH)
			return;
		session_cost_begin(w->session);
		w->slice_ns = now;
		w->slice_seen = seen;
	} else if (seen - w->slice_seen >= COST_ENOUGH || now - w->slice_ns >= COST_SLICE_NS) {
		session_cost_end(w->session);
		w->slice_ns = 0;
		w->next_slice_ns = now + COST_EVERY_NS;
	}
}

/* New processes of the target: its bits first, then the sockets they already have. */
static void adopt_new(struct watcher *w, size_t from)
{
	uint32_t pid;

	for (size_t i = from; i < w->r->targets.n; i++) {
		pid = w->r->targets.list[i].pid;
		session_watch_pid(w->session, pid);
		alive_add(w, pid);
	}
	if (from < w->r->targets.n)
		session_snapshot(w->session, w->alive, w->n_alive);
}

static void housekeeping(struct watcher *w)
{
	size_t known = w->r->targets.n;

	for (size_t i = w->n_alive; i-- > 0;)
		if (!runs(w->alive[i])) {
			session_forget_pid(w->session, w->alive[i]);
			alive_remove(w, w->alive[i]);
		}
	if (targets_refresh(&w->spec, &w->r->targets) > 0)
		adopt_new(w, known);
}

/* Every second, or less often on a host whose process table takes long to read. */
static void housekeeping_when_due(struct watcher *w, uint64_t now)
{
	uint64_t cost;

	if (now < w->next_house_ns)
		return;
	housekeeping(w);
	cost = (monotonic_ns() - now) * REFRESH_SHARE;
	w->next_house_ns = now + (cost > HOUSEKEEPING_EVERY_NS ? cost : HOUSEKEEPING_EVERY_NS);
}

static void flush_idle(struct watcher *w, uint64_t now)
{
	if (!w->h->answers || now - w->last_flush_ns < FLUSH_AFTER_NS ||
	    correlate_oldest_ns(w->correlate, now) < FLUSH_AFTER_NS)
		return;
	w->last_flush_ns = now;
	session_flush(w->session, w->alive, w->n_alive);
}

static void tick(struct watcher *w, uint64_t now)
{
	session_drain(w->session, on_record, w);
	correlate_tick(w->correlate, now);
	if (now >= w->next_tail_ns) {
		update_tail(w, now);
		measure_cost(w, now);
	}
	flush_idle(w, now);
	housekeeping_when_due(w, now);
}

/* The kernel tells of the end before it closes the sockets: wait for the latter. */
static void await_exit(struct watcher *w)
{
	for (int ms = 0; ms < EXIT_GRACE_MS && runs(w->last_exit); ms += DRAIN_MS)
		poll(NULL, 0, DRAIN_MS);
}

static void loop(struct watcher *w)
{
	uint64_t now = monotonic_ns();
	uint64_t end = w->o->duration_ns ? now + w->o->duration_ns : UINT64_MAX;
	struct pollfd fds[] = {
		{ .fd = w->stop.fd, .events = POLLIN },
		{ .fd = w->launched ? launch_wait_fd(&w->launch) : -1, .events = POLLIN },
	};

	w->next_house_ns = now + HOUSEKEEPING_EVERY_NS;
	while (!w->enough && now < end) {
		uint64_t left_ms = (end - now + MS - 1) / MS;

		poll(fds, 2, left_ms < DRAIN_MS ? (int)left_ms : DRAIN_MS);
		if (fds[0].revents && stop_take(&w->stop))
			break;
		now = monotonic_ns();
		tick(w, now);
		if (fds[1].revents)
			break;
		if (!w->n_alive) {
			await_exit(w);
			break;
		}
	}
}

/* Hooks off, the last answers completed, everything that is in the rings taken. */
static void drain(struct watcher *w)
{
	session_detach(w->session);
	/* A launched program has its own name by now. */
	targets_refresh(&w->spec, &w->r->targets);
	session_flush(w->session, w->alive, w->n_alive);
	while (session_drain(w->session, on_record, w) > 0)
		;
	correlate_flush(w->correlate);
	if (w->launched && launch_status(&w->launch) >= 0)
		w->r->program_status = launch_status(&w->launch);
}

static int fail_with(int err, const char *why)
{
	fail_line("%s", why);
	return err == -EPERM ? EXIT_NOPERM_ERROR : err == -ENOSYS ? EXIT_NOKERNEL : EXIT_FAULT;
}

static int find_targets(struct watcher *w)
{
	char why[512] = "";
	int err;

	w->spec = w->o->target;
	if (w->spec.program) {
		err = launch_start(&w->launch, w->spec.program, &w->stop);
		if (err) {
			fail_line("cannot start '%s': %s", w->spec.program[0], strerror(-err));
			return EXIT_FAULT;
		}
		w->launched = w->launch.pid;
		w->spec.pids = &w->launched;
		w->spec.n_pids = 1;
	}
	err = targets_resolve(&w->spec, &w->r->targets, why, sizeof(why));
	if (err) {
		fail_line("%s", why);
		return exit_status_of(err);
	}
	if (w->r->targets.note[0])
		warn_line("%s", w->r->targets.note);
	return EXIT_OK;
}

static int open_session(struct watcher *w)
{
	struct session_config config = {
		.ports = w->o->target.ports,
		.n_ports = w->o->target.n_ports,
		.ring_kib = w->o->ring_kib,
		.syscalls = w->h->syscalls && !w->o->no_syscalls,
		.conn_events = w->h->conn_close != NULL,
		.tail_ns = w->h->every_exchange ? w->h->over_ns : 0,
		.sample_every = w->h->every_exchange ? 0 : SAMPLE_EVERY,
		.verbose = w->o->verbose,
	};
	struct correlate_limits limits = {
		.capacity = 8192, .wait_ns = 3000 * MS, .grace_ns = 100 * MS,
	};
	char why[512] = "";
	int err;

	w->correlate = correlate_new(&limits, on_exchange, w);
	w->tail = calloc(1, sizeof(*w->tail));
	if (!w->correlate || !w->tail) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	err = session_open(&w->session, &config, why, sizeof(why));
	w->r->session = w->session;
	return err ? fail_with(err, why) : EXIT_OK;
}

static int attach(struct watcher *w)
{
	char why[512] = "";
	int err;

	for (size_t i = 0; i < w->r->targets.n; i++) {
		session_watch_pid(w->session, w->r->targets.list[i].pid);
		alive_add(w, w->r->targets.list[i].pid);
	}
	err = session_attach(w->session, why, sizeof(why));
	if (err)
		return fail_with(err, why);
	err = session_snapshot(w->session, w->alive, w->n_alive);
	if (err) {
		fail_line("listing the target's sockets failed: %s", strerror(-err));
		return EXIT_FAULT;
	}
	/* Whoever was forked while we looked. */
	housekeeping(w);
	w->r->start_ns = monotonic_ns();
	w->r->realtime_offset_ns = realtime_offset_ns();
	w->r->listen_overflows = proc_listen_overflows(w->r->targets.list[0].pid);
	if (w->launched) {
		err = launch_release(&w->launch, why, sizeof(why));
		if (err) {
			fail_line("%s", why);
			return exit_status_of(err);
		}
	}
	say_line("attached to %zu process%s", w->r->targets.n, w->r->targets.n == 1 ? "" : "es");
	if (w->h->attached)
		w->h->attached(w->h->ctx);
	return EXIT_OK;
}

int watch(const struct options *o, const struct watch_handlers *h, struct watch_result *r)
{
	struct watcher w = { .o = o, .h = h, .r = r, .stop = STOP_INIT, .launch = LAUNCH_INIT };
	uint64_t overflows;
	int status;

	*r = (struct watch_result){ .program_status = -1 };
	status = stop_open(&w.stop) ? EXIT_FAULT : EXIT_OK;
	if (!status)
		status = find_targets(&w);
	if (!status)
		status = open_session(&w);
	if (!status)
		status = attach(&w);
	if (!status) {
		loop(&w);
		r->end_ns = monotonic_ns();
		overflows = proc_listen_overflows(r->targets.list[0].pid);
		r->listen_overflows = overflows > r->listen_overflows ?
				      overflows - r->listen_overflows : 0;
		drain(&w);
		if (r->bad_events)
			warn_line("%llu events could not be understood",
				  (unsigned long long)r->bad_events);
		if (o->verbose)
			session_cost_print(w.session);
	}
	launch_end(&w.launch);
	stop_close(&w.stop);
	correlate_free(w.correlate);
	free(w.tail);
	free(w.alive);
	return status;
}

void watch_free(struct watch_result *r)
{
	session_close(r->session);
	targets_free(&r->targets);
	*r = (struct watch_result){ 0 };
}

int watch_status(const struct options *o, const struct watch_result *r, uint64_t lost)
{
	uint64_t all = r->events + lost;

	if (o->has_max_loss && all && (double)lost / (double)all > o->max_loss) {
		fail_line("%llu of %llu events were lost, more than --max-loss allows: "
			  "raise --ring-size", (unsigned long long)lost, (unsigned long long)all);
		return EXIT_LOST;
	}
	return r->program_status >= 0 ? r->program_status : EXIT_OK;
}
