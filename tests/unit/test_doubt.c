/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_doubt.c - exchanges that are held back until their connection is judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stream/doubt.h"

#define MS 1000000ULL

struct given {
	unsigned n, requests, others, answers;
	uint64_t conn[64], number[64];
};

static void give(void *ctx, const struct event_head *record, enum traffic_kind kind)
{
	const struct ev_record *r = (const struct ev_record *)record;
	struct given *g = ctx;

	if (record->kind == EV_ANSWER) {
		g->answers++;
		return;
	}
	if (g->n < 64) {
		g->conn[g->n] = r->conn;
		g->number[g->n] = r->number;
	}
	g->n++;
	g->requests += kind == KIND_REQUEST;
	g->others += kind != KIND_REQUEST;
}

static void hold(struct doubt *d, uint64_t conn, uint32_t number, uint64_t time_ns)
{
	struct ev_record r = {
		.head = { .size = RECORD_SHORT, .kind = EV_RECORD, .time_ns = time_ns },
		.conn = conn, .number = number, .flags = RECORD_DOUBTFUL,
	};

	doubt_record(d, &r);
}

static void judge(struct doubt *d, uint64_t conn, enum traffic_kind kind, uint64_t time_ns)
{
	struct ev_kind k = {
		.head = { .size = sizeof(k), .kind = EV_KIND, .time_ns = time_ns },
		.conn = conn, .kind = (uint8_t)kind,
	};

	doubt_judged(d, &k);
}

static void test_judged(void **state)
{
	struct given g = { 0 };
	struct doubt *d = doubt_new(16, 1000 * MS, give, &g);

	(void)state;
	hold(d, 1, 1, 10);
	hold(d, 2, 1, 11);
	hold(d, 1, 2, 12);
	assert_int_equal(g.n, 0);
	assert_int_equal(doubt_held(d), 3);
	judge(d, 1, KIND_ONE_WAY, 13);
	assert_int_equal(g.others, 2);
	assert_int_equal(g.number[0], 1);
	assert_int_equal(g.number[1], 2);
	judge(d, 2, KIND_REQUEST, 14);
	assert_int_equal(g.requests, 1);
	assert_int_equal(doubt_held(d), 0);
	doubt_free(d);
}

/* Rings are emptied one after the other: the judgement may come first. */
static void test_judged_before(void **state)
{
	struct given g = { 0 };
	struct doubt *d = doubt_new(16, 1000 * MS, give, &g);

	(void)state;
	judge(d, 1, KIND_OVERLAPPING, 100);
	hold(d, 1, 1, 99);
	assert_int_equal(g.others, 1);
	hold(d, 1, 2, 101);	/* in doubt again */
	assert_int_equal(doubt_held(d), 1);
	doubt_flush(d);
	assert_int_equal(g.requests, 1);
	judge(d, 1, KIND_OVERLAPPING, 200);
	doubt_tick(d, 2000 * MS);
	hold(d, 1, 3, 150);	/* such an old judgement is forgotten */
	assert_int_equal(doubt_held(d), 1);
	doubt_free(d);
}

static void test_time_and_close(void **state)
{
	struct given g = { 0 };
	struct doubt *d = doubt_new(16, 1000 * MS, give, &g);

	(void)state;
	hold(d, 1, 1, 500 * MS);
	hold(d, 2, 1, 900 * MS);
	hold(d, 3, 1, 900 * MS);
	doubt_tick(d, 1400 * MS);
	assert_int_equal(g.n, 0);
	doubt_tick(d, 1600 * MS);
	assert_int_equal(g.requests, 1);
	doubt_close(d, 3);
	doubt_close(d, 4);
	assert_int_equal(g.requests, 2);
	assert_int_equal(g.conn[1], 3);
	doubt_flush(d);
	doubt_flush(d);
	assert_int_equal(g.requests, 3);
	doubt_free(d);
}

static void test_answers_stay_behind(void **state)
{
	struct ev_answer answer = { .head = { .size = sizeof(answer), .kind = EV_ANSWER }, .conn = 1 };
	struct given g = { 0 };
	struct doubt *d = doubt_new(2, 1000 * MS, give, &g);

	(void)state;
	assert_false(doubt_answer(d, &answer));
	hold(d, 1, 1, 10);
	assert_true(doubt_answer(d, &answer));
	assert_int_equal(g.answers, 0);
	doubt_flush(d);
	assert_int_equal(g.requests, 1);
	assert_int_equal(g.answers, 1);
	doubt_free(d);
}

/* Never more than there is room for, and none is lost. */
static void test_bounded(void **state)
{
	struct given g = { 0 };
	struct doubt *d = doubt_new(8, 1000 * MS, give, &g);
	unsigned fed = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		hold(d, i % 37, i, i * 1000);
		fed++;
		if (i % 11 == 0)
			judge(d, i % 41, i % 3 ? KIND_REQUEST : KIND_ONE_WAY, i * 1000 - 500);
		if (i % 100 == 0)
			doubt_tick(d, i * MS);
		assert_in_range(doubt_held(d), 0, 8);
	}
	doubt_flush(d);
	assert_int_equal(g.requests + g.others, fed);
	assert_int_equal(doubt_held(d), 0);
	doubt_free(d);
	assert_null(doubt_new(0, 1, give, &g));
	doubt_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judged),
		cmocka_unit_test(test_judged_before),
		cmocka_unit_test(test_time_and_close),
		cmocka_unit_test(test_answers_stay_behind),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
