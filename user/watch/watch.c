// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* watch.c - from a target to its events, and back out without a trace. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "target/launch.h"
#include "target/proc.h"
#include "watch/replay.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/stop.h"
#include "stream/tail.h"
#include "watch/watcher.h"

#define MS 1000000ULL

#define EXIT_GRACE_MS 500

#ifndef EPOLLSCOPE_VERSION
#define EPOLLSCOPE_VERSION "unknown"
#endif

struct watching {
	const struct options *o;
	struct watch_result *r;
	struct watcher *watcher;
	struct target_spec spec;	/* the user's, or the launched pid */
	uint32_t launched;
	struct stop stop;
	struct launch launch;
};

/* The kernel tells of the end before it closes the sockets: wait for the latter. */
static void await_exit(struct watching *w)
{
	for (int ms = 0; ms < EXIT_GRACE_MS && proc_runs(watcher_last_exit(w->watcher)); ms += WATCHER_TICK_MS)
		poll(NULL, 0, WATCHER_TICK_MS);
}

static void loop(struct watching *w)
{
	uint64_t now = monotonic_ns();
	uint64_t end = w->o->duration_ns ? now + w->o->duration_ns : UINT64_MAX;
	struct pollfd fds[] = {
		{ .fd = w->stop.fd, .events = POLLIN },
		{ .fd = w->launched ? launch_wait_fd(&w->launch) : -1, .events = POLLIN },
	};

	while (!watcher_done(w->watcher) && now < end) {
		uint64_t left_ms = (end - now + MS - 1) / MS;

		poll(fds, 2, left_ms < WATCHER_TICK_MS ? (int)left_ms : WATCHER_TICK_MS);
		if (fds[0].revents && stop_take(&w->stop))
			break;
		now = monotonic_ns();
		watcher_tick(w->watcher, now);
		if (fds[1].revents)
			break;
		if (!watcher_alive(w->watcher)) {
			await_exit(w);
			break;
		}
	}
}

static int find_targets(struct watching *w)
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

static int attach(struct watching *w, const struct watch_handlers *h)
{
	struct watcher_config config = {
		.spec = &w->spec, .handlers = h, .ring_kib = w->o->ring_kib,
		.close_wait_ns = (uint64_t)w->o->threshold[THRESHOLD_CLOSE_WAIT],
		.no_syscalls = w->o->no_syscalls, .verbose = w->o->verbose,
	};
	char why[512] = "";
	int err = watcher_open(&w->watcher, &config, w->r);

	if (err)
		return err;
	if (w->launched) {
		err = launch_release(&w->launch, why, sizeof(why));
		if (err) {
			fail_line("%s", why);
			return exit_status_of(err);
		}
	}
	say_line("attached to %zu process%s", w->r->targets.n, w->r->targets.n == 1 ? "" : "es");
	if (h->tap)
		h->tap->attached(h->tap->ctx, w->r);
	if (h->attached)
		h->attached(h->ctx);
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

static double own_cpu_seconds(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u))
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int watch_target(const struct options *o, const struct watch_handlers *h,
			struct watch_result *r)
{
	struct watching w = { .o = o, .r = r, .stop = STOP_INIT, .launch = LAUNCH_INIT };
	int status;

	*r = (struct watch_result){
		.program_status = -1, .no_syscalls = o->no_syscalls, .loss_known = true,
		.stack_hz = h->stack_hz, .stack_depth = h->stack_depth, .window_ns = h->window_ns,
	};
	fill_place(r);
	status = stop_open(&w.stop) ? EXIT_FAULT : EXIT_OK;
	if (!status)
		status = find_targets(&w);
	if (!status)
		status = attach(&w, h);
	if (!status) {
		loop(&w);
		status = watcher_end(w.watcher);
		r->collector_cpu_seconds = own_cpu_seconds();
		if (w.launched && launch_status(&w.launch) >= 0)
			r->program_status = launch_status(&w.launch);
	}
	watcher_close(w.watcher);
	launch_end(&w.launch);
	stop_close(&w.stop);
	return status;
}

int watch(const struct options *o, const struct watch_handlers *h, struct watch_result *r)
{
	struct watch_handlers told = *h;
	uint32_t limit;

	told.window_ns = o->window_ns;
	told.debug_dir = o->debug_dir;
	if (o->input)
		return replay(o, &told, r);
	*r = (struct watch_result){ .program_status = -1 };
	limit = session_stack_limit();
	told.stack_depth = o->depth ? o->depth : limit;
	if (o->depth > limit) {
		fail_line("--depth %u is more than this kernel takes: give --depth %u, or raise "
			  "kernel.perf_event_max_stack", o->depth, limit);
		return EXIT_USAGE_ERROR;
	}
	if (!told.window_ns)
		told.window_ns = TAIL_WINDOW_NS;
	return watch_target(o, &told, r);
}

void watch_free(struct watch_result *r)
{
	aggregate_free(r->aggregate);
	targets_free(&r->targets);
	*r = (struct watch_result){ 0 };
}

int watch_status(const struct options *o, const struct watch_result *r, uint64_t lost)
{
	uint64_t all = r->events + lost;

	/* A report has it in its notes. */
	if (r->interrupted && o->command != CMD_REPORT)
		warn_line("the recording was interrupted: what had not reached the file is missing%s",
			  o->command == CMD_FLAME ? ", such as stacks, which come last" : "");
	if (o->has_max_loss && all && (double)lost / (double)all > o->max_loss) {
		fail_line("%llu of %llu events were lost, more than --max-loss allows: "
			  "raise --ring-size", (unsigned long long)lost, (unsigned long long)all);
		return EXIT_LOST;
	}
	if (r->damaged)
		return EXIT_FAULT;
	return r->program_status >= 0 ? r->program_status : EXIT_OK;
}
