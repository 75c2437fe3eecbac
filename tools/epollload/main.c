/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* main.c - epollload: arguments, limits, threads, the result. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"
#include "report.h"
#include "run.h"

#define OTHER_FILES 16	/* beside connections and an eventpoll a thread */

static int fail(const char *what)
{
	fprintf(stderr, "epollload: %s\n", what);
	return 1;
}

/* As many open files as it takes: up to the hard limit, and never more. */
static int raise_files(const struct config *cfg)
{
	rlim_t need = cfg->connections + cfg->threads + OTHER_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || need <= limit.rlim_cur)
		return 0;
	if (need > limit.rlim_max) {
		fprintf(stderr, "epollload: --connections %u: at most %" PRIu64 " with the limit of "
			"%" PRIu64 " open files (ulimit -Hn)\n", cfg->connections,
			(uint64_t)(limit.rlim_max > need - cfg->connections ?
				   limit.rlim_max - (need - cfg->connections) : 0),
			(uint64_t)limit.rlim_max);
		return -EMFILE;
	}
	limit.rlim_cur = need;
	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int print_report(const struct config *cfg, const struct result *result)
{
	const struct report report = {
		.cfg = cfg,
		.counts = &result->counts,
		.start_ns = result->start_ns,
		.end_ns = result->end_ns,
		.cpu_s = cpu_seconds(),
	};

	(cfg->json ? report_json : report_text)(stdout, &report);
	if (fflush(stdout) || ferror(stdout))
		return fail("cannot write the report");
	if (!cfg->has_expect || result->counts.answered == cfg->expect)
		return 0;
	fprintf(stderr, "epollload: expected %" PRIu64 " answers, got %" PRIu64 "\n", cfg->expect,
		result->counts.answered);
	return 1;
}

int main(int argc, char **argv)
{
	static struct result result;	/* large; zero */
	struct config cfg;
	int err;

	if (config_parse(&cfg, argc, argv)) {
		fprintf(stderr, "epollload: %s\n", cfg.error);
		return EXIT_USAGE;
	}
	if (cfg.action == ACTION_HELP) {
		config_help();
		return fflush(stdout) ? 1 : 0;
	}
	err = raise_files(&cfg);
	if (err == -EMFILE)
		return EXIT_USAGE;
	if (!err)
		err = run_load(&cfg, &result);
	if (err)
		return fail(strerror(-err));
	if (result.fatal) {
		fprintf(stderr, "epollload: cannot connect to %s%s: %s\n", cfg.host,
			cfg.targets > 1 ? " or another target" : "", strerror(result.fatal));
		return 1;
	}
	return print_report(&cfg, &result);
}
