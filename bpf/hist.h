/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hist.h - the bucket maths of every distribution, used by kernel and user side alike.
 *
 * Log-linear buckets over nanoseconds: values below 64 have a bucket each, then every power of two
 * is cut into 64 equal buckets. A bucket's upper bound is at most 1/64 (1.57 %) above any value in
 * it. Values of 2^40 ns (18 minutes) and more share the last bucket; `max` stays exact.
 */
#ifndef EPOLLSCOPE_HIST_H
#define EPOLLSCOPE_HIST_H

#define HIST_SUB_BITS	6
#define HIST_SUB	(1u << HIST_SUB_BITS)
#define HIST_EXP_MAX	40
#define HIST_BUCKETS	((HIST_EXP_MAX - HIST_SUB_BITS + 1) * HIST_SUB)

/* One writer's histogram. The count is the sum of the buckets, so the two can't disagree. */
struct hist {
	__u64 sum;
	__u64 max;
	__u64 bucket[HIST_BUCKETS];
};

/* Index of the highest set bit; v must not be 0. Steps, not clz: BPF has no such instruction. */
static inline __attribute__((always_inline)) __u32 hist_log2(__u64 v)
{
	__u32 e = 0;

	if (v >> 32) { v >>= 32; e += 32; }
	if (v >> 16) { v >>= 16; e += 16; }
	if (v >> 8) { v >>= 8; e += 8; }
	if (v >> 4) { v >>= 4; e += 4; }
	if (v >> 2) { v >>= 2; e += 2; }
	return e + (__u32)(v >> 1);
}

/* The bucket that holds v: always < HIST_BUCKETS. */
static inline __attribute__((always_inline)) __u32 hist_bucket(__u64 v)
{
	__u32 e;

	if (v < HIST_SUB)
		return (__u32)v;
	if (v >> HIST_EXP_MAX)
		return HIST_BUCKETS - 1;
	e = hist_log2(v);
	return ((e - HIST_SUB_BITS + 1) << HIST_SUB_BITS) +
	       (__u32)((v >> (e - HIST_SUB_BITS)) & (HIST_SUB - 1));
}

/* The largest value that a bucket holds. */
static inline __attribute__((always_inline)) __u64 hist_bucket_upper(__u32 b)
{
	__u32 shift;

	if (b < HIST_SUB)
		return b;
	shift = (b >> HIST_SUB_BITS) - 1;
	return (((__u64)(b & (HIST_SUB - 1)) + HIST_SUB + 1) << shift) - 1;
}

#endif
