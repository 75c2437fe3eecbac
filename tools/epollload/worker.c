/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* worker.c - a thread's event loop: answers, timers and the schedule, the most urgent first. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tools/clock.h"
#include "conn.h"
#include "truth.h"
#include "worker.h"

#define BATCH 64
#define PUMP_MAX 32	/* sends in a row, so that answers are not stamped late */
#define OPENING_MAX 64	/* connections: less than any server's backlog */
#define IDLE_NS NS_PER_S
#define DRAIN_NS 5000000	/* what is awaited then happens in another thread */

static int conns_init(struct worker *w)
{
	const struct config *cfg = w->cfg;

	w->n_conns = share_of(cfg->connections, cfg->threads, w->id);
	w->n_active = share_of(cfg->active, cfg->threads, w->id);
	w->n_started = cfg->closed && cfg->ramp_ns ? 0 : w->n_active;
	w->conns = calloc(w->n_conns, sizeof(*w->conns));
	w->started_ns = calloc((size_t)w->n_active * cfg->depth + 1, sizeof(*w->started_ns));
	if (!w->conns || !w->started_ns)
		return -ENOMEM;
	if (truth_init(w))
		return -ENOMEM;
	for (uint32_t i = 0; i < w->n_conns; i++) {
		struct conn *c = &w->conns[i];

		c->fd = -1;
		c->index = w->id + i * cfg->threads;
		c->slow = c->index < cfg->slow_connections;
	}
	return 0;
}

int worker_init(struct worker *w, struct run *run, uint32_t id)
{
	struct epoll_event stop = { .events = EPOLLIN };

	*w = (struct worker){ .run = run, .cfg = run->cfg, .id = id };
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, run->stop_fd, &stop))
		return -errno;
	w->buffer = malloc(BUFFER_BYTES);
	w->scratch = malloc(SCRATCH_BYTES);
	return w->buffer && w->scratch ? conns_init(w) : -ENOMEM;
}

void worker_destroy(struct worker *w)
{
	if (w->epoll > 0)
		close(w->epoll);
	free(w->buffer);
	free(w->scratch);
	free(w->conns);
	free(w->started_ns);
	free(w->stamps);
}

/* Sends what is due as far as there is room. */
static void pump(struct worker *w)
{
	struct conn *c;

	for (int i = 0; i < PUMP_MAX && schedule_due(&w->schedule, w->now); i++) {
		c = queue_first(w, Q_FREE);
		if (!c)
			break;
		conn_fill(w, c);
	}
	/* From here on a request that gets due finds no room; one that is due already is late by us. */
	if (!w->full && !queue_first(w, Q_FREE)) {
		w->full = true;
		w->full_from_ns = w->now;
		w->full_to_ns = UINT64_MAX;
	}
}

/* Closed loop: when the next connection starts to carry requests. */
static uint64_t ramp_due_ns(const struct worker *w)
{
	double place = (double)w->conns[w->n_started].index / w->cfg->active;

	return w->run->start_ns + (uint64_t)((double)w->cfg->ramp_ns * place);
}

static void run_timers(struct worker *w)
{
	while (w->began && w->n_started < w->n_active && ramp_due_ns(w) <= w->now)
		conn_offer(w, &w->conns[w->n_started++]);
	for (enum queue_kind kind = Q_FREE + 1; kind < QUEUES; kind++) {
		struct conn *c;

		while ((c = queue_first(w, kind)) && c->node[kind].due_ns <= w->now) {
			queue_remove(w, kind, c);
			conn_timer(w, c, kind);
		}
	}
}

/* When something is to be done without an event. */
static uint64_t next_ns(const struct worker *w)
{
	uint64_t next = w->now + (w->draining ? DRAIN_NS : IDLE_NS);

	if (queue_first(w, Q_FREE) && schedule_open(&w->schedule, w->now) &&
	    w->schedule.due_ns < next)
		next = w->schedule.due_ns;
	if (w->began && w->n_started < w->n_active && ramp_due_ns(w) < next)
		next = ramp_due_ns(w);
	for (enum queue_kind kind = Q_FREE + 1; kind < QUEUES; kind++) {
		const struct conn *first = queue_first(w, kind);

		if (first && first->node[kind].due_ns < next)
			next = first->node[kind].due_ns;
	}
	return next;
}

/*
 * Sleeps until events or shortly before the next thing is due, from where on it only looks: a timer
 * alone would be late by its wake-up.
 */
static int wait_events(struct worker *w, struct epoll_event *ev)
{
	uint64_t next = next_ns(w), spin = w->began && !w->cfg->closed ? w->cfg->spin_ns : 0;
	uint64_t wait = next > w->now + spin ? next - w->now - spin : 0;
	struct timespec t = { (time_t)(wait / NS_PER_S), (long)(wait % NS_PER_S) };
	int n = epoll_pwait2(w->epoll, ev, BATCH, &t, NULL);

	if (n < 0 && errno == ENOSYS)	/* before Linux 5.11: whole milliseconds, rounded down */
		n = epoll_wait(w->epoll, ev, BATCH, (int)(wait / 1000000));
	w->now = now_ns();
	return n;
}

