// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* watcher.c - the regular work of a watch, and its beginning and end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/term.h"
#include "stream/correlate.h"
#include "stream/tail.h"
#include "symbols/stack_names.h"
#include "target/alive.h"
#include "target/proc.h"
#include "watch/watcher.h"

#define MS 1000000ULL

#define HOUSEKEEPING_EVERY_NS	(1000 * MS)
#define COST_EVERY_NS		(10000 * MS)	/* our own cost is measured this often */
#define COST_SLICE_NS		(1000 * MS)	/* for at most this long */
#define COST_ENOUGH		1000		/* exchanges in a slice */
#define COST_WORTH		20		/* exchanges since the last look, to begin one */
#define REFRESH_SHARE		500		/* looking for processes takes 1/500 of our time */
#define FORGET_EVERY_NS		(60000 * MS)	/* the kernel side's room of ended processes */
#define FLUSH_AFTER_NS		(500 * MS)
#define SAMPLE_EVERY		1024

struct watcher {
	struct watcher_config config;
	const struct watch_handlers *h;
	struct watch_result *r;
	struct session *session;
	struct correlate *correlate;
	struct tail tail;
	struct tail_judge judge;	/* with a tap, which is sent everything */
	struct alive alive;
	struct stack_names *stacks;	/* NULL: none are taken */
	uint64_t tail_ns;		/* the threshold; 0: every exchange */
	uint64_t tail_sum_ns;		/* latency of all exchanges, at the last look */
	uint64_t next_tail_ns, next_house_ns, last_flush_ns;
	uint64_t next_slice_ns;		/* when our own cost is measured again */
	uint64_t slice_ns;		/* when the slice began; 0: none */
	uint64_t slice_seen, last_seen;	/* exchanges then, and at the last look */
	uint64_t next_forget_ns;
	bool ended;			/* processes of the target have, since the last time */
	bool enough;			/* a handler has had enough */
};

static void on_process(struct watcher *w, const struct ev_process *p)
{
	if (p->change == PROCESS_FORK) {
		alive_add(&w->alive, p->pid);
	} else if (p->change == PROCESS_EXIT) {
		alive_remove(&w->alive, p->pid);
		w->ended = true;
	}
}

static void on_record(void *ctx, const void *data, size_t size)
{
	struct watcher *w = ctx;
	struct ev_offcpu room;
	struct event e;

	if (w->stacks)
		data = stack_names_record(w->stacks, data, &size, &room);
	if (w->h->tap)
		w->h->tap->record(w->h->tap->ctx, data, size);
	w->r->events++;
	if (decode_event(data, size, &e)) {
		w->r->bad_events++;
		return;
	}
	if (e.head.kind == EV_EXCHANGE && w->h->tap)
		tail_judge_see(&w->judge, e.exchange.latency_ns);
	correlate_feed(w->correlate, &e);
	if (w->stacks)
		stack_names_event(w->stacks, w->session, &e);
	if (e.head.kind == EV_PROCESS)
		on_process(w, &e.process);
	else if (e.head.kind == EV_TURN && w->h->turn)
		w->h->turn(w->h->ctx, &e.turn);
	else if (e.head.kind == EV_OFFCPU && w->h->offcpu)
		w->h->offcpu(w->h->ctx, &e.offcpu);
	else if (e.head.kind == EV_SAMPLE && w->h->sample)
		w->h->sample(w->h->ctx, &e.sample);
	else if (e.head.kind == EV_CONN_CLOSE && w->h->conn_close &&
		 w->h->conn_close(w->h->ctx, &e.conn_close))
		w->enough = true;
}

/* What the kernel side was asked to send, unless a recorder wanted everything. */
static uint64_t least_ns(const struct watcher *w, const struct exchange_info *x)
{
	const struct watch_handlers *h = w->h;

	if (!h->tap || (!h->every_exchange && !h->tail_only))
		return 0;
	return h->every_exchange ? h->over_ns : tail_judge_least(&w->judge, x->ex.head.time_ns);
}

static void on_exchange(void *ctx, const struct exchange_info *x)
{
	struct watcher *w = ctx;

	if (w->h->exchange && x->ex.latency_ns >= least_ns(w, x) &&
	    w->h->exchange(w->h->ctx, x))
		w->enough = true;
}

static bool sends_all(const struct watch_handlers *h)
{
	return h->every_exchange || h->tap;
}

static void tell_latency(struct watcher *w, uint64_t now)
{
	struct hist latency;

	if (!w->h->latency)
		return;
	session_latency(w->session, &latency);
	w->h->latency(w->h->ctx, now, &latency);
}

/* Until there is a P99 every exchange is sent: look again soon, unless there are none. */
static void update_tail(struct watcher *w, uint64_t now)
{
	struct hist latency;

	w->next_tail_ns = now + TAIL_EVERY_NS;
	tell_latency(w, now);
	if (sends_all(w->h))
		return;
	session_latency(w->session, &latency);
	w->tail_ns = tail_threshold(&w->tail, &latency, now);
	session_tail(w->session, w->tail_ns);
	if (!w->tail_ns && latency.sum != w->tail_sum_ns)
		w->next_tail_ns = now + WATCHER_TICK_MS * MS;
	w->tail_sum_ns = latency.sum;
}

