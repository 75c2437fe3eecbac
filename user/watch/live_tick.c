/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live_tick.c - what a live watch does every few milliseconds, and what is due now and then. */
#include "base/clock.h"
#include "target/proc.h"
#include "watch/live_private.h"

#define MS 1000000ULL

#define COST_EVERY_NS		(10000 * MS)	/* our own cost is measured this often */
#define COST_SLICE_NS		(1000 * MS)	/* for at most this long */
#define COST_ENOUGH		1000		/* exchanges in a slice */
#define COST_WORTH		20		/* exchanges since the last look, to begin one */
#define REFRESH_SHARE		500		/* looking for processes takes 1/500 of our time */
#define FORGET_EVERY_NS		(60000 * MS)	/* the kernel side's room of ended processes */
#define FLUSH_AFTER_NS		(500 * MS)

void live_latency(const struct live *live, struct hist *latency)
{
	session_latency(live->session, latency);
	hist_sum(latency, &live->sums->ledger.latency);
}

void live_give_latency(struct live *live, uint64_t now)
{
	struct hist latency;

	if (!sinks_hear_latency(&live->sinks))
		return;
	live_latency(live, &latency);
	stream_latency(live->stream, now, &latency);
}

/* Until there is a P99 every exchange is sent: look again soon, unless there are none. */
static void update_tail(struct live *live, uint64_t now)
{
	struct hist latency;

	live->next_tail_ns = now + TAIL_EVERY_NS;
	live_give_latency(live, now);
	if (live->needs.exchanges == EXCHANGES_OVER)
		return;
	live_latency(live, &latency);
	live->tail_ns = tail_threshold(&live->tail, &latency, now);
	session_tail(live->session, live->tail_ns);
	if (!live->tail_ns && latency.sum != live->tail_sum_ns)
		live->next_tail_ns = now + LIVE_TICK_MS * MS;
	live->tail_sum_ns = latency.sum;
}

/*
 * Each switch of the kernel's statistics rewrites code on all processors, and while they are on
 * every firing, anybody's, costs half as much again: a short slice, and only while there are
 * exchanges to share the cost. Who wants nothing but the cost gets one long slice, from when there
 * is a P99: before, every exchange is sent.
 */
static void measure_cost(struct live *live, uint64_t now)
{
	uint64_t seen = session_exchanges(live->session), lately = seen - live->last_seen;
	bool all = live->config.measure_all;

	live->last_seen = seen;
	/* With a budget the cost is measured all the time. */
	if (live->config.budget > 0)
		return;
	if (!live->slice_ns) {
		if (now < live->next_slice_ns || lately < COST_WORTH || (all && !live->tail_ns))
			return;
		session_cost_begin(live->session);
		live->slice_ns = now;
		live->slice_seen = seen;
	} else if (!all && (seen - live->slice_seen >= COST_ENOUGH ||
			    now - live->slice_ns >= COST_SLICE_NS)) {
		session_cost_end(live->session);
		live->slice_ns = 0;
		live->next_slice_ns = now + COST_EVERY_NS;
	}
}

/* New processes of the target: its bits first, then the sockets they already have. */
static void adopt_new(struct live *live, size_t from)
{
	uint32_t pid;

	for (size_t i = from; i < live->r->targets.n; i++) {
		pid = live->r->targets.list[i].pid;
		session_watch_pid(live->session, pid);
		alive_add(&live->alive, pid);
		if (live->stacks)
			stack_names_process(live->stacks, pid);
	}
	if (from < live->r->targets.n)
		session_snapshot(live->session, live->alive.pids, live->alive.n);
}

void live_find_processes(struct live *live)
{
	size_t known = live->r->targets.n;

	for (size_t i = live->alive.n; i-- > 0;)
		if (!proc_runs(live->alive.pids[i])) {
			session_forget_pid(live->session, live->alive.pids[i]);
			alive_remove(&live->alive, live->alive.pids[i]);
			live->ended = true;
		}
	if (live->config.stay) {
		targets_forget_ended(&live->r->targets);
		known = live->r->targets.n;
	}
	if (targets_refresh(live->config.spec, &live->r->targets) > 0)
		adopt_new(live, known);
}

/* Nobody reports wakers and eventpolls of a watch that lasts for ever. */
static void forget_when_due(struct live *live, uint64_t now)
{
	if (!live->config.stay || now < live->next_forget_ns)
		return;
	session_forget_ended(live->session, proc_runs, live->ended);
	live->ended = false;
	live->next_forget_ns = now + FORGET_EVERY_NS;
}

/* Every second, or less often on a host whose process table takes long to read. */
static void housekeeping_when_due(struct live *live, uint64_t now)
{
	uint64_t cost;

	if (now < live->next_house_ns)
		return;
	live_find_processes(live);
	cost = (monotonic_ns() - now) * REFRESH_SHARE;
	live->next_house_ns = now + (cost > HOUSEKEEPING_EVERY_NS ? cost : HOUSEKEEPING_EVERY_NS);
}

static void flush_idle(struct live *live, uint64_t now)
{
	if (!live->needs.prompt_answers || now - live->last_flush_ns < FLUSH_AFTER_NS ||
	    stream_oldest_ns(live->stream, now) < FLUSH_AFTER_NS)
		return;
	live->last_flush_ns = now;
	session_flush(live->session, live->alive.pids, live->alive.n);
}

void live_tick(struct live *live, uint64_t now)
{
	live_windows_tick(live, now);
	live_budget_tick(live, now);
	live_drain(live);
	doubt_tick(live->doubt, now);
	stream_tick(live->stream, now);
	if (now >= live->next_tail_ns) {
		update_tail(live, now);
		measure_cost(live, now);
	}
	flush_idle(live, now);
	session_make_room(live->session, live->alive.pids, live->alive.n);
	housekeeping_when_due(live, now);
	forget_when_due(live, now);
}
