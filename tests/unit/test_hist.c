/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_hist.c - bucket maths over the whole range, and percentiles against a sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"

/* xorshift64: the same samples on every machine. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void add(struct hist *h, uint64_t v)
{
	h->bucket[hist_bucket(v)]++;
	h->sum += v;
	if (v > h->max)
		h->max = v;
}

static void test_log2(void **state)
{
	(void)state;
	for (unsigned e = 0; e < 64; e++) {
		assert_int_equal(hist_log2(UINT64_C(1) << e), e);
		assert_int_equal(hist_log2(UINT64_MAX >> (63 - e)), e);
	}
}

/* Every bucket ends where the next one starts. */
static void test_buckets_tile_the_range(void **state)
{
	uint64_t next = 0;

	(void)state;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		uint64_t upper = hist_bucket_upper(b);

		assert_int_equal(hist_bucket(next), b);
		assert_int_equal(hist_bucket(upper), b);
		assert_true(upper >= next);
		next = upper + 1;
	}
	assert_int_equal(next, UINT64_C(1) << HIST_EXP_MAX);
}

static void check_error(uint64_t v)
{
	uint64_t upper = hist_bucket_upper(hist_bucket(v));

	assert_true(upper >= v);
	assert_true((upper - v) * HIST_SUB <= v);
}

static void test_error_at_most_one_64th(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		uint64_t lower = b ? hist_bucket_upper(b - 1) + 1 : 0;

		check_error(lower);
		check_error(lower + (hist_bucket_upper(b) - lower) / 2);
	}
	for (int i = 0; i < 100000; i++)
		check_error(next_random(&seed) >> (24 + i % 40));
}

static void test_beyond_the_range(void **state)
{
	(void)state;
	assert_int_equal(hist_bucket((UINT64_C(1) << HIST_EXP_MAX) - 1), HIST_BUCKETS - 1);
	assert_int_equal(hist_bucket(UINT64_C(1) << HIST_EXP_MAX), HIST_BUCKETS - 1);
	assert_int_equal(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank in the sorted samples: the percentile is that value's bucket bound. */
static void check_percentile(const uint64_t *sorted, size_t n, unsigned permille, uint64_t got)
{
	uint64_t exact = sorted[(n * permille + 999) / 1000 - 1];
	uint64_t bound = hist_bucket_upper(hist_bucket(exact));

	if (bound > sorted[n - 1])
		bound = sorted[n - 1];
	if (got != bound)
		fail_msg("p%u of %zu: got %llu, exact %llu, bound %llu", permille, n,
			 (unsigned long long)got, (unsigned long long)exact,
			 (unsigned long long)bound);
}

static void check_samples(size_t n, unsigned shift)
{
	struct hist *h = calloc(1, sizeof(*h));
	uint64_t *v = calloc(n, sizeof(*v));
	uint64_t seed = n * 77 + shift, sum = 0;
	struct dist d;

	assert_non_null(h);
	assert_non_null(v);
	for (size_t i = 0; i < n; i++) {
		v[i] = next_random(&seed) >> shift >> (next_random(&seed) % 20);
		sum += v[i];
		add(h, v[i]);
	}
	qsort(v, n, sizeof(*v), by_value);
	dist_from_hist(&d, h);
	assert_int_equal(d.count, n);
	assert_int_equal(d.sum_ns, sum);
	assert_int_equal(d.max_ns, v[n - 1]);
	check_percentile(v, n, 500, d.p50_ns);
	check_percentile(v, n, 900, d.p90_ns);
	check_percentile(v, n, 990, d.p99_ns);
	check_percentile(v, n, 999, d.p999_ns);
	check_percentile(v, n, 995, hist_percentile(h, 995));
	assert_int_equal(hist_percentile(h, 990), d.p99_ns);
	free(v);
	free(h);
}

static void test_percentiles_against_sort(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 10, 99, 100, 101, 999, 1000, 1001, 50000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned shift = 25; shift < 60; shift += 9)
			check_samples(sizes[i], shift);
}

static void test_empty(void **state)
{
	static const struct hist none;
	static const struct dist zero;
	struct dist d;

	(void)state;
	memset(&d, 0xff, sizeof(d));
	dist_from_hist(&d, &none);
	assert_memory_equal(&d, &zero, sizeof(d));
}

static void test_one_sample_is_exact(void **state)
{
	static const uint64_t samples[] = { 0, 1, 63, 64, 1000003, UINT64_C(1) << 40, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct hist h = { 0 };
		struct dist d;

		add(&h, samples[i]);
		dist_from_hist(&d, &h);
		assert_int_equal(d.count, 1);
		assert_int_equal(d.p50_ns, samples[i]);
		assert_int_equal(d.p999_ns, samples[i]);
		assert_int_equal(d.max_ns, samples[i]);
	}
}

/* Counts near 2^64 must not overflow the rank. */
static void test_huge_counts(void **state)
{
	struct hist h = { .max = 200 };
	struct dist d;

	(void)state;
	h.bucket[hist_bucket(10)] = UINT64_MAX / 100 * 95;
	h.bucket[hist_bucket(200)] = UINT64_MAX / 100 * 5;
	dist_from_hist(&d, &h);
	assert_int_equal(d.p50_ns, 10);
	assert_int_equal(d.p90_ns, 10);
	assert_int_equal(d.p99_ns, 200);
}

static void test_report_free(void **state)
{
	struct report r = { 0 };

	(void)state;
	report_free(NULL);
	r.targets = calloc(1, sizeof(*r.targets));
	r.n_targets = 1;
	report_free(&r);
	assert_null(r.targets);
	assert_int_equal(r.n_targets, 0);
	report_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log2),
		cmocka_unit_test(test_buckets_tile_the_range),
		cmocka_unit_test(test_error_at_most_one_64th),
		cmocka_unit_test(test_beyond_the_range),
		cmocka_unit_test(test_percentiles_against_sort),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_one_sample_is_exact),
		cmocka_unit_test(test_huge_counts),
		cmocka_unit_test(test_report_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
