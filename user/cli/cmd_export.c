/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_export.c - watch several targets for ever and serve what they accumulate to Prometheus. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "export/export.h"
#include "export/guard.h"
#include "export/http.h"
#include "kernel/session.h"

#define SWEEP_NS (100 * 1000000ULL)

struct exporter {
	const struct options *o;
	struct export_config config;
	struct stop stop;
	struct export_target *targets;
	size_t n_targets;
	struct export_limits limits;
	struct publisher publisher;
	struct http_config http_config;
	struct http *http;
	struct metrics about;	/* what every snapshot says alike */
	struct stats_switch stats;
};

/* --- collector --- */

/* Out of memory: the scraper gets a 503 and comes again. */
static void publish(struct exporter *e, uint64_t now)
{
	struct metrics m = e->about;
	int err = 0;

	m.targets = calloc(e->n_targets, sizeof(*m.targets));
	if (!m.targets)
		return;
	m.taken_ns = now;
	m.collector_cpu_ns = own_cpu_ns();
	http_counts(e->http, &m);
	while (m.n_targets < e->n_targets && !err) {
		err = export_collect(&e->targets[m.n_targets], &e->limits,
				     &m.targets[m.n_targets]);
		m.n_targets++;
	}
	if (err)
		metrics_free(&m);
	else
		publisher_put(&e->publisher, &m);
}

/* Until the first of the targets wants to be looked after. */
static int wait_ms(const struct exporter *e)
{
	uint64_t now = monotonic_ns();
	int least = LIVE_TICK_MS;

	for (size_t i = 0; i < e->n_targets; i++) {
		int ms = live_wait_ms(e->targets[i].live, now);

		least = ms < least ? ms : least;
	}
	return least;
}

static void loop(struct exporter *e)
{
	struct pollfd fds[] = {
		{ .fd = e->stop.fd, .events = POLLIN },
		{ .fd = e->publisher.wake_fd, .events = POLLIN },
	};
	uint64_t now, swept = 0;

	for (;;) {
		poll(fds, 2, wait_ms(e));
		if (fds[0].revents && stop_take(&e->stop))
			return;
		now = monotonic_ns();
		for (size_t i = 0; i < e->n_targets; i++)
			export_target_tick(&e->targets[i], now);
		if (publisher_tick(&e->publisher, now))
			publish(e, now);
		if (now - swept >= SWEEP_NS) {
			http_sweep(e->http, now);
			swept = now;
		}
	}
}

/* --- start and end --- */

static int open_limits(struct exporter *e)
{
	const struct export_options *x = &e->o->export;
	uint64_t least;
	int err = export_limits(&e->limits, x->max_series, x->n_groups,
				e->o->syscalls != SYSCALLS_OFF, &least);

	if (err == -ERANGE) {
		fail_line("--max-series %u is too few for %zu target%s: give %llu or more",
			  x->max_series, x->n_groups, x->n_groups == 1 ? "" : "s",
			  (unsigned long long)least);
		return EXIT_USAGE_ERROR;
	}
	if (err)
		fail_line("out of memory");
	return err ? EXIT_FAULT : EXIT_OK;
}

static int open_listener(struct exporter *e, char url[256])
{
	bool loopback = true;
	int err = http_listen(&e->http_config, e->o->export.listen, url, &loopback);

	if (err == -EADDRINUSE) {
		fail_line("cannot listen on %s: the port is in use; give another with --listen",
			  e->o->export.listen);
		return EXIT_FAULT;
	}
	if (err) {
		fail_line("cannot listen on %s: %s", e->o->export.listen, strerror(-err));
		return exit_status_of(err) == EXIT_NOPERM_ERROR ? EXIT_NOPERM_ERROR : EXIT_FAULT;
	}
	if (!loopback && !e->http_config.user)
		warn_line("%s can be reached from other machines, and whoever reaches it can read "
			  "it: --auth-file asks for a password", url);
	return EXIT_OK;
}

