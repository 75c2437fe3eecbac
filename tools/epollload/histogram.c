/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* histogram.c - see histogram.h. */
#include "histogram.h"

void histogram_add(struct hist *h, uint64_t ns)
{
	h->bucket[hist_bucket(ns)]++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
}

void histogram_merge(struct hist *into, const struct hist *from)
{
	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		into->bucket[b] += from->bucket[b];
	into->sum += from->sum;
	if (from->max > into->max)
		into->max = from->max;
}

/* Nearest rank: the smallest bound that permille of all values don't exceed. */
static uint64_t percentile(const struct hist *h, uint64_t count, unsigned permille)
{
	uint64_t rank = count / 1000 * permille + (count % 1000 * permille + 999) / 1000, seen = 0;

	for (unsigned b = 0; b < HIST_BUCKETS - 1; b++) {
		seen += h->bucket[b];
		if (seen >= rank)
			return hist_bucket_upper(b) < h->max ? hist_bucket_upper(b) : h->max;
	}
	return h->max;
}

void histogram_summary(const struct hist *h, struct summary *s)
{
	uint64_t n = 0;

	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		n += h->bucket[b];
	*s = (struct summary){ .count = n };
	if (!n)
		return;
	s->mean_ns = h->sum / n;
	s->p50_ns = percentile(h, n, 500);
	s->p90_ns = percentile(h, n, 900);
	s->p99_ns = percentile(h, n, 990);
	s->p999_ns = percentile(h, n, 999);
	s->max_ns = h->max;
}
