/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * timers.h - any number of timers over one timerfd: a binary heap by time.
 *
 * The owner embeds a timer, zeroed, and keeps it until it fired or was cancelled. Idle connections
 * need none: their list is in order of activity, and one timer looks at its head.
 */
#ifndef TIMERS_H
#define TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct timer {
	uint64_t at_ns;		/* CLOCK_MONOTONIC */
	void (*fire)(struct loop *l, struct timer *t);
	size_t place;		/* in the heap, from 1; 0: not set */
};

struct timers {
	struct timer **heap;	/* [0] is not used */
	size_t count, room;
	int fd;
	uint64_t armed_ns;	/* that the timerfd is set to; 0: off */
};

int timers_open(struct timers *ts);
/* Sets or moves it. Without memory it never fires. */
void timer_set(struct timers *ts, struct timer *t, uint64_t at_ns);
void timer_cancel(struct timers *ts, struct timer *t);
/* Fires what is due. */
void timers_run(struct loop *l, struct timers *ts, uint64_t now);
/* Before the loop sleeps: sets the timerfd to the first timer, if that has changed. */
void timers_arm(struct timers *ts);

#endif
