/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_heatmap.c - columns sum to what was fed, however long it lasts; rows cover all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/heatmap.h"

#define MS 1000000ull
#define START (5000 * MS)

static struct hist total;	/* what the kernel would hold */
static struct heatmap *map;

static int set_up(void **state)
{
	(void)state;
	memset(&total, 0, sizeof(total));
	map = heatmap_new();
	return !map;
}

static int tear_down(void **state)
{
	(void)state;
	free(map);
	return 0;
}

static void answer(uint64_t latency_ns, uint64_t times)
{
	total.bucket[hist_bucket(latency_ns)] += times;
}

static void feed(uint64_t ms)
{
	heatmap_feed(map, START + ms * MS, &total);
}

static uint64_t sum_of_columns(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < map->n; i++) {
		uint64_t column = 0;

		for (unsigned b = 0; b < HIST_BUCKETS; b++)
			column += map->column[i].bucket[b];
		assert_int_equal(map->column[i].count, column);
		sum += column;
	}
	return sum;
}

static void a_column_lies_between_two_readings(void **state)
{
	(void)state;
	answer(1000, 3);
	feed(0);
	answer(1000, 2);
	feed(103);
	answer(9000000, 7);
	feed(207);
	assert_int_equal(map->n, 2);
	assert_int_equal(map->column[0].from_ns, START);
	assert_int_equal(map->column[0].to_ns, START + 103 * MS);
	assert_int_equal(map->column[0].count, 5);
	assert_int_equal(map->column[1].from_ns, START + 103 * MS);
	assert_int_equal(map->column[1].to_ns, START + 207 * MS);
	assert_int_equal(map->column[1].bucket[hist_bucket(9000000)], 7);
	assert_int_equal(map->count, 12);
}

static void frequent_readings_share_a_column(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms <= 1000; ms += 10) {
		answer(5000, 1);
		feed(ms);
	}
	assert_int_equal(map->n, 10);
	assert_int_equal(sum_of_columns(), 101);
}

static void a_late_reading_makes_a_long_column(void **state)
{
	(void)state;
	feed(0);
	feed(100);
	answer(77, 4);
	feed(10100);
	assert_int_equal(map->n, 2);
	assert_int_equal(map->column[1].to_ns - map->column[1].from_ns, 10000 * MS);
	assert_int_equal(map->column[1].count, 4);
}

static void the_past_goes_into_the_last_column(void **state)
{
	(void)state;
	feed(0);
	feed(100);
	answer(77, 4);
	feed(100);
	feed(50);
	assert_int_equal(map->n, 1);
	assert_int_equal(map->column[0].count, 4);
	assert_int_equal(map->column[0].to_ns, START + 100 * MS);
}

/* 2000 s at ten readings a second. */
static void memory_is_bounded_and_nothing_is_lost(void **state)
{
	uint64_t edge = START;

	(void)state;
	for (unsigned i = 0; i <= 20000; i++) {
		answer(1000 + i, i % 7);
		feed(i * 100ull);
		assert_true(map->n <= HEATMAP_COLUMNS);
	}
	assert_true(map->n > HEATMAP_COLUMNS / 2);
	assert_int_equal(map->slot_ns, 256 * (uint64_t)HEATMAP_SLOT_NS);
	for (size_t i = 0; i < map->n; i++) {
		assert_int_equal(map->column[i].from_ns, edge);
		edge = map->column[i].to_ns;
	}
	assert_int_equal(edge, START + 20000 * 100 * MS);
	/* 0 + 1 + ... + 6, for 2857 whole weeks, and two days of the next. */
	assert_int_equal(map->count, 2857 * 21 + 0 + 1);
	assert_int_equal(sum_of_columns(), map->count);
}

static void rows_hold_every_bucket(void **state)
{
	static const uint64_t latencies[] = { 0, 63, 64, 1000, 123456, 99999999, 1ull << 45 };
	struct heat_rows rows;
	uint64_t sum = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++)
		answer(latencies[i], i + 1);
	feed(0);
	heatmap_rows(map, 48, &rows);
	assert_true(rows.n && rows.n <= 48);
	assert_int_equal(heat_row_from(&rows, 0), 0);
	for (unsigned row = 0; row < rows.n; row++) {
		sum += heatmap_cell(&map->column[0], &rows, row);
		if (row)
			assert_int_equal(heat_row_from(&rows, row),
					 heat_row_to(&rows, row - 1) + 1);
	}
	assert_int_equal(sum, 28);
}

static void rows_fit_what_occurs(void **state)
{
	struct heat_rows rows;

	(void)state;
	heatmap_rows(map, 48, &rows);
	assert_int_equal(rows.n, 0);
	answer(1000, 1);
	feed(0);
	heatmap_rows(map, 48, &rows);
	assert_int_equal(rows.n, 1);
	assert_true(heat_row_from(&rows, 0) <= 1000 && heat_row_to(&rows, 0) >= 1000);
	answer(2000, 1);
	feed(10);
	heatmap_rows(map, 48, &rows);
	assert_int_equal(rows.n, 9);
}

static void percentiles_of_a_column(void **state)
{
	(void)state;
	answer(1000, 98);
	answer(50000, 1);
	answer(700000, 1);
	feed(0);
	assert_int_equal(heat_column_percentile(&map->column[0], 500),
			 hist_bucket_upper(hist_bucket(1000)));
	assert_int_equal(heat_column_percentile(&map->column[0], 990),
			 hist_bucket_upper(hist_bucket(50000)));
	assert_int_equal(heat_column_percentile(&map->column[0], 1000),
			 hist_bucket_upper(hist_bucket(700000)));
	memset(&map->column[0], 0, sizeof(map->column[0]));
	assert_int_equal(heat_column_percentile(&map->column[0], 990), 0);
}

static void levels_rise(void **state)
{
	static const uint64_t maxima[] = { 1, 2, 3, 7, 8, 100, 123456789, UINT64_MAX / 2 };
	uint64_t from[HEATMAP_LEVELS];

	(void)state;
	assert_int_equal(heatmap_levels(0, from), 0);
	for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
		unsigned n = heatmap_levels(maxima[i], from);

		assert_true(n && n <= HEATMAP_LEVELS);
		assert_int_equal(from[0], 1);
		assert_true(from[n - 1] <= maxima[i]);
		for (unsigned k = 1; k < n; k++)
			assert_true(from[k] > from[k - 1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_column_lies_between_two_readings, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(frequent_readings_share_a_column, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_late_reading_makes_a_long_column, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_past_goes_into_the_last_column, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(memory_is_bounded_and_nothing_is_lost, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(rows_hold_every_bucket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_fit_what_occurs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(percentiles_of_a_column, set_up, tear_down),
		cmocka_unit_test(levels_rise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