/*
 * Each switch of the kernel's statistics rewrites code on all processors, and while they are on
 * every firing, anybody's, costs half as much again: a short slice, and only while there are
 * exchanges to share the cost. Who wants nothing but the cost gets one long slice, from when there
 * is a P99: before, every exchange is sent.
 */
static void measure_cost(struct watcher *w, uint64_t now)
{
	uint64_t seen = session_exchanges(w->session), lately = seen - w->last_seen;
	bool all = w->config.measure_all;

	w->last_seen = seen;
	if (!w->slice_ns) {
		if (now < w->next_slice_ns || lately < COST_WORTH || (all && !w->tail_ns))
			return;
		session_cost_begin(w->session);
		w->slice_ns = now;
		w->slice_seen = seen;
	} else if (!all && (seen - w->slice_seen >= COST_ENOUGH ||
			    now - w->slice_ns >= COST_SLICE_NS)) {
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
		alive_add(&w->alive, pid);
		if (w->stacks)
			stack_names_process(w->stacks, pid);
	}
	if (from < w->r->targets.n)
		session_snapshot(w->session, w->alive.pids, w->alive.n);
}

static void housekeeping(struct watcher *w)
{
	size_t known = w->r->targets.n;

	for (size_t i = w->alive.n; i-- > 0;)
		if (!proc_runs(w->alive.pids[i])) {
			session_forget_pid(w->session, w->alive.pids[i]);
			alive_remove(&w->alive, w->alive.pids[i]);
			w->ended = true;
		}
	if (w->config.stay) {
		targets_forget_ended(&w->r->targets);
		known = w->r->targets.n;
	}
	if (targets_refresh(w->config.spec, &w->r->targets) > 0)
		adopt_new(w, known);
}

/* Nobody reports wakers and eventpolls of a watch that lasts for ever. */
static void forget_when_due(struct watcher *w, uint64_t now)
{
	if (!w->config.stay || now < w->next_forget_ns)
		return;
	session_forget_ended(w->session, proc_runs, w->ended);
	w->ended = false;
	w->next_forget_ns = now + FORGET_EVERY_NS;
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
	if ((!w->h->answers && !w->h->tap) || now - w->last_flush_ns < FLUSH_AFTER_NS ||
	    correlate_oldest_ns(w->correlate, now) < FLUSH_AFTER_NS)
		return;
	w->last_flush_ns = now;
	session_flush(w->session, w->alive.pids, w->alive.n);
}

void watcher_tick(struct watcher *w, uint64_t now)
{
	session_drain(w->session, on_record, w);
	if (w->h->tap && w->h->tap->tick(w->h->tap->ctx, now))
		w->enough = true;
	correlate_tick(w->correlate, now);
	if (w->h->tap)
		tail_judge_tick(&w->judge, now);
	if (now >= w->next_tail_ns) {
		update_tail(w, now);
		measure_cost(w, now);
	}
	flush_idle(w, now);
	session_make_room(w->session, w->alive.pids, w->alive.n);
	housekeeping_when_due(w, now);
	forget_when_due(w, now);
}

bool watcher_done(const struct watcher *w)
{
	return w->enough;
}

size_t watcher_alive(const struct watcher *w)
{
	return w->alive.n;
}

const uint32_t *watcher_pids(const struct watcher *w, size_t *n)
{
	*n = w->alive.n;
	return w->alive.pids;
}

int watcher_read(const struct watcher *w, struct aggregate *a)
{
	return session_read(w->session, a);
}

int watcher_read_brief(const struct watcher *w, struct aggregate *a)
{
	return session_read_brief(w->session, a);
}

static int fail_with(int err, const char *why)
{
	fail_line("%s", why);
	return err == -EPERM ? EXIT_NOPERM_ERROR : err == -ENOSYS ? EXIT_NOKERNEL : EXIT_FAULT;
}

static bool wants_blame(const struct watch_handlers *h)
{
	return h->blame || h->tap;
}

