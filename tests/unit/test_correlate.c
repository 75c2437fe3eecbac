/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_correlate.c - every transition of the table, order, time limits, room, and a random walk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "stream/correlate.h"

#define SEEN_MAX 64
#define WAIT_NS 1000
#define GRACE_NS 100

struct seen {
	struct correlate *c;
	struct exchange_info x[SEEN_MAX];
	size_t n;
};

static void remember(void *ctx, const struct exchange_info *x)
{
	struct seen *seen = ctx;

	assert_true(seen->n < SEEN_MAX);
	seen->x[seen->n++] = *x;
}

static void begin(struct seen *seen, size_t capacity)
{
	struct correlate_limits limits = {
		.capacity = capacity, .wait_ns = WAIT_NS, .grace_ns = GRACE_NS,
	};

	memset(seen, 0, sizeof(*seen));
	seen->c = correlate_new(&limits, remember, seen);
	assert_non_null(seen->c);
}

static void feed(struct correlate *c, uint16_t kind, uint64_t conn, uint64_t number, uint64_t ns)
{
	struct event e = { .head = { .kind = kind, .time_ns = ns } };

	if (kind == EV_EXCHANGE) {
		e.exchange.conn = conn;
		e.exchange.number = number;
		e.exchange.latency_ns = conn * 1000 + number;
	} else if (kind == EV_ANSWER) {
		e.answer.conn = conn;
		e.answer.number = number;
		e.answer.send_ns = conn * 1000 + number;
	} else if (kind == EV_CONN_CLOSE) {
		e.conn_close.conn = conn;
	}
	correlate_feed(c, &e);
}

/* The n-th released, and whether it came with the answer that is its own. */
static void expect(const struct seen *seen, size_t n, uint64_t conn, uint64_t number, bool answer)
{
	const struct exchange_info *x = &seen->x[n];

	assert_true(n < seen->n);
	assert_int_equal(x->ex.conn, conn);
	assert_int_equal(x->ex.number, number);
	assert_int_equal(x->ex.latency_ns, conn * 1000 + number);
	assert_int_equal(x->has_answer, answer);
	if (answer) {
		assert_int_equal(x->answer.conn, conn);
		assert_int_equal(x->answer.number, number);
		assert_int_equal(x->answer.send_ns, conn * 1000 + number);
	}
}

static void test_exchange_then_answer(void **state)
{
	struct seen s;

	(void)state;
	begin(&s, 4);
	feed(s.c, EV_EXCHANGE, 1, 1, 10);
	assert_int_equal(s.n, 0);
	feed(s.c, EV_ANSWER, 1, 1, 20);
	assert_int_equal(s.n, 1);
	expect(&s, 0, 1, 1, true);
	assert_int_equal(correlate_held(s.c), 0);
	assert_int_equal(correlate_stats(s.c)->joined, 1);
	correlate_free(s.c);
}

static void test_answer_then_exchange(void **state)
{
	struct seen s;

	(void)state;
	begin(&s, 4);
	feed(s.c, EV_ANSWER, 1, 1, 20);
	feed(s.c, EV_EXCHANGE, 1, 1, 10);
	assert_int_equal(s.n, 1);
	expect(&s, 0, 1, 1, true);
	assert_int_equal(correlate_held(s.c), 0);
	correlate_free(s.c);
}

/* Neither another connection's answer nor another exchange's is taken. */
static void test_no_answer_crosses(void **state)
{
	struct seen s;

	(void)state;
	begin(&s, 8);
	feed(s.c, EV_EXCHANGE, 1, 1, 10);
	feed(s.c, EV_EXCHANGE, 2, 1, 11);
	feed(s.c, EV_EXCHANGE, 1, 2, 12);
	feed(s.c, EV_ANSWER, 1, 2, 20);
	feed(s.c, EV_ANSWER, 2, 1, 21);
	feed(s.c, EV_ANSWER, 3, 1, 22);
	assert_int_equal(s.n, 2);
	expect(&s, 0, 1, 2, true);
	expect(&s, 1, 2, 1, true);
	correlate_flush(s.c);
	assert_int_equal(s.n, 3);
	expect(&s, 2, 1, 1, false);
	assert_int_equal(correlate_stats(s.c)->flushed, 1);
	assert_int_equal(correlate_stats(s.c)->lone_answers, 1);
	correlate_free(s.c);
}

