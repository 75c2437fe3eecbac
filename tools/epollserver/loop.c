/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loop.c - the event loop: wait, serve what is ready, read the mail, bury the dead, again.
 *
 * The whole server in reading order:
 *   server.h		what all rooms share
 *   loop.c		this: turn() is the heart
 *   listen.c		accept4 until there is nobody left, and who gets the connection
 *   conn.c, input.c, output.c	a connection's life, reading, sending
 *   echo.c, http.c	what requests look like and how they are answered
 *   push.c, topics.c, push_out.c	the push protocol: frames in, who gets what, batches out
 *   ring.h, mail.c	how loops talk without locks, and when they wake each other
 *   timers.c, overload.c	one timerfd for all timers; tokens, a line, refusals
 *   poller.c, memory.c, stats.c, truth.c	epoll's interface, what things cost, what is told
 *   faults.c, helper.c	what is broken on purpose
 *   options.c, main.c	the command line; threads, processes and signals
 */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_EVENTS 4096
#define LOAD_NS 100000000u

static void stop_now(struct loop *l, struct timer *t)
{
	(void)t;
	l->stopped = true;
}

/* Serves what has arrived, owes nobody an answer, then closes; --drain limits how long. */
static void stop(struct loop *l)
{
	if (l->stopping)
		return;
	l->stopping = true;
	listen_watch(l, false);
	for (struct conn *c = l->conns.first, *next; c; c = next) {
		next = c->next;
		conn_ready(l, c, EPOLLIN);
	}
	timer_set(&l->timers, &l->stop_timer, l->now + l->cfg->drain_ms * 1000000);
}

static uint64_t tick_ns(const struct loop *l)
{
	uint64_t idle = l->cfg->idle_ms / 4, beat = l->cfg->heartbeat_ms / 2;
	uint64_t ms = !idle || (beat && beat < idle) ? beat : idle;

	return ms * 1000000;
}

/* Closes who was silent too long: the list is in order of activity. */
static void on_tick(struct loop *l, struct timer *t)
{
	uint32_t now_ms = (uint32_t)(l->now / 1000000);

	for (struct conn *c = l->conns.first, *next; c; c = next) {
		next = c->next;
		if (l->cfg->protocol == PROTO_PUSH)
			push_tick(l, c);
		if (c->watch.fd < 0 || c->paused || c->hits & FAULT_BIT(FAULT_NEVER_CLOSE))
			continue;
		if (l->cfg->idle_ms && now_ms - c->active_ms >= l->cfg->idle_ms) {
			stat_add(&l->stats->idle_closed, 1);
			conn_close(l, c);
		} else if (l->cfg->protocol != PROTO_PUSH) {
			break;
		}
	}
	timer_set(&l->timers, t, l->now + tick_ns(l));
}

static void got_mail(struct loop *l, struct ring_item m)
{
	enum mail kind = m.word & 0xff;

	switch (kind) {
	case MAIL_CONN:		/* ptr is the time of its accept */
		atomic_fetch_sub_explicit(&l->handed, 1, memory_order_relaxed);
		conn_new(l, (int)(m.word >> 40), (uint16_t)(m.word >> 8), (uintptr_t)m.ptr,
			(uint16_t)(m.word >> 24));
		break;
	case MAIL_STOP:
		stop(l);
		break;
	case MAIL_MESSAGE:
		topics_deliver(l, m.ptr);
		break;
	case MAIL_ANSWERED:
		helper_answered(l, m.ptr);
		break;
	}
}

void mail_read(struct loop *l)
{
	struct ring_item m;

	while (mpsc_pop(&l->mail, &m))
		got_mail(l, m);
}

static void serve(struct loop *l, const struct epoll_event *e)
{
	struct watch *w = e->data.ptr;
	uint64_t count;

	switch (w->kind) {
	case WATCH_LISTENER:
		listen_accept(l);
		break;
	case WATCH_MAIL:
		if (read(w->fd, &count, sizeof(count)) > 0)
			stat_add(&l->stats->wakeups, 1);
		break;
	case WATCH_TIMER:
		if (read(w->fd, &count, sizeof(count)) > 0)
			l->timers.armed_ns = 0;
		timers_run(l, &l->timers, l->now);
		break;
	case WATCH_CONN:
		conn_ready(l, (struct conn *)w, e->events);
		break;
	}
}

/* For the acceptor that spreads by load. */
static void measure_load(struct loop *l)
{
	uint64_t t = now_ns(), passed = t - l->busy_since;
	unsigned load = atomic_load_explicit(&l->load, memory_order_relaxed);

	l->busy_ns += t - l->now;
	if (passed < LOAD_NS)
		return;
	load = (load + (unsigned)(l->busy_ns * 1000 / passed)) / 2;
	atomic_store_explicit(&l->load, load, memory_order_relaxed);
	l->busy_ns = 0;
	l->busy_since = t;
}

