/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* main.c - epollload: arguments, limits, threads, the result. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/clock.h"
#include "report.h"
#include "worker.h"

#define PROGRESS_NS (NS_PER_S / 2)
#define START_DELAY_NS 1000000	/* threads start together, a little after the last one is ready */
#define OTHER_FILES 16	/* beside connections and an eventpoll a thread */

static void help(void)
{
	fputs(
"epollload [OPTIONS] TARGET...\n"
"Loads a server and says how long it took, without coordinated omission.\n"
"A target is PORT or HOST:PORT; connections take several by turns.\n"
"\n"
"What to send:\n"
"  --rate N              open loop: N requests a second, each at its own time, whatever the\n"
"                        server does; the latency counts from that time\n"
"  --closed              closed loop: the next request follows the answer\n"
"  --requests N          exactly N of them (and at most --duration, if that is given too)\n"
"  --duration TIME       10s unless told otherwise\n"
"  --ramp TIME           the rate, or with --closed the busy connections, grow so long\n"
"  --protocol NAME       echo, http or push; echo\n"
"  --size BYTES          of a payload; 64; http: 0, a GET; more is a POST\n"
"  --topics N            push: the --active ones publish to topics 1 to N by turns, the others\n"
"                        subscribe by turns; a request is answered when it is acknowledged\n"
"  --path PATH           http: what to get; /\n"
"\n"
"How:\n"
"  --connections N       1\n"
"  --active N            only the first N carry requests, the others stay open, idle; all;\n"
"                        0 with --hold: only hold the connections\n"
"  --hold                stay connected after the last request, until SIGTERM or SIGINT\n"
"  --announce            on stderr `connected N' before the first request, `done' after the last\n"
"  --threads N           1\n"
"  --pipeline N          requests under way on a connection; 1\n"
"  --conn-per-request    a new connection for each; at most --connections at a time\n"
"  --source FIRST-LAST   source addresses, such as 127.0.1.1-127.0.1.50, by turns\n"
"  --slow-sender P/TIME  a request goes out in P pieces, with pauses between\n"
"  --slow-reader B/TIME  at most B bytes are read, then follows a pause\n"
"  --slow-connections N  the first N are slow; all\n"
"  --timeout TIME        without any progress on a connection; 5s\n"
"  --spin TIME           before a request is due, watch the clock instead of sleeping; 200us\n"
"\n"
"Result:\n"
"  --truth FILE          when each answered request was sent and answered: see epollload(1)\n"
"  --json                one JSON object instead of text (schema epollload.report/1)\n"
"  --expect-count N      exit status 1 unless N requests were answered\n"
"  --quiet               no progress on the terminal\n"
"  --help\n"
"\n"
"Numbers: 100, 20k, 1m. Times: 500us, 10ms, 1.5s, 2m.\n"
"Counts are exact: sent = answered + refused + lost. Refused are HTTP answers from 400 on and push\n"
"refusals; they are not in the latency. Unsent are those that were due when it was given up: the\n"
"last was due a --timeout ago. Percentiles are at most 1.6 % too high, the maximum is exact.\n"
"An open loop needs a processor of its own for each thread to be on time: look at `send error`.\n"
"\n"
"Exit status: 0 done; 1 no connection, or not the expected count; 64 usage.\n"
"Ctrl-C stops and reports; again, it leaves at once.\n"
"\n"
"Examples:\n"
"  epollload --rate 10k --connections 50 7000\n"
"  epollload --protocol http --closed --connections 32 --pipeline 4 --duration 5s 127.0.0.1:8080\n"
"  epollload --rate 500 --requests 5000 --expect-count 5000 --json 7000\n"
"  epollload --rate 1k --conn-per-request --connections 100 --source 127.0.1.1-127.0.1.9 7000\n"
"  epollload --active 0 --hold --announce --connections 19k --source 127.0.1.1-127.0.1.9 7000\n"
"  epollload --closed --connections 100 --slow-connections 1 --slow-sender 4/10ms 7000\n",
	stdout);
}

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

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void counts_merge(struct counts *into, const struct counts *from)
{
	into->sent += from->sent;
	into->unsent += from->unsent;
	into->answered += from->answered;
	into->refused += from->refused;
	into->held += from->held;
	for (int i = 0; i < LOSSES; i++)
		into->lost[i] += from->lost[i];
	into->opened += from->opened;
	into->closed_by_peer += from->closed_by_peer;
	into->kept += from->kept;
	for (int i = 0; i < REFUSALS; i++)
		into->failed[i] += from->failed[i];
	into->bytes_sent += from->bytes_sent;
	into->bytes_received += from->bytes_received;
	into->last_sent_ns = later(into->last_sent_ns, from->last_sent_ns);
	into->last_answer_ns = later(into->last_answer_ns, from->last_answer_ns);
	histogram_merge(&into->latency, &from->latency);
	histogram_merge(&into->send_error, &from->send_error);
	histogram_merge(&into->own_error, &from->own_error);
	histogram_merge(&into->connect, &from->connect);
	into->to_deliver += from->to_deliver;
	into->delivered += from->delivered;
	histogram_merge(&into->delivery, &from->delivery);
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

/*
 * Runs the whole load; result must be zero. 0 or a negative errno. The first SIGINT or SIGTERM
 * stops the load, which is a result like any other; the second ends the process.
 */
static int run_load(const struct config *cfg, struct result *result)
{
	struct run run = { .cfg = cfg, .traffic.cfg = cfg };
	struct worker *w = calloc(cfg->threads, sizeof(*w));
	int err = w ? 0 : -ENOMEM;

	run.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!err && run.stop_fd < 0)
		err = -errno;
	if (!err && cfg->truth && !(run.truth = fopen(cfg->truth, "we")))
		err = -errno;
	if (!err)
		err = cfg->protocol->prepare(&run.traffic);
	if (!err) {
		sem_init(&run.go, 0, 0);
		err = run_threads(&run, w, result);
	}
	for (uint32_t i = 0; w && i < cfg->threads; i++)
		worker_destroy(&w[i]);
	free(w);
	if (run.truth && fclose(run.truth) && !err)
		err = -EIO;
	free(run.traffic.block);
	if (run.stop_fd >= 0)
		close(run.stop_fd);
	return err;
}

static int print_report(const struct config *cfg, const struct result *result)
{
	report(stdout, cfg, result);
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
	if (cfg.help) {
		help();
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
