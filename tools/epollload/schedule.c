/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* schedule.c - see schedule.h. */
#include <math.h>

#include "tools/clock.h"
#include "config.h"
#include "schedule.h"

/* Requests with a time in 0 <= t < duration: the integral of the rate, rounded up. */
static uint64_t count_in(const struct config *cfg)
{
	__uint128_t twice = 2 * (__uint128_t)cfg->duration_ns - cfg->ramp_ns;

	return (uint64_t)((cfg->rate * twice + 2 * NS_PER_S - 1) / (2 * NS_PER_S));
}

/* How many requests the run is meant to have over all threads; UINT64_MAX: as many as it takes. */
static uint64_t schedule_count(const struct config *cfg)
{
	uint64_t n = cfg->requests ? cfg->requests : UINT64_MAX;

	if (!cfg->active)
		return 0;
	if (!cfg->closed && cfg->duration_ns && count_in(cfg) < n)
		n = count_in(cfg);
	return n;
}

/* The rate grows linearly during the ramp, so the first k requests take sqrt(2 k ramp / rate). */
static uint64_t time_of(const struct schedule *s, uint64_t k)
{
	double n = (double)k, t = n / s->rate_ns + s->ramp_ns / 2;

	if (t < s->ramp_ns)
		t = sqrt(2 * s->ramp_ns * n / s->rate_ns);
	return s->start_ns + (uint64_t)t;
}

void schedule_begin(struct schedule *s, const struct config *cfg, uint32_t thread,
		    uint64_t start_ns)
{
	*s = (struct schedule){
		.closed = cfg->closed,
		.start_ns = start_ns,
		.end_ns = cfg->closed && cfg->duration_ns ? start_ns + cfg->duration_ns : 0,
		.rate_ns = (double)cfg->rate / (double)NS_PER_S,
		.ramp_ns = (double)cfg->ramp_ns,
		.next = thread,
		.stride = cfg->threads,
		.count = schedule_count(cfg),
		.due_ns = start_ns,
	};
	if (!s->closed)
		s->due_ns = time_of(s, s->next);
}

bool schedule_open(const struct schedule *s, uint64_t now)
{
	return s->next < s->count && (!s->end_ns || now < s->end_ns);
}

bool schedule_due(const struct schedule *s, uint64_t now)
{
	return schedule_open(s, now) && s->due_ns <= now;
}

void schedule_advance(struct schedule *s)
{
	s->next += s->stride;
	if (!s->closed)
		s->due_ns = time_of(s, s->next);
}

uint64_t schedule_left(const struct schedule *s, uint64_t now)
{
	struct schedule rest = *s;
	uint64_t n = 0;

	if (s->closed)
		return 0;
	for (; schedule_due(&rest, now); schedule_advance(&rest))
		n++;
	return n;
}

uint64_t schedule_last_ns(const struct schedule *s)
{
	return s->closed || !s->count ? 0 : time_of(s, s->count - 1);
}
