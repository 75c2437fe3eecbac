/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run.c - see run.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tools/clock.h"
#include "run.h"
#include "worker.h"

#define PROGRESS_NS (NS_PER_S / 2)

/* Threads start together, a little after the last one is ready. */
#define START_DELAY_NS 1000000

static void stop(struct run *run)
{
	uint64_t one = 1;

	atomic_store(&run->stop, true);
	if (write(run->stop_fd, &one, sizeof(one)) < 0)
		_exit(1);
}

static void print_progress(const struct run *run, const struct worker *w, uint64_t since_ns)
{
	uint64_t tenths = (now_ns() - since_ns) / (NS_PER_S / 10), sent = 0, answered = 0;

	for (uint32_t i = 0; i < run->cfg->threads; i++) {
		sent += atomic_load_explicit(&w[i].live_sent, memory_order_relaxed);
		answered += atomic_load_explicit(&w[i].live_answered, memory_order_relaxed);
	}
	fprintf(stderr, "\r%" PRIu64 ".%" PRIu64 " s  sent %" PRIu64 "  answered %" PRIu64 " \033[K",
		tenths / 10, tenths % 10, sent, answered);
}

/* Until count reaches all threads. All signals are blocked and come here. */
static void await(struct run *run, const struct worker *w, const sigset_t *set, atomic_uint *count,
		  uint64_t since_ns)
{
	const struct timespec pace = { 0, PROGRESS_NS };
	bool progress = since_ns && !run->cfg->quiet && isatty(STDERR_FILENO);

	while (atomic_load(count) < run->cfg->threads) {
		int sig = progress ? sigtimedwait(set, NULL, &pace) : sigwaitinfo(set, NULL);

		if (sig == SIGINT || sig == SIGTERM) {
			if (atomic_load(&run->stop))
				_exit(128 + sig);
			stop(run);
		}
		if (progress)
			print_progress(run, w, since_ns);
	}
	if (progress)
		fputs("\r\033[K", stderr);
}

static int start_threads(struct run *run, struct worker *w)
{
	for (uint32_t i = 0; i < run->cfg->threads; i++) {
		int err = worker_init(&w[i], run, i);

		if (err)
			return err;
	}
	for (uint32_t i = 0; i < run->cfg->threads; i++) {
		int err = pthread_create(&w[i].thread, NULL, worker_main, &w[i]);

		if (!err)
			continue;
		fprintf(stderr, "epollload: --threads %u: only %u could be started\n",
			run->cfg->threads, i);
		_exit(1);	/* the others wait for a start that never comes */
	}
	return 0;
}

/* None of a thread's connections could be opened: then nothing starts. */
static void start(struct run *run, struct worker *w, struct result *result)
{
	uint32_t open = 0;

	for (uint32_t i = 0; i < run->cfg->threads; i++) {
		open += w[i].n_ready;
		if (w[i].fatal)
			result->fatal = w[i].fatal;
	}
	if (!result->fatal && !open && !run->cfg->conn_per_request && !atomic_load(&run->stop))
		result->fatal = ETIMEDOUT;
	if (result->fatal)
		stop(run);
	else if (open < run->cfg->connections && !run->cfg->conn_per_request)
		fprintf(stderr, "epollload: only %u of %u connections are open at the start\n", open,
			run->cfg->connections);
	if (!result->fatal && run->cfg->announce)
		fprintf(stderr, "connected %u\n", open);
	run->start_ns = result->start_ns = now_ns() + START_DELAY_NS;
	for (uint32_t i = 0; i < run->cfg->threads; i++)
		sem_post(&run->go);
}

static int run_threads(struct run *run, struct worker *w, struct result *result)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);	/* inherited: only main hears of them */
	err = start_threads(run, w);
	if (err)
		return err;
	await(run, w, &set, &run->ready, 0);
	start(run, w, result);
	await(run, w, &set, &run->done, result->start_ns);
	if (!result->fatal && run->cfg->announce)
		fputs("done\n", stderr);
	result->end_ns = now_ns();
	await(run, w, &set, &run->ended, 0);
	for (uint32_t i = 0; i < run->cfg->threads; i++) {
		pthread_join(w[i].thread, NULL);
		counts_merge(&result->counts, &w[i].counts);
	}
	return 0;
}

int run_load(const struct config *cfg, struct result *result)
{
	struct run run = { .cfg = cfg, .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	struct worker *w = calloc(cfg->threads, sizeof(*w));
	int err = w ? 0 : -ENOMEM;

	if (!err && run.stop_fd < 0)
		err = -errno;
	if (!err && cfg->truth && !(run.truth = fopen(cfg->truth, "we")))
		err = -errno;
	if (!err)
		err = traffic_prepare(&run.traffic, cfg);
	if (!err) {
		sem_init(&run.go, 0, 0);
		err = run_threads(&run, w, result);
	}
	for (uint32_t i = 0; w && i < cfg->threads; i++)
		worker_destroy(&w[i]);
	free(w);
	if (run.truth && fclose(run.truth) && !err)
		err = -EIO;
	traffic_free(&run.traffic);
	if (run.stop_fd >= 0)
		close(run.stop_fd);
	return err;
}
