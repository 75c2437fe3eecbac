/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_tail.c - which exchanges are the tail: while they come, and looked back at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/tail.h"
#include "explain/tail_set.h"

#define MS 1000000ULL
#define S (1000 * MS)

/* 980 exchanges of 1 ms and 20 of `slow`. */
static void see(struct tail_judge *j, uint64_t slow)
{
	for (unsigned i = 0; i < 1000; i++)
		tail_judge_see(j, i % 50 ? 1 * MS : slow);
}

static uint64_t bucket_of(uint64_t ns)
{
	return hist_bucket_upper(hist_bucket(ns) - 1) + 1;
}

static void test_judge_needs_samples(void **state)
{
	static struct tail_judge j;

	(void)state;
	j = (struct tail_judge){ .tail.window_ns = 6 * S };
	for (unsigned i = 0; i < TAIL_MIN_SAMPLES - 1; i++)
		tail_judge_see(&j, MS);
	tail_judge_tick(&j, 10 * S);
	assert_int_equal(tail_judge_threshold(&j, 10 * S), 0);
	tail_judge_see(&j, MS);
	tail_judge_tick(&j, 10 * S + 10 * MS);
	assert_int_equal(tail_judge_threshold(&j, 10 * S + 10 * MS), bucket_of(MS));
}

/* An exchange is judged by what held when it ended, however late its answer is complete. */
static void test_judge_of_the_time(void **state)
{
	static struct tail_judge j;

	(void)state;
	j = (struct tail_judge){ .tail.window_ns = 6 * S };
	see(&j, 9 * MS);
	tail_judge_tick(&j, 10 * S);
	see(&j, 50 * MS);
	see(&j, 50 * MS);
	tail_judge_tick(&j, 10 * S + 50 * MS);	/* too early for another look */
	assert_int_equal(tail_judge_threshold(&j, 11 * S), bucket_of(9 * MS));
	tail_judge_tick(&j, 11 * S);
	assert_int_equal(tail_judge_threshold(&j, 9 * S), 0);
	assert_int_equal(tail_judge_threshold(&j, 10 * S), bucket_of(9 * MS));
	assert_int_equal(tail_judge_threshold(&j, 11 * S - 1), bucket_of(9 * MS));
	assert_int_equal(tail_judge_threshold(&j, 11 * S), bucket_of(50 * MS));
}

/* What is older than the window is forgotten; a shorter window forgets sooner. */
static void test_judge_window(void **state)
{
	static struct tail_judge j;
	uint64_t now = 10 * S;

	(void)state;
	for (uint64_t window = 1; window <= 4; window *= 4) {
		j = (struct tail_judge){ .tail.window_ns = window * S };
		see(&j, 50 * MS);
		for (now = 10 * S; now <= 13 * S; now += 100 * MS) {
			for (unsigned i = 0; i < 30; i++)
				tail_judge_see(&j, 2 * MS);
			tail_judge_tick(&j, now);
		}
		assert_int_equal(tail_judge_threshold(&j, 13 * S),
				 bucket_of(window == 1 ? 2 * MS : 50 * MS));
		assert_int_equal(tail_judge_threshold(&j, 10 * S), bucket_of(50 * MS));
	}
}

static void add(struct tail_set *t, uint64_t from, uint64_t ns, uint64_t fast)
{
	for (unsigned i = 0; i < 1000; i++)
		tail_set_add(t, from + i * (ns / 1000), i % 100 ? fast : 10 * fast);
}

/* No longer than a window: one P99, that of all. */
static void test_set_of_one_window(void **state)
{
	struct tail_set *t = tail_set_new();

	(void)state;
	assert_non_null(t);
	tail_set_begin(t, 100 * S, 6 * S);
	add(t, 100 * S, 3 * S, MS);
	add(t, 103 * S, 3 * S - 1, 4 * MS);
	tail_set_end(t);
	assert_false(t->slides);
	assert_int_equal(tail_set_from(t, 100 * S), bucket_of(10 * MS));
	assert_int_equal(tail_set_from(t, 105 * S), bucket_of(10 * MS));
	assert_int_equal(t->count, 20);
	tail_set_free(t);
}

/* Longer: the tail follows the load, and what was slow before is not slow now. */
static void test_set_follows(void **state)
{
	struct tail_set *t = tail_set_new();

	(void)state;
	assert_non_null(t);
	tail_set_begin(t, 100 * S, 2 * S);
	for (unsigned s = 0; s < 10; s++)
		add(t, (100 + s) * S, S, s < 5 ? 8 * MS : MS);
	tail_set_end(t);
	assert_true(t->slides);
	assert_int_equal(tail_set_from(t, 100 * S), bucket_of(80 * MS));
	assert_int_equal(tail_set_from(t, 104 * S), bucket_of(80 * MS));
	assert_int_equal(tail_set_from(t, 108 * S), bucket_of(10 * MS));
	assert_int_equal(tail_set_median(t, 109 * S), hist_bucket_upper(hist_bucket(MS)));
	assert_int_equal(t->late, 0);
	/* 80 ms of the first five seconds, 10 ms of those that see none of these any more. */
	assert_in_range(t->count, 50 + 30, 100);
	tail_set_free(t);
}

/* May-be is asked early: nothing of the later tail is turned away. */
static void test_set_floor(void **state)
{
	struct tail_set *t = tail_set_new();
	unsigned kept = 0;

	(void)state;
	assert_non_null(t);
	tail_set_begin(t, 0, 6 * S);
	for (unsigned i = 0; i < 100000; i++) {
		bool slow = i % 100 == 0;
		bool may = tail_set_add(t, i * 50000ULL, slow ? 10 * MS : i % 10 * 10000 + 10000);

		assert_true(may || !slow);
		kept += may;
	}
	tail_set_end(t);
	assert_int_equal(t->count, 1000);
	assert_in_range(kept, 1000, 100000 / 6);
	tail_set_add(t, 6 * S * TAIL_SET_SLOTS, MS);
	assert_int_equal(t->late, 1);
	tail_set_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge_needs_samples),
		cmocka_unit_test(test_judge_of_the_time),
		cmocka_unit_test(test_judge_window),
		cmocka_unit_test(test_set_of_one_window),
		cmocka_unit_test(test_set_follows),
		cmocka_unit_test(test_set_floor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