static bool stopped(const struct worker *w)
{
	return atomic_load_explicit(&w->run->stop, memory_order_relaxed);
}

/* Tells all threads: a message is received in another thread than it was published in. */
static void tell_deliveries(struct worker *w)
{
	int64_t left = (int64_t)(w->counts.to_deliver - w->counts.delivered);

	if (left != w->told_left)
		atomic_fetch_add(&w->run->deliveries_left, left - w->told_left);
	w->told_left = left;
}

/* One turn. What is due is looked at again after each event, since a batch takes time. */
static void turn(struct worker *w)
{
	struct epoll_event ev[BATCH];
	int n = wait_events(w, ev);

	for (int i = 0; i < n && !stopped(w); i++) {
		if (ev[i].data.ptr)
			conn_event(w, ev[i].data.ptr, ev[i].events);
		pump(w);
	}
	run_timers(w);
	pump(w);
	tell_deliveries(w);
	atomic_store_explicit(&w->live_sent, w->counts.sent, memory_order_relaxed);
	atomic_store_explicit(&w->live_answered, w->counts.answered, memory_order_relaxed);
}

/* With a connection per request there is nothing to open yet. */
static void open_all(struct worker *w)
{
	uint32_t next = 0;

	w->now = w->alive_ns = now_ns();
	if (w->cfg->conn_per_request) {
		for (; next < w->n_conns; next++)
			conn_offer(w, &w->conns[next]);
		return;
	}
	while (w->n_ready < w->n_conns && !w->fatal && !stopped(w) &&
	       w->now < w->alive_ns + w->cfg->timeout_ns) {
		while (next < w->n_conns && w->opening < OPENING_MAX && !w->fatal)
			conn_open(w, &w->conns[next++]);
		if (!w->fatal)
			turn(w);
	}
	for (; next < w->n_conns && !w->fatal; next++)	/* not in time for the start */
		queue_add(w, Q_RETRY, &w->conns[next], w->now);
}

static void announce(struct worker *w, atomic_uint *count)
{
	if (atomic_fetch_add(count, 1) + 1 == w->cfg->threads)
		kill(getpid(), SIGUSR1);
}

static void begin(struct worker *w)
{
	schedule_begin(&w->schedule, w->cfg, w->id, w->run->start_ns);
	w->now = now_ns();
	w->alive_ns = w->now;
	w->began = true;
}

/* The server cannot keep up, or is gone: requests that were not sent by now are given up. */
static void give_up(struct worker *w, uint64_t last_ns)
{
	uint64_t patience = w->cfg->timeout_ns;
	bool idle = !queue_first(w, Q_FREE) && w->n_started == w->n_active && !w->owed;

	if ((last_ns && w->now > last_ns + patience) || (idle && w->now > w->alive_ns + patience)) {
		w->counts.unsent += schedule_left(&w->schedule, UINT64_MAX);
		w->schedule.count = 0;
	}
}

static void run_schedule(struct worker *w)
{
	uint64_t last_ns = schedule_last_ns(&w->schedule);

	pump(w);
	while (!stopped(w) && (w->owed || schedule_open(&w->schedule, w->now))) {
		turn(w);
		give_up(w, last_ns);
	}
	if (stopped(w))
		w->counts.unsent += schedule_left(&w->schedule, w->now);
}

/* Until all that was published has come, or nothing comes any more. */
static void await_deliveries(struct worker *w)
{
	const struct config *cfg = w->cfg;

	tell_deliveries(w);
	atomic_fetch_add(&w->run->published, 1);
	w->draining = true;
	w->alive_ns = w->now;
	while (!stopped(w) && w->now < w->alive_ns + cfg->timeout_ns &&
	       (atomic_load(&w->run->published) < cfg->threads ||
		atomic_load(&w->run->deliveries_left) > 0))
		turn(w);
	w->draining = false;
}

void *worker_main(void *worker)
{
	struct worker *w = worker;

	prctl(PR_SET_TIMERSLACK, 1ul);
	open_all(w);
	announce(w, &w->run->ready);
	while (sem_wait(&w->run->go))
		;
	if (!w->fatal && !stopped(w)) {
		begin(w);
		run_schedule(w);
		if (w->cfg->topics)
			await_deliveries(w);
	}
	announce(w, &w->run->done);
	while (w->cfg->hold && !w->fatal && !stopped(w))
		turn(w);
	w->counts.kept = w->n_ready;
	for (uint32_t i = 0; i < w->n_conns; i++)
		if (w->conns[i].state != CONN_CLOSED)
			conn_close(w, &w->conns[i], LOST_STOPPED);
	announce(w, &w->run->ended);
	return NULL;
}
