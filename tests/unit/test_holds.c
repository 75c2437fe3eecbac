/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_holds.c - the open-loop wait against a simulated clock; which turns count; whose they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/hold_list.h"
#include "model/aggregate.h"

#define MS 1000000ULL
#define MOMENTS 20000	/* of a simulated watch, a nanosecond each */

static int u64_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* A request at every moment: it waits until the hold that it falls into is over. */
static size_t simulate(uint64_t *wait, struct open_loop *o, unsigned seed)
{
	size_t holds = 0;
	uint64_t at = 0;

	srand(seed);
	while (at < MOMENTS) {
		uint64_t idle = (uint64_t)rand() % 400, held = (uint64_t)rand() % (seed * 300);

		for (; idle && at < MOMENTS; idle--)
			wait[at++] = 0;
		if (held > MOMENTS - at)
			held = MOMENTS - at;
		if (held)
			assert_int_equal(open_loop_add(o, held, 1.0 / MOMENTS), 0);
		holds += held > 0;
		for (; held; held--)
			wait[at++] = held;
	}
	return holds;
}

/* P(wait > t) is a straight line between whole nanoseconds, a stair in the simulation. */
static void test_open_loop_equals_simulation(void **state)
{
	static const unsigned permille[] = { 500, 900, 990, 999 };
	static uint64_t wait[MOMENTS];

	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct open_loop o = { 0 };

		assert_true(simulate(wait, &o, seed) > 0);
		open_loop_sort(&o);
		qsort(wait, MOMENTS, sizeof(*wait), u64_order);
		for (unsigned i = 0; i < 4; i++) {
			uint64_t exact = wait[MOMENTS * permille[i] / 1000 - 1];
			uint64_t got = open_loop_wait_ns(&o, 1 - permille[i] / 1000.0);

			if (got + 1 < exact || got > exact + 1)
				fail_msg("seed %u, P%u: %llu, simulated %llu", seed, permille[i],
					 (unsigned long long)got, (unsigned long long)exact);
		}
		open_loop_free(&o);
	}
}

/* 20 holds of 50 ms in 10 s: 20 x (50 ms - t) = 100 ms at t = 45 ms. */
static void test_open_loop_by_hand(void **state)
{
	struct open_loop o = { 0 };

	(void)state;
	assert_int_equal(open_loop_wait_ns(&o, 0.01), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(open_loop_add(&o, 50 * MS, 1.0 / (10000 * MS)), 0);
	open_loop_sort(&o);
	assert_in_range(open_loop_wait_ns(&o, 0.01), 45 * MS - 1, 45 * MS + 1);
	assert_int_equal(open_loop_wait_ns(&o, 0.5), 0);
	open_loop_free(&o);
}

static void turn_put(struct loop *l, uint64_t ns, uint64_t n)
{
	l->turn.bucket[hist_bucket(ns)] += n;
	l->turn.sum += n * ns;
	if (ns > l->turn.max)
		l->turn.max = ns;
	l->turns += n;
}

static struct loop loop_of(uint32_t tid, uint64_t exchanges)
{
	return (struct loop){ .pid = 7, .tid = tid, .exchanges = exchanges };
}

static struct ev_turn turn_of(uint32_t tid, uint64_t number, uint64_t start, uint64_t end)
{
	return (struct ev_turn){ .head = { .kind = EV_TURN, .time_ns = end }, .start_ns = start,
				 .pid = 7, .tid = tid, .turn = number };
}

static void test_counts(void **state)
{
	struct aggregate *a = aggregate_new();
	struct eventpoll_info ep[2] = { { .id = 1, .pid = 7 }, { .id = 2, .pid = 7 } };
	struct loop *loops = calloc(3, sizeof(*loops));
	struct holds h;

	(void)state;
	assert_non_null(a);
	assert_non_null(loops);
	loops[0] = loop_of(10, 900);
	loops[1] = loop_of(11, 100);
	loops[2] = loop_of(12, 0);	/* serves nobody */
	a->loops = loops;
	a->n_loops = 3;
	a->eventpolls = ep;
	a->n_eventpolls = 2;
	turn_put(&loops[0], 20000, 1000);
	turn_put(&loops[0], 50 * MS, 20);
	turn_put(&loops[1], 20000, 1000);
	turn_put(&loops[1], 3 * MS, 5);
	turn_put(&loops[2], 900 * MS, 5);

	assert_int_equal(holds_fill(&h, a, NULL, 0, 10000 * MS), 0);
	assert_true(h.known);
	assert_in_range(h.limit_ns, 980000, MS);
	assert_int_equal(h.count, 25);
	assert_int_equal(h.long_count, 20);
	assert_int_equal(h.max_ns, 50 * MS);
	/* 0.9 x 20 x (50 ms - t) = 100 ms at 44.4 ms: the middle of a bucket is 0.8 % off. */
	assert_in_range(h.p99_ns, 43800000, 45000000);
	free(h.worst);

	/* A thread that does not poll is no hold if another does. */
	ep[0].shared = 1;
	assert_int_equal(holds_fill(&h, a, NULL, 0, 10000 * MS), 0);
	assert_false(h.known);
	assert_int_equal(h.count, 0);
	free(h.worst);
	a->eventpolls = NULL;
	a->n_eventpolls = 0;
	aggregate_free(a);
}

/* Turns that are in no histogram count by themselves, with what waits behind them. */
static void test_in_progress(void **state)
{
	struct ev_turn turn = turn_of(10, 0, 1000 * MS, 5000 * MS);
	struct hold_list *l = calloc(1, sizeof(*l));
	struct aggregate *a = aggregate_new();
	struct holds h;

	(void)state;
	assert_non_null(l);
	assert_non_null(a);
	turn.flags = TURN_BEFORE | TURN_UNENDED;
	turn.syscall = ~0u;
	turn.waiting = 10;
	hold_list_turn(l, &turn);
	assert_int_equal(holds_fill(&h, a, l->hold, l->n, 4000 * MS), 0);
	assert_true(h.known);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.waiting, 10);
	assert_in_range(h.p99_ns, 3960 * MS - 1, 3960 * MS + 1);
	free(h.worst);
	aggregate_free(a);
	free(l);
}

