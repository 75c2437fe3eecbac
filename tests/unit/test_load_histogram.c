/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_load_histogram.c - epollload's percentiles against a sorted array, merged from two parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/epollload/histogram.h"

#define MOST 20000

/* Shapes: 0 even, 1 over many powers of two, 2 all the same, 3 few values with a far tail. */
static uint64_t value(uint64_t *random, int shape)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	switch (shape) {
	case 0:
		return *random % 1000000;
	case 1:
		return *random >> 24 >> *random % 40;
	case 2:
		return 12345;
	default:
		return *random % 100 ? 40 + *random % 3 : 5000000000;
	}
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank; never below it, at most a 64th above. */
static void expect_percentile(const uint64_t *sorted, size_t n, unsigned permille, uint64_t got)
{
	uint64_t exact = sorted[(n * permille + 999) / 1000 - 1];

	assert_in_range(got, exact, exact + exact / 64);
}

static void expect_shape(int shape, size_t n)
{
	struct hist *h = calloc(2, sizeof(*h));
	uint64_t *sorted = calloc(MOST, sizeof(*sorted)), random = 88172645463325252, sum = 0;
	struct summary s;

	assert_non_null(h);
	assert_non_null(sorted);
	for (size_t i = 0; i < n; i++) {
		sorted[i] = value(&random, shape);
		sum += sorted[i];
		histogram_add(&h[i % 2], sorted[i]);
	}
	histogram_merge(&h[0], &h[1]);
	histogram_summary(&h[0], &s);
	qsort(sorted, n, sizeof(*sorted), ascending);
	assert_int_equal(s.count, n);
	assert_int_equal(s.mean_ns, sum / n);
	assert_int_equal(s.max_ns, sorted[n - 1]);
	expect_percentile(sorted, n, 500, s.p50_ns);
	expect_percentile(sorted, n, 900, s.p90_ns);
	expect_percentile(sorted, n, 990, s.p99_ns);
	expect_percentile(sorted, n, 999, s.p999_ns);
	free(sorted);
	free(h);
}

static void test_percentiles(void **state)
{
	static const size_t counts[] = { 1, 2, 9, 10, 99, 100, 101, 999, 1000, 1001, MOST };

	(void)state;
	for (int shape = 0; shape < 4; shape++)
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			expect_shape(shape, counts[i]);
}

static void test_empty(void **state)
{
	struct hist *h = calloc(1, sizeof(*h));
	struct summary s, none = { 0 };

	(void)state;
	assert_non_null(h);
	histogram_summary(h, &s);
	assert_memory_equal(&s, &none, sizeof(s));
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
