/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sampled.c - from calls seen in windows to calls of the whole time. With n calls in windows of length
 * l, the estimate of the rate is sum(n) / sum(l), the ratio estimator; its variance comes from the
 * windows' residuals n - rate * l (Cochran, Sampling Techniques, 6.4), less for the share of the time
 * that was seen. One window in each stretch of time scatters less than that says, if anything.
 */
#include <math.h>

#include "model/aggregate.h"

static void add_count(struct sampled_calls *s, unsigned call, uint64_t n, uint64_t us)
{
	s->begun[call] += n;
	s->begun_squared[call] += n * n;
	s->begun_us[call] += n * us;
}

void sampled_add(struct sampled_calls *s, const uint64_t begun[SC_COUNT], uint64_t length_ns)
{
	uint64_t us = (length_ns + 500) / 1000, together = 0;

	s->windows++;
	s->window_ns += length_ns;
	s->us_squared += us * us;
	for (unsigned call = 0; call < SC_COUNT; call++) {
		add_count(s, call, begun[call], us);
		together += begun[call];
	}
	add_count(s, CALLS_TOGETHER, together, us);
}

double sampled_share(const struct sampled_calls *s)
{
	if (!s->watched_ns || !s->window_ns || s->window_ns > s->watched_ns)
		return 1;
	return (double)s->window_ns / (double)s->watched_ns;
}

double sampled_error(const struct sampled_calls *s, unsigned call)
{
	double n = (double)s->windows, rate, residuals, variance;

	if (s->windows < 2 || !s->begun[call] || !s->window_ns)
		return NAN;
	rate = (double)s->begun[call] / ((double)s->window_ns / 1000);
	residuals = (double)s->begun_squared[call] - 2 * rate * (double)s->begun_us[call] +
		    rate * rate * (double)s->us_squared;
	variance = residuals > 0 ? residuals * n / (n - 1) * (1 - sampled_share(s)) : 0;
	return sqrt(variance) / (double)s->begun[call];
}

bool call_is_sampled(const struct sampled_calls *s, unsigned call)
{
	if (!s->watched_ns)
		return false;
	return call > SC_EPOLL_PWAIT2 && call != SC_ACCEPT && call != SC_ACCEPT4 && call < SC_POLL;
}
