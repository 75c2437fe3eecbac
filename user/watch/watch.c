/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* watch.c - from a target to its events, and back out without a trace. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/stop.h"
#include "kernel/session.h"
#include "stream/tail.h"
#include "target/launch.h"
#include "target/proc.h"
#include "watch/watch.h"

#define MS 1000000ULL

#define EXIT_GRACE_MS 500

#ifndef EPOLLSCOPE_VERSION
#define EPOLLSCOPE_VERSION "unknown"
#endif

struct run {
	struct live_config config;
	uint64_t duration_ns;
	struct watch_result *r;
	struct live *live;
	struct target_spec spec;	/* the user's, or the launched pid */
	uint32_t launched;
	struct stop stop;
	struct launch launch;
};

/* The kernel reports the end of a process before it closes its sockets: wait for these. */
static void await_exit(struct run *run)
{
	for (int ms = 0; ms < EXIT_GRACE_MS && proc_runs(live_last_exit(run->live)); ms += LIVE_TICK_MS)
		poll(NULL, 0, LIVE_TICK_MS);
}

static void loop(struct run *run)
{
	uint64_t now = monotonic_ns();
	uint64_t end = run->duration_ns ? now + run->duration_ns : UINT64_MAX;
	struct pollfd fds[] = {
		{ .fd = run->stop.fd, .events = POLLIN },
		{ .fd = run->launched ? launch_wait_fd(&run->launch) : -1, .events = POLLIN },
	};

	while (!live_done(run->live) && now < end) {
		uint64_t left_ms = (end - now + MS - 1) / MS;

		int wait_ms = live_wait_ms(run->live, now);

		poll(fds, 2, left_ms < (uint64_t)wait_ms ? (int)left_ms : wait_ms);
		if (fds[0].revents && stop_take(&run->stop))
			break;
		now = monotonic_ns();
		live_tick(run->live, now);
		if (fds[1].revents)
			break;
		if (!live_alive(run->live)) {
			await_exit(run);
			break;
		}
	}
}

static int find_targets(struct run *run)
{
	char why[512] = "";
	int err;

	if (run->spec.program) {
		err = launch_start(&run->launch, run->spec.program, &run->stop);
		if (err) {
			fail_line("cannot start '%s': %s", run->spec.program[0], strerror(-err));
			return EXIT_FAULT;
		}
		run->launched = run->launch.pid;
		run->spec.pids = &run->launched;
		run->spec.n_pids = 1;
	}
	err = targets_resolve(&run->spec, &run->r->targets, why, sizeof(why));
	if (err) {
		fail_line("%s", why);
		return exit_status_of(err);
	}
	if (run->r->targets.note[0])
		warn_line("%s", run->r->targets.note);
	return EXIT_OK;
}

static int attach(struct run *run, const struct sinks *sinks)
{
	char why[512] = "";
	int err = live_open(&run->live, &run->config, sinks, run->r);

	if (err)
		return err;
	if (run->launched) {
		err = launch_release(&run->launch, why, sizeof(why));
		if (err) {
			fail_line("%s", why);
			return exit_status_of(err);
		}
	}
	say_line("attached to %zu process%s", run->r->targets.n, run->r->targets.n == 1 ? "" : "es");
	/* What the sinks write first may already wait for a reader. */
	if (run->duration_ns)
		stop_after(&run->stop, run->duration_ns);
	live_begin(run->live);
	return EXIT_OK;
}

static void fill_place(struct watch_result *r)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname u;

	snprintf(r->version, sizeof(r->version), "%s", EPOLLSCOPE_VERSION);
	r->cpus = cpus > 0 ? (uint32_t)cpus : 0;
	if (uname(&u))
		return;
	snprintf(r->kernel, sizeof(r->kernel), "%s", u.release);
	snprintf(r->host, sizeof(r->host), "%s", u.nodename);
}

static int watch_target(struct run *run, const struct sinks *sinks)
{
	struct watch_result *r = run->r;
	int err = stop_open(&run->stop), status = EXIT_OK;

	if (err) {
		fail_line("no descriptor for signals: %s", strerror(-err));
		return EXIT_FAULT;
	}
	if (!status)
		status = find_targets(run);
	if (!status)
		status = attach(run, sinks);
	if (!status) {
		loop(run);
		status = live_end(run->live);
		r->collector_cpu_seconds = (double)own_cpu_ns() / 1e9;
		if (run->launched && launch_status(&run->launch) >= 0)
			r->program_status = launch_status(&run->launch);
	}
	live_close(run->live);
	launch_end(&run->launch);
	stop_close(&run->stop);
	return status;
}

int watch(const struct live_config *config, uint64_t duration_ns, const struct sinks *sinks,
	  struct watch_result *r)
{
	struct run run = {
		.config = *config, .duration_ns = duration_ns, .r = r, .spec = *config->spec,
		.stop = STOP_INIT, .launch = LAUNCH_INIT,
	};
	uint32_t limit = session_stack_limit();

	*r = (struct watch_result){ .program_status = -1 };
	if (config->stack_depth > limit) {
		fail_line("--depth %u is more than this kernel takes: give --depth %u, or raise "
			  "kernel.perf_event_max_stack", config->stack_depth, limit);
		return EXIT_USAGE_ERROR;
	}
	run.config.spec = &run.spec;
	if (!config->stack_depth)
		run.config.stack_depth = limit;
	if (!config->window_ns)
		run.config.window_ns = TAIL_WINDOW_NS;
	*r = (struct watch_result){
		.program_status = -1, .no_syscalls = config->syscalls == SYSCALLS_OFF, .loss_known = true,
		.stack_hz = sinks_needs(sinks).stack_hz, .stack_depth = run.config.stack_depth,
		.window_ns = run.config.window_ns,
	};
	fill_place(r);
	return watch_target(&run, sinks);
}