static void test_close_waits_for_the_answer(void **state)
{
	struct seen s;

	(void)state;
	begin(&s, 8);
	feed(s.c, EV_EXCHANGE, 1, 1, 10);
	feed(s.c, EV_EXCHANGE, 1, 2, 11);
	feed(s.c, EV_EXCHANGE, 2, 1, 12);
	feed(s.c, EV_CONN_CLOSE, 1, 0, 50);
	assert_int_equal(s.n, 0);
	/* only the exchange of the open connection is worth asking the kernel for */
	assert_int_equal(correlate_oldest_ns(s.c, 60), 48);
	feed(s.c, EV_ANSWER, 1, 1, 45);
	assert_int_equal(s.n, 1);
	expect(&s, 0, 1, 1, true);
	correlate_tick(s.c, 50 + GRACE_NS - 1);
	assert_int_equal(s.n, 1);
	correlate_tick(s.c, 50 + GRACE_NS);
	assert_int_equal(s.n, 2);
	expect(&s, 1, 1, 2, false);
	assert_int_equal(correlate_stats(s.c)->closed, 1);
	assert_int_equal(correlate_held(s.c), 1);
	/* closing again changes nothing */
	feed(s.c, EV_CONN_CLOSE, 1, 0, 51);
	assert_int_equal(s.n, 2);
	correlate_free(s.c);
}

static void test_expiry_and_late_answer(void **state)
{
	struct seen s;

	(void)state;
	begin(&s, 8);
	/* out of order, as from two rings */
	feed(s.c, EV_EXCHANGE, 1, 1, 300);
	feed(s.c, EV_EXCHANGE, 2, 1, 100);
	feed(s.c, EV_EXCHANGE, 3, 1, 200);
	assert_int_equal(correlate_oldest_ns(s.c, 100), 0);
	assert_int_equal(correlate_oldest_ns(s.c, 400), 300);
	correlate_tick(s.c, 99 + WAIT_NS);
	assert_int_equal(s.n, 0);
	correlate_tick(s.c, 200 + WAIT_NS);
	assert_int_equal(s.n, 2);
	expect(&s, 0, 2, 1, false);
	expect(&s, 1, 3, 1, false);
	assert_int_equal(correlate_stats(s.c)->expired, 2);
	feed(s.c, EV_ANSWER, 2, 1, 1300);
	assert_int_equal(s.n, 2);
	correlate_tick(s.c, 1300 + GRACE_NS);
	assert_int_equal(correlate_stats(s.c)->lone_answers, 1);
	assert_int_equal(s.n, 3);
	expect(&s, 2, 1, 1, false);
	assert_int_equal(correlate_held(s.c), 0);
	assert_int_equal(correlate_oldest_ns(s.c, 5000), 0);
	correlate_free(s.c);
}

static void test_duplicates(void **state)
{
	struct seen s;

	(void)state;
	begin(&s, 8);
	feed(s.c, EV_EXCHANGE, 1, 1, 10);
	feed(s.c, EV_EXCHANGE, 1, 1, 11);
	feed(s.c, EV_ANSWER, 2, 1, 12);
	feed(s.c, EV_ANSWER, 2, 1, 13);
	feed(s.c, EV_CONN_CLOSE, 1, 0, 14);
	feed(s.c, EV_EXCHANGE, 1, 1, 15);
	feed(s.c, EV_PROCESS, 0, 0, 16);
	feed(s.c, EV_NONE, 0, 0, 17);
	assert_int_equal(s.n, 0);
	assert_int_equal(correlate_stats(s.c)->duplicates, 3);
	assert_int_equal(correlate_stats(s.c)->exchanges, 1);
	assert_int_equal(correlate_stats(s.c)->ignored, 2);
	assert_int_equal(correlate_held(s.c), 2);
	correlate_free(s.c);
}

static void test_no_room(void **state)
{
	struct seen s;

	(void)state;
	begin(&s, 2);
	feed(s.c, EV_EXCHANGE, 1, 1, 20);
	feed(s.c, EV_EXCHANGE, 2, 1, 10);
	feed(s.c, EV_EXCHANGE, 3, 1, 30);
	assert_int_equal(s.n, 1);
	expect(&s, 0, 2, 1, false);
	assert_int_equal(correlate_stats(s.c)->evicted, 1);
	feed(s.c, EV_ANSWER, 9, 1, 5);	/* evicts 1, and is itself the oldest now */
	expect(&s, 1, 1, 1, false);
	feed(s.c, EV_EXCHANGE, 4, 1, 40);
	assert_int_equal(s.n, 2);
	assert_int_equal(correlate_stats(s.c)->evicted, 2);
	assert_int_equal(correlate_stats(s.c)->lone_answers, 1);
	assert_int_equal(correlate_held(s.c), 2);
	correlate_free(s.c);
}

