/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loop.c - the event loop: wait, serve what is ready, read the mail, again. Read turn() first.
 *
 * Loops talk by mail: an item goes into the other loop's ring, and an eventfd wakes that loop only
 * if it sleeps. A loop that is about to sleep says so by exchanging asleep, then looks into its
 * ring once more; a sender that has pushed an item exchanges asleep back. Both are
 * read-modify-writes of one variable, so they have an order: either the sender sees that the other
 * sleeps, or the other sees what was pushed.
 */
#include "loop.h"

#include "tools/clock.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAIL_ITEMS 16384
#define LOAD_NS 100000000u	/* the load is measured over so long */

static void wake(struct loop *to)
{
	uint64_t one = 1;

	/* The write fails only when the counter is full, and then the loop is awake anyway. */
	if (atomic_exchange_explicit(&to->asleep, false, memory_order_acq_rel) &&
	    write(to->mail_watch.fd, &one, sizeof(one)) < 0)
		return;
}

bool loop_mail(struct loop *from, struct loop *to, enum mail kind, void *ptr, uint64_t word)
{
	if (!mpsc_push(&to->mail, (struct ring_item){ ptr, word << 8 | kind }))
		return false;
	if (from && ++from->owed[to->index] < from->cfg->batch)
		return true;
	if (from)
		from->owed[to->index] = 0;
	wake(to);
	return true;
}

void loop_read_mail(struct loop *l)
{
	struct ring_item m;

	while (mpsc_pop(&l->mail, &m))
		l->calls->mail[m.word & 0xff](l, m.ptr, m.word >> 8);
}

/* Wakes the loops that were sent something in this turn. */
static void settle_mail(struct loop *from)
{
	for (size_t i = 0; i < from->server->n_loops; i++) {
		struct loop *to = from->server->loops[i];

		if (!from->owed[to->index])
			continue;
		from->owed[to->index] = 0;
		wake(to);
	}
}

/* False: mail has come meanwhile. */
static bool may_sleep(struct loop *l)
{
	atomic_exchange_explicit(&l->asleep, true, memory_order_acq_rel);
	return mpsc_empty(&l->mail);
}

/* For the acceptor that spreads connections by load. */
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

static void serve(struct loop *l, struct watch *w, uint32_t events)
{
	uint64_t count;

	switch (w->kind) {
	case WATCH_MAIL:	/* it is read when all events were served */
		if (read(w->fd, &count, sizeof(count)) > 0)
			stat_add(&l->stats->wakeups, 1);
		break;
	case WATCH_TIMER:
		if (read(w->fd, &count, sizeof(count)) > 0)
			l->timers.armed_ns = 0;
		timers_run(l, &l->timers, l->now);
		break;
	default:
		l->calls->ready[w->kind](l, w, events);
	}
}

static void turn(struct loop *l)
{
	bool spin = fault_strikes(&l->faults, FAULT_SPIN, 1), sleep;
	int max = (int)l->cfg->maxevents, n;

	if (fault_strikes(&l->faults, FAULT_MAXEVENTS, 1))
		max = (int)l->cfg->faults[FAULT_MAXEVENTS].amount;
	l->calls->before_wait(l);
	settle_mail(l);
	timers_arm(&l->timers);
	if (l->cfg->spread == SPREAD_WEIGHTED)
		measure_load(l);
	sleep = may_sleep(l) && !spin;
	n = poller_wait(&l->poller, l->events, max, sleep ? -1 : 0);
	l->now = now_ns();
	atomic_store_explicit(&l->asleep, false, memory_order_relaxed);
	l->exchange.return_ns = l->now;
	stat_add(&l->stats->turns, 1);
	stat_add(&l->stats->events, (uint64_t)n);
	for (int i = 0; i < n; i++)
		serve(l, l->events[i].data.ptr, l->events[i].events);
	loop_read_mail(l);
	l->calls->turn_done(l);
}

void loop_run(struct loop *l)
{
	while (!l->stopped)
		turn(l);
}

static int watch(struct loop *l, struct watch *w, int fd, enum watched kind)
{
	w->fd = fd;
	w->kind = kind;
	return fd < 0 ? -errno : poller_add(&l->poller, w, EPOLLIN);
}

struct loop *loop_new(struct server *s, unsigned index, const struct loop_calls *calls)
{
	struct loop *l = ring_owner_alloc(sizeof(*l));

	if (!l)
		return NULL;
	l->server = s;
	l->cfg = &s->cfg;
	l->calls = calls;
	l->index = l->exchange.loop = index;
	l->stats = &s->stats[index];
	faults_open(&l->faults, s->cfg.faults, s->cfg.seed * 2654435761u + index + 1);
	if (s->truth_fd >= 0 && !(l->truth = truth_open(s->truth_fd, s->cfg.truth_records)))
		return NULL;
	if (mpsc_open(&l->mail, MAIL_ITEMS) || timers_open(&l->timers) ||
	    poller_open(&l->poller, s->cfg.backend) ||
	    watch(l, &l->mail_watch, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), WATCH_MAIL) ||
	    watch(l, &l->timer_watch, l->timers.fd, WATCH_TIMER))
		return NULL;
	return l;
}
