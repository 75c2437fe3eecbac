/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * schedule.h - when each request is meant to be sent.
 *
 * Open loop: request k of the whole run has its time from the clock alone, whatever the server
 * does; thread t of T sends the requests t, t + T, t + 2T, ... A request that cannot go out when it
 * is due keeps its time, and its latency counts from it: nothing is omitted because the server was
 * slow. Closed loop: a request is due as soon as a connection has room for it.
 */
#ifndef EPOLLLOAD_SCHEDULE_H
#define EPOLLLOAD_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct config;

struct schedule {
	bool closed;
	uint64_t start_ns, end_ns;	/* end: closed loop, nothing is sent from there on; 0: never */
	double rate_ns, ramp_ns;	/* requests a nanosecond; length of the ramp */
	uint64_t next, stride, count;	/* k of the next request; count over all threads */
	uint64_t due_ns;		/* of the next request */
};

/* For one thread; call when the common start is known. */
void schedule_begin(struct schedule *s, const struct config *cfg, uint32_t thread,
		    uint64_t start_ns);

/* Whether requests remain to be sent at this time. */
bool schedule_open(const struct schedule *s, uint64_t now);

/* Whether one should be sent now. Its time is s->due_ns, in a closed loop that of the call. */
bool schedule_due(const struct schedule *s, uint64_t now);

/* To the next request. */
void schedule_advance(struct schedule *s);

/* Requests of this thread that were not sent though their time came; 0 in a closed loop. */
uint64_t schedule_left(const struct schedule *s, uint64_t now);

/* The time of the last request of the whole run; 0 if there is none (closed loop). */
uint64_t schedule_last_ns(const struct schedule *s);

#endif
