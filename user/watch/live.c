/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.c - the beginning and the end of a live watch. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/status.h"
#include "target/proc.h"
#include "watch/live_private.h"

static int follow_process(void *ctx, const struct event *e)
{
	const struct ev_process *p = &e->process;
	struct live *live = ctx;

	if (live->stacks)
		stack_names_event(live->stacks, e);
	if (p->change == PROCESS_FORK) {
		alive_add(&live->alive, p->pid);
	} else if (p->change == PROCESS_EXIT) {
		alive_remove(&live->alive, p->pid);
		live->ended = true;
	}
	return 0;
}

static int follow_stacks(void *ctx, const struct event *e)
{
	struct live *live = ctx;

	if (live->stacks)
		stack_names_event(live->stacks, e);
	return 0;
}

bool live_done(const struct live *live)
{
	return stream_done(live->stream);
}

size_t live_alive(const struct live *live)
{
	return live->alive.n;
}

const uint32_t *live_pids(const struct live *live, size_t *n)
{
	*n = live->alive.n;
	return live->alive.pids;
}

int live_read(const struct live *live, struct aggregate *a)
{
	int err = session_read(live->session, a);

	aggregate_merge(a, live->sums);
	return err;
}

int live_read_brief(const struct live *live, struct aggregate *a)
{
	int err = session_read_brief(live->session, a);

	aggregate_merge(a, live->sums);
	return err;
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

static int open_session(struct live *live)
{
	const struct live_config *c = &live->config;
	const struct needs *needs = &live->needs;
	struct session_config config = {
		.ports = c->spec->ports, .n_ports = c->spec->n_ports, .ring_kib = c->ring_kib,
		.syscalls = needs->syscalls ? c->syscalls : SYSCALLS_OFF,
		.blame = needs->intervals, .every_turn = needs->every_turn,
		.stack_hz = needs->stack_hz, .stack_depth = c->stack_depth,
		.close_wait_ns = c->close_wait_ns, .conn_events = needs->conn_closes,
		.tail_ns = needs->exchanges == EXCHANGES_OVER ? needs->over_ns : 0,
		.stats = c->stats, .verbose = c->verbose,
	};
	char why[512] = "";
	int err = session_open(&live->session, &config, why, sizeof(why));

	if (err)
		return fail_with(err, why);
	live->r->features = *session_features(live->session);
	return EXIT_OK;
}

static int open_stream(struct live *live, const struct sinks *sinks)
{
	struct stream_config config = {
		.sinks = &live->sinks, .window_ns = live->config.window_ns,
		.every_exchange = live->needs.exchanges == EXCHANGES_OVER,
	};

	live->follower = (struct sink){
		.event = { [EV_PROCESS] = follow_process, [EV_SAMPLE] = follow_stacks,
			   [EV_OFFCPU] = follow_stacks },
		.ctx = live,
	};
	live->sinks = *sinks;
	sinks_add(&live->sinks, &live->follower);
	live->stream = stream_new(&config);
	live->known = known_new();
	live->sums = aggregate_new();
	live->doubt = doubt_new(DOUBT_CAPACITY, DOUBT_NS, live_doubt_over, live);
	if (live->needs.stack_hz)
		live->stacks = stack_names_new(live->config.stack_depth, live->config.debug_dir, read_stack,
					    live->session);
	if (live->stream && live->known && live->sums && live->doubt &&
	     (live->stacks || !live->needs.stack_hz))
		return EXIT_OK;
	fail_line("out of memory");
	return EXIT_FAULT;
}

static int attach(struct live *live)
{
	char why[512] = "";
	int err;

	for (size_t i = 0; i < live->r->targets.n; i++) {
		session_watch_pid(live->session, live->r->targets.list[i].pid);
		alive_add(&live->alive, live->r->targets.list[i].pid);
		if (live->stacks)
			stack_names_process(live->stacks, live->r->targets.list[i].pid);
	}
	err = session_attach(live->session, why, sizeof(why));
	if (err)
		return fail_with(err, why);
	err = session_snapshot(live->session, live->alive.pids, live->alive.n);
	if (err) {
		fail_line("listing the target's sockets failed: %s", strerror(-err));
		return EXIT_FAULT;
	}
	/* Whoever was forked while we looked. */
	live_find_processes(live);
	if (live->needs.intervals)
		facts_begin(&live->r->facts, live->alive.pids, live->alive.n);
	live_holds_begin(live);
	live->r->start_ns = live->r->attached_ns = monotonic_ns();
	live_give_latency(live, live->r->start_ns);
	live->r->realtime_offset_ns = realtime_offset_ns();
	if (live->r->targets.n)
		live->r->listen_overflows = proc_listen_overflows(live->r->targets.list[0].pid);
	return EXIT_OK;
}

int live_open(struct live **out, const struct live_config *config, const struct sinks *sinks,
	      struct watch_result *r)
{
	struct live *live = calloc(1, sizeof(*live));
	int status;

	*out = live;
	if (!live) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	live->config = *config;
	live->needs = sinks_needs(sinks);
	live->tail.window_ns = config->window_ns;
	live->r = r;
	status = open_session(live);
	if (!status)
		status = open_stream(live, sinks);
	if (!status)
		status = attach(live);
	live->next_house_ns = monotonic_ns() + HOUSEKEEPING_EVERY_NS;
	if (!status) {
		live_windows_begin(live, r->start_ns);
		live_budget_begin(live, monotonic_ns());
	}
	return status;
}

void live_begin(struct live *live)
{
	stream_begin(live->stream);
}

static void on_queue(void *ctx, uint64_t inode, uint64_t since_ns, bool unmoved)
{
	struct watch_result *r = ctx;

	if (since_ns < r->end_ns)
		facts_queue(&r->facts, inode, r->end_ns - since_ns, unmoved);
}

static void on_module(void *ctx, const struct stack_module *m)
{
	stream_module(ctx, m);
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	stream_stack(ctx, s);
}

int live_end(struct live *live)
{
	struct watch_result *r = live->r;
	uint64_t overflows;
	int err;

	live_windows_end(live, monotonic_ns());
	live_budget_end(live, monotonic_ns());
	/* Taking the hooks away lasts: what they see meanwhile is not of this watch. */
	session_forget_all(live->session);
	r->end_ns = monotonic_ns();
	if (live->needs.intervals)
		facts_end(&r->facts, live->alive.pids, live->alive.n);
	overflows = r->targets.n ? proc_listen_overflows(r->targets.list[0].pid) : 0;
	r->listen_overflows = overflows > r->listen_overflows ? overflows - r->listen_overflows : 0;
	session_detach(live->session);
	/* A launched program has its own name by now. */
	targets_refresh(live->config.spec, &r->targets);
	err = session_flush(live->session, live->alive.pids, live->alive.n);
	if (err) {
		fail_line("reading what open connections still hold failed: %s", strerror(-err));
		r->damaged = true;
	}
	session_queues(live->session, on_queue, r);
	while (live_drain(live) > 0)
		;
	doubt_flush(live->doubt);
	live_holds_end(live);
	stream_flush(live->stream);
	live_give_latency(live, r->end_ns);
	/* Names take a while: what happened is safe before. */
	stream_drained(live->stream);
	if (live->stacks)
		stack_names_give(live->stacks, on_module, on_stack, live->stream);
	if (live->stacks && sinks_hear_stacks(&live->sinks))
		stack_names_say(live->stacks, live->config.verbose);
	if (r->bad_events)
		warn_line("%llu events could not be understood", (unsigned long long)r->bad_events);
	if (live->config.verbose)
		session_cost_print(live->session);
	r->aggregate = aggregate_new();
	err = r->aggregate ? live_read(live, r->aggregate) : -ENOMEM;
	if (err) {
		fail_line("reading what the kernel side has counted failed: %s", strerror(-err));
		return EXIT_FAULT;
	}
	return EXIT_OK;
}

uint32_t live_shed(const struct live *live)
{
	return live->shed;
}

uint32_t live_last_exit(const struct live *live)
{
	return live->alive.last_exit;
}

void live_close(struct live *live)
{
	if (!live)
		return;
	live_budget_end(live, monotonic_ns());
	session_close(live->session);
	stream_free(live->stream);
	known_free(live->known);
	doubt_free(live->doubt);
	aggregate_free(live->sums);
	stack_names_free(live->stacks);
	alive_free(&live->alive);
	free(live->holds.tids);
	free(live);
}
