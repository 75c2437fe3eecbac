/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * main.c - epollserver: a loop with all that works on it, a thread or process for each, signals.
 */
#include "conn.h"
#include "listen.h"
#include "suffer.h"
#include "tools/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct protocol *const protocols[] = {
	[PROTO_ECHO] = &echo_protocol, [PROTO_HTTP] = &http_protocol, [PROTO_PUSH] = &push_protocol,
};

static void stop_now(struct loop *l, struct timer *t)
{
	(void)t;
	l->stopped = true;
}

/* Serves what has arrived, owes nobody an answer, then closes; --drain limits how long. */
static void stop(struct loop *l, void *ptr, uint64_t word)
{
	(void)ptr;
	(void)word;
	if (l->stopping)
		return;
	l->stopping = true;
	listen_watch(l, false);
	for (struct conn *c = l->conns->open.first, *next; c; c = next) {
		next = c->next;
		input_ready(l, &c->watch, EPOLLIN);
	}
	timer_set(&l->timers, &l->stop, l->now + l->cfg->drain_ms * 1000000);
}

static uint64_t tick_ns(const struct loop *l)
{
	uint64_t idle = l->cfg->idle_ms / 4, beat = l->cfg->heartbeat_ms / 2;
	uint64_t ms = !idle || (beat && beat < idle) ? beat : idle;

	return ms * 1000000;
}

static void tick(struct loop *l, struct timer *t)
{
	conns_tick(l);
	timer_set(&l->timers, t, l->now + tick_ns(l));
}

static void before_wait(struct loop *l)
{
	if (l->protocol->before_wait)
		l->protocol->before_wait(l);
}

static void turn_done(struct loop *l)
{
	if (!conns_bury(l) && l->stopping)
		l->stopped = true;
}

static const struct loop_calls calls = {
	.ready = { [WATCH_LISTENER] = listen_ready, [WATCH_CONN] = input_ready },
	.mail = {
		[MAIL_CONN] = listen_handed,
		[MAIL_STOP] = stop,
		[MAIL_MESSAGE] = push_deliver,
		[MAIL_ANSWERED] = input_answered,
	},
	.before_wait = before_wait,
	.turn_done = turn_done,
	.drained = input_drained,
};

/* listener: the socket that it accepts from; -1: none. NULL: no memory or descriptors. */
static struct loop *worker_new(struct server *s, unsigned index, int listener)
{
	struct loop *l = loop_new(s, index, &calls);

	if (!l)
		return NULL;
	l->protocol = protocols[s->cfg.protocol];
	if (listen_open(l, listener) || conns_open(l) || overload_open(l) ||
	    (l->protocol->open && l->protocol->open(l)))
		return NULL;
	l->tick.fire = tick;
	l->stop.fire = stop_now;
	return l;
}

/* Leaves nothing unwritten, and counts all memory as given back. */
static void end(struct loop *l)
{
	helper_end(l->helper);
	l->helper = NULL;
	loop_read_mail(l);	/* what the helper has answered meanwhile */
	conns_close(l);
	if (l->protocol->close)
		l->protocol->close(l);
	truth_close(l->truth);
}

/* The thread: serves until MAIL_STOP has come and what was under way is done. */
static void *worker_run(void *arg)
{
	struct loop *l = arg;

	l->exchange.tid = (uint32_t)syscall(SYS_gettid);
	l->now = l->busy_since = now_ns();
	if (l->cfg->faults[FAULT_LOCK].on || l->cfg->faults[FAULT_OTHER_THREAD].on)
		l->helper = helper_new(l);
	listen_watch(l, true);
	if (tick_ns(l))
		timer_set(&l->timers, &l->tick, l->now + tick_ns(l));
	loop_run(l);
	end(l);
	return NULL;
}