static void turn(struct loop *l)
{
	bool spin = fault_strikes(&l->faults, FAULT_SPIN, 1), sleep;
	int max = (int)l->cfg->maxevents, n;

	if (fault_strikes(&l->faults, FAULT_MAXEVENTS, 1))
		max = (int)l->cfg->faults[FAULT_MAXEVENTS].amount;
	push_flush_due(l);
	mail_settle(l);
	timers_arm(&l->timers);
	if (l->cfg->spread == SPREAD_WEIGHTED)
		measure_load(l);
	sleep = mail_may_sleep(l) && !spin;
	n = poller_wait(&l->poller, l->events, max, sleep ? -1 : 0);
	l->now = now_ns();
	atomic_store_explicit(&l->asleep, false, memory_order_relaxed);
	l->exchange.return_ns = l->now;
	stat_add(&l->stats->turns, 1);
	stat_add(&l->stats->events, (uint64_t)n);
	for (int i = 0; i < n; i++)
		serve(l, &l->events[i]);
	mail_read(l);
	conn_bury(l);
	if (l->stopping && !l->conns.first && !l->lingering.first)
		l->stopped = true;
}

static int watch(struct loop *l, struct watch *w, int fd, enum watched kind)
{
	w->fd = fd;
	w->kind = kind;
	return fd < 0 ? -errno : poller_add(&l->poller, w, EPOLLIN);
}

struct loop *loop_new(struct server *s, unsigned index, int listener)
{
	struct loop *l = aligned_alloc(CACHE_LINE, (sizeof(*l) + CACHE_LINE - 1) / CACHE_LINE
			* CACHE_LINE);

	if (!l)
		return NULL;
	memset(l, 0, sizeof(*l));
	l->server = s;
	l->cfg = &s->cfg;
	l->index = index;
	l->stats = &s->stats[index];
	l->listener = (struct watch){ .fd = listener, .kind = WATCH_LISTENER };
	l->faults.rules = s->cfg.faults;
	l->faults.random = s->cfg.seed * 2654435761u + index + 1;
	l->stop_timer.fire = stop_now;
	l->tick.fire = on_tick;
	l->flush_timer.fire = push_flush;
	l->input = malloc(INPUT_BYTES);
	l->events = malloc(MAX_EVENTS * sizeof(*l->events));
	if (s->truth_fd >= 0 && !(l->truth = truth_open(s->truth_fd, s->cfg.truth_records)))
		return NULL;
	if (!l->input || !l->events || mpsc_open(&l->mail, MAIL_ITEMS) || timers_open(&l->timers) ||
	    poller_open(&l->poller, s->cfg.backend) ||
	    watch(l, &l->mail_watch, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), WATCH_MAIL) ||
	    watch(l, &l->timer_watch, l->timers.fd, WATCH_TIMER) ||
	    overload_open(l) || topics_open(l))
		return NULL;
	for (int f = 0; f < FAULTS; f++)
		l->strikes_requests |= s->cfg.faults[f].on;
	l->slots.bytes = s->cfg.protocol == PROTO_PUSH ? push_client_bytes() :
		sizeof(struct conn);
	return l;
}

/* What the process's end does not do anyway. */
static void loop_end(struct loop *l)
{
	helper_end(l->helper);
	l->helper = NULL;
	mail_read(l);		/* what it has answered meanwhile */
	while (l->conns.first)
		conn_close(l, l->conns.first);
	while (l->lingering.first)
		conn_close(l, l->lingering.first);
	conn_bury(l);
	slots_close(l);
	truth_close(l->truth);
	topics_close(l);
	poller_close(&l->poller);
	timers_close(&l->timers);
	if (l->scratch)
		fclose(l->scratch);
}

void *loop_run(void *arg)
{
	struct loop *l = arg;

	l->tid = l->exchange.tid = (uint32_t)syscall(SYS_gettid);
	l->exchange.loop = l->index;
	l->now = l->busy_since = now_ns();
	if (l->cfg->faults[FAULT_LOCK].on || l->cfg->faults[FAULT_OTHER_THREAD].on)
		l->helper = helper_new(l);
	if (l->listener.fd >= 0)
		listen_watch(l, true);
	if (tick_ns(l))
		timer_set(&l->timers, &l->tick, l->now + tick_ns(l));
	while (!l->stopped)
		turn(l);
	loop_end(l);
	return NULL;
}