static int open_session(struct watcher *w)
{
	struct session_config config = {
		.ports = w->config.spec->ports,
		.n_ports = w->config.spec->n_ports,
		.ring_kib = w->config.ring_kib,
		.syscalls = (w->h->syscalls || w->h->tap) && !w->config.no_syscalls,
		.blame = wants_blame(w->h),
		.stack_hz = w->h->stack_hz,
		.stack_depth = w->h->stack_depth,
		.every_turn = w->h->every_turn,
		.close_wait_ns = w->config.close_wait_ns,
		.conn_events = w->h->conn_close || w->h->tap,
		.tail_ns = w->h->every_exchange && !w->h->tap ? w->h->over_ns : 0,
		.sample_every = sends_all(w->h) || w->h->tail_only ? 0 : SAMPLE_EVERY,
		.verbose = w->config.verbose,
	};
	struct correlate_limits limits = {
		.capacity = CORRELATE_CAPACITY, .wait_ns = CORRELATE_WAIT_NS,
		.grace_ns = CORRELATE_GRACE_NS,
	};
	char why[512] = "";
	int err;

	w->tail.window_ns = w->judge.tail.window_ns = w->h->window_ns;
	w->correlate = correlate_new(&limits, on_exchange, w);
	if (w->h->stack_hz)
		w->stacks = stack_names_new(w->h->stack_depth, w->h->debug_dir);
	if (!w->correlate || (w->h->stack_hz && !w->stacks)) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	err = session_open(&w->session, &config, why, sizeof(why));
	if (err)
		return fail_with(err, why);
	w->r->features = *session_features(w->session);
	return EXIT_OK;
}

static int attach(struct watcher *w)
{
	char why[512] = "";
	int err;

	for (size_t i = 0; i < w->r->targets.n; i++) {
		session_watch_pid(w->session, w->r->targets.list[i].pid);
		alive_add(&w->alive, w->r->targets.list[i].pid);
		if (w->stacks)
			stack_names_process(w->stacks, w->r->targets.list[i].pid);
	}
	err = session_attach(w->session, why, sizeof(why));
	if (err)
		return fail_with(err, why);
	err = session_snapshot(w->session, w->alive.pids, w->alive.n);
	if (err) {
		fail_line("listing the target's sockets failed: %s", strerror(-err));
		return EXIT_FAULT;
	}
	/* Whoever was forked while we looked. */
	housekeeping(w);
	if (wants_blame(w->h))
		facts_begin(&w->r->facts, w->alive.pids, w->alive.n);
	w->r->start_ns = w->r->attached_ns = monotonic_ns();
	tell_latency(w, w->r->start_ns);
	w->r->realtime_offset_ns = realtime_offset_ns();
	if (w->r->targets.n)
		w->r->listen_overflows = proc_listen_overflows(w->r->targets.list[0].pid);
	return EXIT_OK;
}

int watcher_open(struct watcher **out, const struct watcher_config *config, struct watch_result *r)
{
	struct watcher *w = calloc(1, sizeof(*w));
	int status;

	*out = w;
	if (!w) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	w->config = *config;
	w->h = config->handlers;
	w->r = r;
	status = open_session(w);
	if (!status)
		status = attach(w);
	w->next_house_ns = monotonic_ns() + HOUSEKEEPING_EVERY_NS;
	return status;
}

static void on_module(void *ctx, const struct stack_module *m)
{
	struct watcher *w = ctx;

	if (w->h->tap)
		w->h->tap->module(w->h->tap->ctx, m);
	if (w->h->module)
		w->h->module(w->h->ctx, m);
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	struct watcher *w = ctx;

	if (w->h->tap)
		w->h->tap->stack(w->h->tap->ctx, s);
	if (w->h->stack)
		w->h->stack(w->h->ctx, s);
}

int watcher_end(struct watcher *w)
{
	struct watch_result *r = w->r;
	uint64_t overflows;

	/* Taking the hooks away lasts: what they see meanwhile is not of this watch. */
	session_forget_all(w->session);
	r->end_ns = monotonic_ns();
	if (wants_blame(w->h))
		facts_end(&r->facts, w->alive.pids, w->alive.n);
	overflows = proc_listen_overflows(r->targets.list[0].pid);
	r->listen_overflows = overflows > r->listen_overflows ? overflows - r->listen_overflows : 0;
	session_detach(w->session);
	/* A launched program has its own name by now. */
	targets_refresh(w->config.spec, &r->targets);
	session_flush(w->session, w->alive.pids, w->alive.n);
	while (session_drain(w->session, on_record, w) > 0)
		;
	correlate_flush(w->correlate);
	tell_latency(w, r->end_ns);
	/* Names take a while: what happened is safe before. */
	if (w->h->tap)
		w->h->tap->drained(w->h->tap->ctx);
	if (w->stacks)
		stack_names_tell(w->stacks, w->session, on_module, on_stack, w);
	if (w->stacks && (w->h->stack || w->h->tap))
		stack_names_say(w->stacks, w->config.verbose);
	if (r->bad_events)
		warn_line("%llu events could not be understood", (unsigned long long)r->bad_events);
	if (w->config.verbose)
		session_cost_print(w->session);
	r->aggregate = aggregate_new();
	if (!r->aggregate || session_read(w->session, r->aggregate)) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	return EXIT_OK;
}

uint32_t watcher_last_exit(const struct watcher *w)
{
	return w->alive.last_exit;
}

void watcher_close(struct watcher *w)
{
	if (!w)
		return;
	session_close(w->session);
	correlate_free(w->correlate);
	stack_names_free(w->stacks);
	alive_free(&w->alive);
	free(w);
}
