/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "timers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timers_open(struct timers *ts)
{
	*ts = (struct timers){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC) };
	return ts->fd < 0 ? -errno : 0;
}

static void put(struct timers *ts, size_t place, struct timer *t)
{
	ts->heap[place] = t;
	t->place = place;
}

/* Moves t from place to where it belongs, the others out of its way. */
static void sift(struct timers *ts, size_t place, struct timer *t)
{
	size_t child;

	for (; place > 1 && ts->heap[place / 2]->at_ns > t->at_ns; place /= 2)
		put(ts, place, ts->heap[place / 2]);
	while ((child = place * 2) <= ts->count) {
		if (child < ts->count && ts->heap[child + 1]->at_ns < ts->heap[child]->at_ns)
			child++;
		if (ts->heap[child]->at_ns >= t->at_ns)
			break;
		put(ts, place, ts->heap[child]);
		place = child;
	}
	put(ts, place, t);
}

static bool grow(struct timers *ts)
{
	size_t room = ts->room ? ts->room * 2 : 16;
	struct timer **heap = realloc(ts->heap, room * sizeof(*heap));

	if (!heap)
		return false;
	ts->heap = heap;
	ts->room = room;
	return true;
}

void timer_set(struct timers *ts, struct timer *t, uint64_t at_ns)
{
	timer_cancel(ts, t);
	if (ts->count + 2 > ts->room && !grow(ts))
		return;
	t->at_ns = at_ns;
	sift(ts, ++ts->count, t);
}

void timer_cancel(struct timers *ts, struct timer *t)
{
	size_t place = t->place;
	struct timer *last;

	if (!place)
		return;
	t->place = 0;
	last = ts->heap[ts->count--];
	if (last != t)
		sift(ts, place, last);
}

void timers_run(struct loop *l, struct timers *ts, uint64_t now)
{
	while (ts->count && ts->heap[1]->at_ns <= now) {
		struct timer *t = ts->heap[1];

		timer_cancel(ts, t);
		t->fire(l, t);
	}
}

void timers_arm(struct timers *ts)
{
	uint64_t at = ts->count ? ts->heap[1]->at_ns : 0;
	struct itimerspec spec = {
		.it_value = { (time_t)(at / 1000000000u), (long)(at % 1000000000u) },
	};

	if (at == ts->armed_ns)
		return;
	ts->armed_ns = at;
	timerfd_settime(ts->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}
