/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_history.c - what is remembered, how long, and in which order it is found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "explain/waterfall.h"

#define MS 1000000ULL
#define S (1000 * MS)

static struct ev_offcpu interval(uint32_t tid, uint64_t start, uint64_t end)
{
	return (struct ev_offcpu){ .head = { .kind = EV_OFFCPU, .time_ns = end },
				   .start_ns = start, .blocked_ns = end - start, .tid = tid };
}

static void add(struct history *h, uint32_t tid, uint64_t start, uint64_t end)
{
	struct ev_offcpu o = interval(tid, start, end);

	history_add(h, EV_OFFCPU, &o);
}

static const struct ev_offcpu *records(const struct history *h)
{
	return history_records(h, EV_OFFCPU);
}

/* At every size around the limit: the last ones, oldest first. */
static void test_limit(void **state)
{
	struct history *h = history_new(100);

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		size_t n = i < 100 ? i + 1 : 100;

		add(h, 1, i, i + 1);
		assert_int_equal(history_count(h, EV_OFFCPU), n);
		assert_int_equal(records(h)[0].start_ns, i + 1 - n);
		assert_int_equal(records(h)[n - 1].start_ns, i);
	}
	assert_int_equal(history_dropped(h), 900);
	assert_int_equal(history_count(h, EV_TURN), 0);
	history_free(h);
	history_free(NULL);
}

static void test_walk(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct history_walk w;
	const struct ev_offcpu *o;

	(void)state;
	assert_int_equal(history_index(h), 0);
	w = history_walk(h, EV_OFFCPU, 7, 0);
	assert_null(history_next(&w));
	add(h, 7, 30, 40);
	add(h, 8, 31, 32);
	add(h, 7, 10, 20);	/* late, from another processor's ring */
	add(h, 6, 1, 2);
	assert_int_equal(history_index(h), 0);
	w = history_walk(h, EV_OFFCPU, 7, 20);
	o = history_next(&w);
	assert_int_equal(o->start_ns, 10);
	o = history_next(&w);
	assert_int_equal(o->start_ns, 30);
	assert_null(history_next(&w));
	w = history_walk(h, EV_OFFCPU, 7, 21);
	o = history_next(&w);
	assert_int_equal(o->start_ns, 30);
	w = history_walk_all(h, EV_OFFCPU);
	o = history_next(&w);
	assert_int_equal(o->tid, 6);
	history_free(h);
}

static void test_forget(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = { .head.time_ns = 9 * S };

	(void)state;
	history_add(h, EV_EXCHANGE, &x);
	for (uint64_t i = 1; i <= 9; i++)
		add(h, 1, i * S - 1, i * S);
	assert_int_equal(history_since(h, EV_OFFCPU, 9 * S), 7);	/* as late as may be */
	history_forget(h, 5 * S);
	assert_int_equal(history_count(h, EV_EXCHANGE), 0);
	assert_int_equal(history_count(h, EV_OFFCPU), 5);
	assert_int_equal(records(h)[0].head.time_ns, 5 * S);
	assert_int_equal(history_since(h, EV_OFFCPU, 0), 0);
	assert_int_equal(history_dropped(h), 0);
	history_free(h);
}

/* An exchange of 10 ms that ends at `end`: 2 ms in dispatch, 8 ms in service. */
static struct exchange_info exchange(uint64_t number, uint64_t end, uint64_t latency)
{
	struct exchange_info x = { .ex = { .head = { .kind = EV_EXCHANGE, .time_ns = end },
					   .conn = 1, .number = number, .latency_ns = latency,
					   .tid = 7, .reader_tid = 7 } };

	x.ex.stage_ns[STAGE_DISPATCH] = latency / 5;
	x.ex.stage_ns[STAGE_SERVICE] = latency - latency / 5;
	return x;
}

/* The slowest stay, each with what happened in it, even when that is forgotten later. */
static void test_worst(void **state)
{
	static const uint64_t latency_ms[] = { 10, 30, 20, 5, 40 };
	struct history *h = history_new(2);
	struct worst w;

	(void)state;
	assert_int_equal(worst_init(&w, 3, true), 0);
	for (uint64_t i = 0; i < 5; i++) {
		uint64_t end = (i + 1) * S, latency = latency_ms[i] * MS;
		struct exchange_info x = exchange(i, end, latency);

		add(h, 7, end - i * MS - MS, end);
		add(h, 8, end - MS, end);	/* another thread */
		worst_add(&w, &x, h);
	}
	assert_int_equal(w.n, 3);
	assert_int_equal(w.list[0].ex.number, 4);
	assert_int_equal(w.list[1].ex.number, 1);
	assert_int_equal(w.list[2].ex.number, 2);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(w.waterfalls[i].n, 1);
		assert_int_equal(w.waterfalls[i].part[0].stage, STAGE_SERVICE);
		assert_int_equal(w.waterfalls[i].part[0].what, WATERFALL_BLOCKED);
		assert_int_equal(w.waterfalls[i].part[0].ns, (w.list[i].ex.number + 1) * MS);
	}
	worst_free(&w);
	assert_int_equal(worst_init(&w, 0, false), 0);
	worst_add(&w, &(struct exchange_info){ .ex.latency_ns = 1 }, h);
	assert_int_equal(w.n, 0);
	worst_free(&w);
	history_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_worst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