static void die(const char *what, int rc)
{
	fprintf(stderr, "epollserver: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static void open_files(struct server *s)
{
	struct stat st;

	s->truth_fd = s->file = -1;
	if (s->cfg.truth) {
		s->truth_fd = open(s->cfg.truth,
				O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
		if (s->truth_fd < 0)
			die(s->cfg.truth, -errno);
	}
	if (s->cfg.file) {
		s->file = open(s->cfg.file, O_RDONLY | O_CLOEXEC);
		if (s->file < 0 || fstat(s->file, &st))
			die(s->cfg.file, -errno);
		s->file_bytes = st.st_size;
	}
}

/* As many descriptors as we may have. */
static void raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* One for each loop with SO_REUSEPORT, else one for all; before a fork, to report a wrong port. */
static void open_listeners(struct server *s, int *listeners)
{
	size_t n = s->cfg.share == SHARE_REUSEPORT ? s->cfg.loops : 1;

	for (size_t i = 0; i < n; i++) {
		listeners[i] = listen_socket(&s->cfg);
		if (listeners[i] < 0)
			die("listen", listeners[i]);
	}
	for (size_t i = n; i < s->cfg.loops; i++)
		listeners[i] = listeners[0];
}

static void add_loop(struct server *s, unsigned index, int listener)
{
	struct loop *l = worker_new(s, index, listener);

	if (!l)
		die("loop", -ENOMEM);
	s->loops[s->n_loops++] = l;
}

static void stop_and_join(struct loop *l, pthread_t thread)
{
	while (!loop_mail(NULL, l, MAIL_STOP, NULL, 0))
		sleep_ns(1000000);
	pthread_join(thread, NULL);
}

static void print_stats(const struct server *s)
{
	stats_print(stderr, s->stats, s->cfg.loops, s->cfg.share == SHARE_HANDOFF);
}

/*
 * Until SIGINT or SIGTERM, or a worker process ends, SIGCHLD; SIGUSR1 prints. Another of these ends
 * us at once, but not a worker process, which may hear of the first one twice: from a terminal and
 * from its parent. Returns which it was.
 */
static int wait_for_end(struct server *s, const sigset_t *set, bool worker)
{
	int sig = 0;

	while (sig != SIGINT && sig != SIGTERM && sig != SIGCHLD) {
		sigwait(set, &sig);
		if (sig == SIGUSR1 && !worker)
			print_stats(s);
	}
	if (!worker)
		pthread_sigmask(SIG_UNBLOCK, set, NULL);
	return sig;
}

/* Threads for loops first..first+n-1, and one for the acceptor if there is one. */
static void run_loops(struct server *s, const sigset_t *set, const int *listeners, unsigned first,
	unsigned n, bool worker)
{
	bool handoff = s->cfg.share == SHARE_HANDOFF;
	pthread_t threads[MAX_LOOPS + 1];

	for (unsigned i = first; i < first + n; i++)
		add_loop(s, i, handoff ? -1 : listeners[i]);
	s->n_workers = s->n_loops;
	if (handoff)
		add_loop(s, (unsigned)s->cfg.loops, listeners[0]);
	for (size_t i = 0; i < s->n_loops; i++)
		if (pthread_create(&threads[i], NULL, worker_run, s->loops[i]))
			die("thread", -EAGAIN);
	wait_for_end(s, set, worker);
	/* The acceptor stops first: then no connections are handed to the others any more. */
	for (size_t i = s->n_loops; i-- > 0;)
		stop_and_join(s->loops[i], threads[i]);
}

/* False, and a message, if the worker was killed or has failed. */
static bool ended_well(unsigned worker, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		fprintf(stderr, "epollserver: worker %u (pid %d) was killed by signal %d\n", worker,
			(int)pid, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		fprintf(stderr, "epollserver: worker %u (pid %d) ended with status %d\n", worker,
			(int)pid, WEXITSTATUS(status));
	return !WIFSIGNALED(status) && !WEXITSTATUS(status);
}

/*
 * A server that has lost a worker leaves connections without an answer. So it ends the others in
 * order, and whoever has started it may start it anew.
 */
static bool run_processes(struct server *s, const sigset_t *set, const int *listeners)
{
	pid_t children[MAX_LOOPS];
	pid_t parent = getpid();
	bool fine;
	int status;

	for (unsigned i = 0; i < s->cfg.loops; i++) {
		children[i] = fork();
		if (children[i] < 0)
			die("fork", -errno);
		if (children[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			if (getppid() != parent)
				exit(1);	/* the parent ended before prctl */
			run_loops(s, set, listeners, i, 1, true);
			exit(0);
		}
	}
	printf("port %d\n", (int)s->cfg.port);
	fflush(stdout);
	fine = wait_for_end(s, set, false) != SIGCHLD;
	for (unsigned i = 0; i < s->cfg.loops; i++)
		kill(children[i], SIGTERM);
	for (unsigned i = 0; i < s->cfg.loops; i++)
		fine = waitpid(children[i], &status, 0) == children[i] &&
			ended_well(i, children[i], status) && fine;
	return fine;
}

int main(int argc, char **argv)
{
	static struct server s;
	int listeners[MAX_LOOPS];
	bool fine = true;
	sigset_t set;

	options_parse(argc, argv, &s.cfg);
	raise_limit();
	open_files(&s);
	s.stats = stats_open(s.cfg.loops + 1);
	if (!s.stats)
		die("statistics", -ENOMEM);
	open_listeners(&s, listeners);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);		/* inherited: only main hears of them */
	signal(SIGPIPE, SIG_IGN);
	if (s.cfg.workers == WORKERS_PROCESSES) {
		sigaddset(&set, SIGCHLD);
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		fine = run_processes(&s, &set, listeners);
	} else {
		printf("port %d\n", (int)s.cfg.port);
		fflush(stdout);
		run_loops(&s, &set, listeners, 0, (unsigned)s.cfg.loops, false);
	}
	print_stats(&s);
	return !fine;
}
