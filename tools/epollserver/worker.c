/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * worker.c - a loop with all that works on it: who is called for what; its start and its end.
 */
#include "worker.h"

#include "echo.h"
#include "helper.h"
#include "http.h"
#include "input.h"
#include "listen.h"
#include "overload.h"
#include "push.h"
#include "tools/clock.h"
#include "topics.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct protocol *const protocols[] = {
	[PROTO_ECHO] = &echo_protocol, [PROTO_HTTP] = &http_protocol, [PROTO_PUSH] = &push_protocol,
};

struct worker {
	struct timer tick, stop;
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
	timer_set(&l->timers, &l->worker->stop, l->now + l->cfg->drain_ms * 1000000);
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
		[MAIL_MESSAGE] = topics_deliver,
		[MAIL_ANSWERED] = helper_answered,
	},
	.before_wait = before_wait,
	.turn_done = turn_done,
};

struct loop *worker_new(struct server *s, unsigned index, int listener)
{
	struct loop *l = loop_new(s, index, &calls);

	if (!l)
		return NULL;
	l->protocol = protocols[s->cfg.protocol];
	l->worker = calloc(1, sizeof(*l->worker));
	if (!l->worker || listen_open(l, listener) || input_open(l) ||
	    conns_open(l, input_drained) || overload_open(l) ||
	    (l->protocol->open && l->protocol->open(l)))
		return NULL;
	l->worker->tick.fire = tick;
	l->worker->stop.fire = stop_now;
	return l;
}

/* Gives back what the end of the process would not. */
static void end(struct loop *l)
{
	helper_end(l->helper);
	l->helper = NULL;
	loop_read_mail(l);	/* what the helper has answered meanwhile */
	conns_close(l);
	if (l->protocol->close)
		l->protocol->close(l);
	loop_close(l);
}

void *worker_run(void *arg)
{
	struct loop *l = arg;

	l->exchange.tid = (uint32_t)syscall(SYS_gettid);
	l->now = l->busy_since = now_ns();
	if (l->cfg->faults[FAULT_LOCK].on || l->cfg->faults[FAULT_OTHER_THREAD].on)
		l->helper = helper_new(l);
	listen_watch(l, true);
	if (tick_ns(l))
		timer_set(&l->timers, &l->worker->tick, l->now + tick_ns(l));
	loop_run(l);
	end(l);
	return NULL;
}
