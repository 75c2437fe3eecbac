/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * histogram.h - distributions over bpf/hist.h's buckets: every value is counted, a percentile is the
 * upper bound of its bucket (at most 1/64 too high), never above the maximum, which is exact.
 */
#ifndef EPOLLLOAD_HISTOGRAM_H
#define EPOLLLOAD_HISTOGRAM_H

#include <linux/types.h>
#include <stdint.h>

#include "bpf/hist.h"

struct summary {
	uint64_t count, mean_ns, p50_ns, p90_ns, p99_ns, p999_ns, max_ns;	/* 0 if count is */
};

void histogram_add(struct hist *h, uint64_t ns);
void histogram_merge(struct hist *into, const struct hist *from);
void histogram_summary(const struct hist *h, struct summary *s);

#endif
