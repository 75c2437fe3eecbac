/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* dist.c - percentiles from log-linear histograms, and the end of a report's life. */
#include <stdlib.h>

#include "model/model.h"

uint64_t hist_rank(uint64_t count, unsigned permille)
{
	return count / 1000 * permille + (count % 1000 * permille + 999) / 1000;
}

uint64_t hist_count(const struct hist *h)
{
	uint64_t count = 0;

	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		count += h->bucket[b];
	return count;
}

uint64_t hist_slowest_ns(const struct hist *h, unsigned percent)
{
	uint64_t count = hist_count(h), above = 0;

	for (unsigned b = HIST_BUCKETS; count && b-- > 0;) {
		above += h->bucket[b];
		if (above * 100 >= count * percent)
			return hist_bucket_lower(b);
	}
	return 0;
}

/* The last bucket has no upper bound of its own: the maximum is the only one known. */
static uint64_t bound_of(const struct hist *h, unsigned bucket)
{
	uint64_t upper = hist_bucket_upper(bucket);

	return bucket == HIST_BUCKETS - 1 || upper > h->max ? h->max : upper;
}

uint64_t hist_percentile(const struct hist *h, unsigned permille)
{
	uint64_t rank = hist_rank(hist_count(h), permille), seen = 0;

	for (unsigned b = 0; b < HIST_BUCKETS && rank; b++) {
		seen += h->bucket[b];
		if (seen >= rank)
			return bound_of(h, b);
	}
	return 0;
}

void dist_from_hist(struct dist *d, const struct hist *h)
{
	static const unsigned permille[] = { 500, 900, 990, 999 };
	uint64_t value[4] = { 0 };
	uint64_t count = hist_count(h), seen = 0;
	unsigned next = 0;

	*d = (struct dist){ .count = count };
	if (!count)
		return;

	for (unsigned b = 0; b < HIST_BUCKETS && next < 4; b++) {
		seen += h->bucket[b];
		while (next < 4 && seen >= hist_rank(count, permille[next]))
			value[next++] = bound_of(h, b);
	}
	d->sum_ns = h->sum;
	d->p50_ns = value[0];
	d->p90_ns = value[1];
	d->p99_ns = value[2];
	d->p999_ns = value[3];
	d->max_ns = h->max;
}

uint64_t dist_mean(const struct dist *d)
{
	return d->count ? d->sum_ns / d->count + (d->sum_ns % d->count >= d->count - d->count / 2)
			: 0;
}

uint64_t dist_tail_ns(const struct dist *d)
{
	return hist_bucket_lower(hist_bucket(d->p99_ns));
}

uint64_t report_tail_at_ns(const struct report *r)
{
	return r->tail_permille ? r->tail_at_ns : r->latency.p99_ns;
}

uint64_t report_tail_ns(const struct report *r)
{
	return hist_bucket_lower(hist_bucket(report_tail_at_ns(r)));
}

void report_free(struct report *r)
{
	if (!r)
		return;
	free(r->targets);
	free(r->worst);
	free(r->syscalls);
	free(r->wakers);
	free(r->loops);
	free(r->holds.worst);
	free(r->eventpolls);
	free(r->listeners);
	free(r->findings);
	free(r->notes);
	*r = (struct report){ 0 };
}