static void test_whose(void **state)
{
	struct hold h = { .start_ns = 0, .end_ns = 60 * MS, .conn = 9, .conn_ns = 59 * MS };

	(void)state;
	assert_int_equal(hold_by(&h), HELD_CONN);
	h.conn_ns = 1 * MS;
	h.own_ns = 58 * MS;
	assert_int_equal(hold_by(&h), HELD_OWN);
	h.own_ns = 1 * MS;
	h.touched = 40;
	assert_int_equal(hold_by(&h), HELD_SEVERAL);
	h.touched = 0;
	assert_int_equal(hold_by(&h), HELD_UNKNOWN);

	/* Preempted behind an answer, it did no work; a timer that got half of a CPU did. */
	h.own_ns = 59 * MS;
	h.runnable_ns = 59 * MS;
	assert_int_equal(hold_by(&h), HELD_UNKNOWN);
	h.runnable_ns = 30 * MS;
	assert_int_equal(hold_by(&h), HELD_OWN);
}

/* An interval off the CPU may come before its turn or after it; another turn's says nothing. */
static void test_list(void **state)
{
	struct hold_list *l = calloc(1, sizeof(*l));
	struct ev_offcpu off = { .head.time_ns = 55 * MS, .start_ns = 6 * MS, .blocked_ns = 49 * MS,
				 .tid = 10, .turn = 3, .syscall = 230, .kind = OFFCPU_SLEEP };
	struct ev_behind behind = { .tid = 10, .turn = 3, .events = 8 };
	struct ev_turn turn = turn_of(10, 3, 5 * MS, 56 * MS);

	(void)state;
	assert_non_null(l);
	hold_list_offcpu(l, &off);
	hold_list_turn(l, &turn);
	hold_list_behind(l, &behind);
	assert_int_equal(l->hold[0].call, 230);
	assert_int_equal(l->hold[0].waiting, 8);

	turn = turn_of(10, 4, 100 * MS, 150 * MS);
	hold_list_turn(l, &turn);
	assert_int_equal(l->hold[1].call_ns, 0);
	off.turn = 4;
	off.head.time_ns = 149 * MS;
	hold_list_offcpu(l, &off);
	assert_int_equal(l->hold[1].call_ns, 49 * MS);

	/* The longest are kept, however many shorter ones come. */
	for (uint64_t i = 0; i < 4 * HOLDS_KEPT; i++) {
		turn = turn_of(11, i, 200 * MS, 202 * MS);
		hold_list_turn(l, &turn);
	}
	assert_int_equal(l->n, HOLDS_KEPT);
	assert_int_equal(hold_ns(&l->hold[0]), 51 * MS);
	hold_list_forget(l, 100 * MS);
	assert_int_equal(hold_ns(&l->hold[0]), 50 * MS);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_loop_equals_simulation),
		cmocka_unit_test(test_open_loop_by_hand),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_in_progress),
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("holds", tests, NULL, NULL);
}