static void test_capacity_one_and_extreme_times(void **state)
{
	struct correlate_limits none = { 0 };
	struct seen s;

	(void)state;
	assert_null(correlate_new(&none, remember, &s));
	correlate_free(NULL);
	begin(&s, 1);
	feed(s.c, EV_EXCHANGE, 0, 0, UINT64_MAX);
	feed(s.c, EV_CONN_CLOSE, 0, 0, UINT64_MAX);
	correlate_tick(s.c, UINT64_MAX - 1);
	assert_int_equal(s.n, 0);
	correlate_tick(s.c, UINT64_MAX);
	assert_int_equal(s.n, 1);
	feed(s.c, EV_EXCHANGE, 0, 1, 0);
	feed(s.c, EV_ANSWER, 0, 1, 0);
	assert_int_equal(s.n, 2);
	correlate_free(s.c);
}

struct tally {
	uint64_t with, without;
};

static void count(void *ctx, const struct exchange_info *x)
{
	struct tally *t = ctx;

	if (x->has_answer) {
		assert_int_equal(x->ex.conn, x->answer.conn);
		assert_int_equal(x->ex.number, x->answer.number);
		t->with++;
	} else {
		t->without++;
	}
}

/* Whatever comes in whatever order: nothing is lost, nothing is released twice. */
static void test_random_walk(void **state)
{
	struct correlate_limits limits = { .capacity = 37, .wait_ns = 500, .grace_ns = 50 };
	struct tally t = { 0 };
	struct correlate *c = correlate_new(&limits, count, &t);
	const struct correlate_stats *s;
	uint64_t seed = 88172645463325252u, now = 0;

	(void)state;
	assert_non_null(c);
	s = correlate_stats(c);
	for (uint64_t i = 0; i < 200000; i++) {
		/* by turns dense, so that there is no room, and sparse, so that time runs out */
		now += i & 4096 ? 60 : 1;
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		feed(c, (uint16_t)(seed % 5), seed >> 8 & 15, seed >> 16 & 15,
		     now - (seed >> 24) % 200 * (now > 200));
		if (seed >> 40 & 1)
			correlate_tick(c, now);
		assert_true(correlate_held(c) <= limits.capacity);
		assert_int_equal(s->joined, t.with);
		assert_int_equal(s->closed + s->expired + s->evicted + s->flushed, t.without);
	}
	correlate_flush(c);
	assert_int_equal(correlate_held(c), 0);
	assert_int_equal(s->exchanges, t.with + t.without);
	assert_true(s->joined && s->closed && s->expired && s->evicted && s->lone_answers &&
		    s->duplicates);
	correlate_free(c);
}

static void count_released(void *ctx, const struct exchange_info *x)
{
	(void)x;
	++*(size_t *)ctx;
}

/* All exchanges on one connection that closes again and again: nothing walks all that are held. */
static void test_one_connection(void **state)
{
	enum { HELD = 200000 };
	struct correlate_limits limits = {
		.capacity = HELD, .wait_ns = WAIT_NS, .grace_ns = GRACE_NS,
	};
	clock_t began = clock();
	struct correlate *c;
	size_t released = 0;

	(void)state;
	c = correlate_new(&limits, count_released, &released);
	assert_non_null(c);
	for (uint64_t i = 0; i < HELD; i++)
		feed(c, EV_EXCHANGE, 7, i, 0);
	for (uint64_t i = 0; i < HELD; i++)
		feed(c, EV_CONN_CLOSE, 7, 0, 0);
	for (uint64_t i = 0; i < HELD / 2; i++)
		feed(c, EV_ANSWER, 7, i, 1);
	assert_int_equal(released, HELD / 2);
	assert_int_equal(correlate_held(c), HELD / 2);
	correlate_tick(c, GRACE_NS);
	assert_int_equal(released, HELD);
	assert_true(clock() - began < 5 * CLOCKS_PER_SEC);
	correlate_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange_then_answer),
		cmocka_unit_test(test_answer_then_exchange),
		cmocka_unit_test(test_no_answer_crosses),
		cmocka_unit_test(test_close_waits_for_the_answer),
		cmocka_unit_test(test_expiry_and_late_answer),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_capacity_one_and_extreme_times),
		cmocka_unit_test(test_random_walk),
		cmocka_unit_test(test_one_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