static int open_targets(struct exporter *e)
{
	const struct export_options *x = &e->o->export;
	int status = EXIT_OK;

	e->targets = calloc(x->n_groups, sizeof(*e->targets));
	if (!e->targets) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	while (e->n_targets < x->n_groups && !status) {
		const struct export_group *g = &x->groups[e->n_targets];
		struct export_target *t = &e->targets[e->n_targets++];

		status = export_target_open(t, g->name, &g->spec, &e->config);
		for (size_t i = 0; i < e->n_targets - 1 && !status; i++)
			if (!strcmp(e->targets[i].label, t->label)) {
				fail_line("two targets have the name '%s': give one --target NAME",
					  t->label);
				status = EXIT_USAGE_ERROR;
			}
	}
	return status;
}

static int drop_privileges(const struct exporter *e)
{
	const char *why;
	bool by_port = false;
	int err;

	for (size_t i = 0; i < e->n_targets; i++)
		by_port |= e->targets[i].spec->n_ports > 0;
	err = export_drop_privileges(by_port, e->o->export.measure_cost, &why);
	if (!err)
		return EXIT_OK;
	fail_line("%s failed: %s", why, strerror(-err));
	return EXIT_FAULT;
}

static int start_http(struct exporter *e)
{
	e->http_config.publisher = &e->publisher;
	e->http = http_start(&e->http_config);
	if (e->http)
		return EXIT_OK;
	fail_line("the HTTP server could not start%s", e->http_config.cert ?
		  ": are the certificate and its key a pair of PEM files?" : "");
	return EXIT_FAULT;
}

static void configure(struct exporter *e)
{
	struct utsname u;

	e->config = (struct export_config){
		.finding_window_ns = e->o->export.finding_window_ns,
		.syscalls = e->o->syscalls, .budget = e->o->budget,
		.watches = (unsigned)e->o->export.n_groups, .verbose = e->o->verbose,
	};
	memcpy(e->config.threshold, e->o->threshold, sizeof(e->config.threshold));
	e->about.version = EPOLLSCOPE_VERSION;
	e->about.max_series = e->o->export.max_series;
	e->about.syscalls = e->o->syscalls != SYSCALLS_OFF;
	e->about.created_ns = monotonic_ns() + (uint64_t)realtime_offset_ns();
	if (!uname(&u))
		snprintf(e->about.kernel, sizeof(e->about.kernel), "%s", u.release);
}

/* Without it the budget knows the collector's part alone, and says so. */
static void start_switch(struct exporter *e)
{
	if (e->o->budget > 0 && !e->o->export.measure_cost && !stats_switch_start(&e->stats))
		e->config.stats = &e->stats;
}

static int run(struct exporter *e)
{
	size_t processes = 0;
	char url[256] = "";
	int status;

	configure(e);
	start_switch(e);
	status = open_limits(e);
	status = status ? status : http_read_files(&e->http_config, e->o->export.tls_cert,
						   e->o->export.tls_key, e->o->export.auth_file);
	status = status ? status : open_listener(e, url);
	status = status ? status : open_targets(e);
	status = status ? status : drop_privileges(e);
	status = status ? status : start_http(e);
	if (status)
		return status;
	for (size_t i = 0; i < e->n_targets; i++)
		processes += live_alive(e->targets[i].live);
	say_line("attached to %zu process%s of %zu target%s, serving http%s://%s/metrics", processes,
		 processes == 1 ? "" : "es", e->n_targets, e->n_targets == 1 ? "" : "s",
		 e->http_config.cert ? "s" : "", url);
	loop(e);
	return EXIT_OK;
}

int cmd_export(const struct options *o)
{
	struct exporter e = { .o = o, .stop = STOP_INIT, .http_config.listen_fd = -1 };
	int err, status;

	if (o->export.print_metrics) {
		metrics_document(stdout);
		return EXIT_OK;
	}
	err = stop_open(&e.stop);
	err = err ? err : publisher_open(&e.publisher);
	if (err) {
		fail_line("no descriptor for signals: %s", strerror(-err));
		stop_close(&e.stop);
		return EXIT_FAULT;
	}
	status = run(&e);
	http_stop(e.http);
	for (size_t i = 0; i < e.n_targets; i++)
		export_target_close(&e.targets[i]);
	free(e.targets);
	stats_switch_stop(&e.stats);
	publisher_close(&e.publisher);
	http_config_free(&e.http_config);
	stop_close(&e.stop);
	return status;
}
