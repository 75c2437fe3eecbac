/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.c - the regular work of a live watch, and its beginning and end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/term.h"
#include "kernel/session.h"
#include "stream/stream.h"
#include "stream/tail.h"
#include "symbols/stack_names.h"
#include "target/alive.h"
#include "target/proc.h"
#include "watch/live.h"

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

struct live {
	struct live_config config;
	struct sinks sinks;		/* the owner's and ours */
	struct sink follower;		/* ours: processes and stacks that records speak of */
	struct needs needs;		/* of the owner's */
	struct watch_result *r;
	struct session *session;
	struct stream *stream;
	struct tail tail;
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
};

static int follow_process(void *ctx, const struct event *e)
{
	const struct ev_process *p = &e->process;
	struct live *w = ctx;

	if (w->stacks)
		stack_names_event(w->stacks, e);
	if (p->change == PROCESS_FORK) {
		alive_add(&w->alive, p->pid);
	} else if (p->change == PROCESS_EXIT) {
		alive_remove(&w->alive, p->pid);
		w->ended = true;
	}
	return 0;
}

static int follow_stacks(void *ctx, const struct event *e)
{
	struct live *w = ctx;

	if (w->stacks)
		stack_names_event(w->stacks, e);
	return 0;
}

static void on_record(void *ctx, const void *data, size_t size)
{
	struct live *w = ctx;
	struct ev_offcpu room;

	if (w->stacks)
		data = stack_names_record(w->stacks, data, &size, &room);
	stream_record(w->stream, data, size);
}

static long drain(struct live *w)
{
	long n = session_drain(w->session, on_record, w);

	w->r->events = stream_records(w->stream);
	w->r->bad_events = stream_bad_records(w->stream);
	return n;
}

static void give_latency(struct live *w, uint64_t now)
{
	struct hist latency;

	if (!sinks_hear_latency(&w->sinks))
		return;
	session_latency(w->session, &latency);
	stream_latency(w->stream, now, &latency);
}

/* Until there is a P99 every exchange is sent: look again soon, unless there are none. */
static void update_tail(struct live *w, uint64_t now)
{
	struct hist latency;

	w->next_tail_ns = now + TAIL_EVERY_NS;
	give_latency(w, now);
	if (w->needs.exchanges == EXCHANGES_OVER)
		return;
	session_latency(w->session, &latency);
	w->tail_ns = tail_threshold(&w->tail, &latency, now);
	session_tail(w->session, w->tail_ns);
	if (!w->tail_ns && latency.sum != w->tail_sum_ns)
		w->next_tail_ns = now + LIVE_TICK_MS * MS;
	w->tail_sum_ns = latency.sum;
}

/*
 * Each switch of the kernel's statistics rewrites code on all processors, and while they are on
 * every firing, anybody's, costs half as much again: a short slice, and only while there are
 * exchanges to share the cost. Who wants nothing but the cost gets one long slice, from when there
 * is a P99: before, every exchange is sent.
 */
static void measure_cost(struct live *w, uint64_t now)
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
static void adopt_new(struct live *w, size_t from)
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

static void housekeeping(struct live *w)
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
static void forget_when_due(struct live *w, uint64_t now)
{
	if (!w->config.stay || now < w->next_forget_ns)
		return;
	session_forget_ended(w->session, proc_runs, w->ended);
	w->ended = false;
	w->next_forget_ns = now + FORGET_EVERY_NS;
}

/* Every second, or less often on a host whose process table takes long to read. */
static void housekeeping_when_due(struct live *w, uint64_t now)
{
	uint64_t cost;

	if (now < w->next_house_ns)
		return;
	housekeeping(w);
	cost = (monotonic_ns() - now) * REFRESH_SHARE;
	w->next_house_ns = now + (cost > HOUSEKEEPING_EVERY_NS ? cost : HOUSEKEEPING_EVERY_NS);
}

static void flush_idle(struct live *w, uint64_t now)
{
	if (!w->needs.prompt_answers || now - w->last_flush_ns < FLUSH_AFTER_NS ||
	    stream_oldest_ns(w->stream, now) < FLUSH_AFTER_NS)
		return;
	w->last_flush_ns = now;
	session_flush(w->session, w->alive.pids, w->alive.n);
}

void live_tick(struct live *w, uint64_t now)
{
	drain(w);
	stream_tick(w->stream, now);
	if (now >= w->next_tail_ns) {
		update_tail(w, now);
		measure_cost(w, now);
	}
	flush_idle(w, now);
	session_make_room(w->session, w->alive.pids, w->alive.n);
	housekeeping_when_due(w, now);
	forget_when_due(w, now);
}

bool live_done(const struct live *w)
{
	return stream_done(w->stream);
}

size_t live_alive(const struct live *w)
{
	return w->alive.n;
}

const uint32_t *live_pids(const struct live *w, size_t *n)
{
	*n = w->alive.n;
	return w->alive.pids;
}

int live_read(const struct live *w, struct aggregate *a)
{
	return session_read(w->session, a);
}

int live_read_brief(const struct live *w, struct aggregate *a)
{
	return session_read_brief(w->session, a);
}

