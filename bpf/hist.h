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

/*
 * Index of the highest set bit; v must not be 0. BPF has no instruction for it, and branches would
 * be walked by the verifier at every use: smear the bit down, multiply, look up (de Bruijn).
 */
static inline __attribute__((always_inline)) __u32 hist_log2(__u64 v)
{
	static const __u8 index[64] = {
		0, 47, 1, 56, 48, 27, 2, 60, 57, 49, 41, 37, 28, 16, 3, 61,
		54, 58, 35, 52, 50, 42, 21, 44, 38, 32, 29, 23, 17, 11, 4, 62,
		46, 55, 26, 59, 40, 36, 15, 53, 34, 51, 20, 43, 31, 22, 10, 45,
		25, 39, 14, 33, 19, 30, 9, 24, 13, 18, 8, 12, 7, 6, 5, 63,
	};

	v |= v >> 1;
	v |= v >> 2;
	v |= v >> 4;
	v |= v >> 8;
	v |= v >> 16;
	v |= v >> 32;
	return index[(v * 0x03f79d71b4cb0a89ULL) >> 58];
}

/*
 * The bucket that holds v: always < HIST_BUCKETS. Below 128 the bucket is the value. Without a
 * branch, for the same reason; the mask stands for "if v is 2^HIST_EXP_MAX or more".
 */
static inline __attribute__((always_inline)) __u32 hist_bucket(__u64 v)
{
	__u64 over = v >> HIST_EXP_MAX;
	__u32 shift;

	v |= -((over | -over) >> 63);
	v &= (1ULL << HIST_EXP_MAX) - 1;
	shift = hist_log2(v | HIST_SUB) - HIST_SUB_BITS;
	return (shift << HIST_SUB_BITS) + (__u32)(v >> shift);
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

/* The smallest value that a bucket holds. */
static inline __attribute__((always_inline)) __u64 hist_bucket_lower(__u32 b)
{
	return b ? hist_bucket_upper(b - 1) + 1 : 0;
}

#endif