static int fail_with(int err, const char *why)
{
	fail_line("%s", why);
	return err == -EPERM ? EXIT_NOPERM_ERROR : err == -ENOSYS ? EXIT_NOKERNEL : EXIT_FAULT;
}

static size_t read_stack(const void *ctx, int32_t id, uint64_t ip[STACK_DEPTH], bool *cut)
{
	return session_stack(ctx, id, ip, cut);
}

static int open_session(struct live *w)
{
	const struct live_config *c = &w->config;
	const struct needs *needs = &w->needs;
	struct session_config config = {
		.ports = c->spec->ports, .n_ports = c->spec->n_ports, .ring_kib = c->ring_kib,
		.syscalls = needs->syscalls && !c->no_syscalls,
		.blame = needs->intervals, .every_turn = needs->every_turn,
		.stack_hz = needs->stack_hz, .stack_depth = c->stack_depth,
		.close_wait_ns = c->close_wait_ns, .conn_events = needs->conn_closes,
		.tail_ns = needs->exchanges == EXCHANGES_OVER ? needs->over_ns : 0,
		.sample_every = needs->exchanges == EXCHANGES_SAMPLED ? SAMPLE_EVERY : 0,
		.verbose = c->verbose,
	};
	char why[512] = "";
	int err = session_open(&w->session, &config, why, sizeof(why));

	if (err)
		return fail_with(err, why);
	w->r->features = *session_features(w->session);
	return EXIT_OK;
}

static int open_stream(struct live *w, const struct sinks *sinks)
{
	struct stream_config config = {
		.sinks = &w->sinks, .window_ns = w->config.window_ns,
		.every_exchange = w->needs.exchanges == EXCHANGES_OVER,
	};

	w->follower = (struct sink){
		.event = { [EV_PROCESS] = follow_process, [EV_SAMPLE] = follow_stacks,
			   [EV_OFFCPU] = follow_stacks },
		.ctx = w,
	};
	w->sinks = *sinks;
	sinks_add(&w->sinks, &w->follower);
	w->stream = stream_new(&config);
	if (w->needs.stack_hz)
		w->stacks = stack_names_new(w->config.stack_depth, w->config.debug_dir, read_stack,
					    w->session);
	if (w->stream && (w->stacks || !w->needs.stack_hz))
		return EXIT_OK;
	fail_line("out of memory");
	return EXIT_FAULT;
}

static int attach(struct live *w)
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
	if (w->needs.intervals)
		facts_begin(&w->r->facts, w->alive.pids, w->alive.n);
	w->r->start_ns = w->r->attached_ns = monotonic_ns();
	give_latency(w, w->r->start_ns);
	w->r->realtime_offset_ns = realtime_offset_ns();
	if (w->r->targets.n)
		w->r->listen_overflows = proc_listen_overflows(w->r->targets.list[0].pid);
	return EXIT_OK;
}

int live_open(struct live **out, const struct live_config *config, const struct sinks *sinks,
	      struct watch_result *r)
{
	struct live *w = calloc(1, sizeof(*w));
	int status;

	*out = w;
	if (!w) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	w->config = *config;
	w->needs = sinks_needs(sinks);
	w->tail.window_ns = config->window_ns;
	w->r = r;
	status = open_session(w);
	if (!status)
		status = open_stream(w, sinks);
	if (!status)
		status = attach(w);
	w->next_house_ns = monotonic_ns() + HOUSEKEEPING_EVERY_NS;
	return status;
}

void live_begin(struct live *w)
{
	stream_begin(w->stream);
}

static void on_module(void *ctx, const struct stack_module *m)
{
	stream_module(ctx, m);
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	stream_stack(ctx, s);
}

int live_end(struct live *w)
{
	struct watch_result *r = w->r;
	uint64_t overflows;

	/* Taking the hooks away lasts: what they see meanwhile is not of this watch. */
	session_forget_all(w->session);
	r->end_ns = monotonic_ns();
	if (w->needs.intervals)
		facts_end(&r->facts, w->alive.pids, w->alive.n);
	overflows = r->targets.n ? proc_listen_overflows(r->targets.list[0].pid) : 0;
	r->listen_overflows = overflows > r->listen_overflows ? overflows - r->listen_overflows : 0;
	session_detach(w->session);
	/* A launched program has its own name by now. */
	targets_refresh(w->config.spec, &r->targets);
	session_flush(w->session, w->alive.pids, w->alive.n);
	while (drain(w) > 0)
		;
	stream_flush(w->stream);
	give_latency(w, r->end_ns);
	/* Names take a while: what happened is safe before. */
	stream_drained(w->stream);
	if (w->stacks)
		stack_names_give(w->stacks, on_module, on_stack, w->stream);
	if (w->stacks && sinks_hear_stacks(&w->sinks))
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

uint32_t live_last_exit(const struct live *w)
{
	return w->alive.last_exit;
}

void live_close(struct live *w)
{
	if (!w)
		return;
	session_close(w->session);
	stream_free(w->stream);
	stack_names_free(w->stacks);
	alive_free(&w->alive);
	free(w);
}
