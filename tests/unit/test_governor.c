/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_governor.c - what is shed when a watch costs too much, and how it comes back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "watch/governor.h"

#define SECOND 1000000000ULL
#define ALL ((1u << SHED_STEPS) - 1)

#define STACKS	SHED_BIT(SHED_STACKS)
#define RECORDS SHED_BIT(SHED_RECORDS)
#define WINDOWS SHED_BIT(SHED_WINDOWS)
#define SPLITS	SHED_BIT(SHED_SPLITS)

/* A target that uses `busy` of a processor, and a watch whose cost is a share of that. */
struct run {
	struct governor g;
	uint64_t now, own, target;
};

static struct run begin(double share, uint32_t steps)
{
	struct run r = { .g = { .share = share, .steps = steps }, .now = 7 * SECOND };

	assert_int_equal(governor_feed(&r.g, r.now, 0, 0), 0);
	return r;
}

static uint32_t second(struct run *r, double own, double busy)
{
	r->now += SECOND;
	r->own += (uint64_t)(own * 1e9);
	r->target += (uint64_t)(busy * 1e9);
	return governor_feed(&r->g, r->now, r->own, r->target);
}

/* How many seconds of the same until what is shed changes; 1,000: it does not. */
static unsigned until_change(struct run *r, double own, double busy)
{
	uint32_t before = r->g.shed;

	for (unsigned n = 1; n < 1000; n++)
		if (second(r, own, busy) != before)
			return n;
	return 1000;
}

static void test_below(void **state)
{
	struct run r = begin(0.05, ALL);

	(void)state;
	assert_int_equal(until_change(&r, 0.049, 1), 1000);
	assert_int_equal(r.g.shed, 0);
}

/* One burst within the period is not too much, if the period as a whole is not. */
static void test_burst(void **state)
{
	struct run r = begin(0.05, ALL);

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(second(&r, i % 5 == 4 ? 0.09 : 0.03, 1), 0);
}

static void test_order(void **state)
{
	static const uint32_t order[] = { STACKS, STACKS | RECORDS, STACKS | RECORDS | WINDOWS, ALL };
	struct run r = begin(0.05, ALL);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(until_change(&r, 0.06, 1), 2);
		assert_int_equal(r.g.shed, order[i]);
	}
	/* There is nothing more. */
	assert_int_equal(until_change(&r, 0.06, 1), 1000);
	assert_int_equal(r.g.shed, ALL);
}

/* Far above it there is no need to look twice. */
static void test_far_above(void **state)
{
	struct run r = begin(0.001, RECORDS | SPLITS);

	(void)state;
	assert_int_equal(second(&r, 0.1, 1), RECORDS);
	assert_int_equal(second(&r, 0.1, 1), RECORDS | SPLITS);
	assert_int_equal(until_change(&r, 0.1, 1), 1000);
}

/* What a step saved must fit in again, and with some room. */
static void test_returns(void **state)
{
	struct run r = begin(0.05, ALL);

	(void)state;
	assert_int_equal(until_change(&r, 0.06, 1), 2);
	/* It saved 0.02: 0.04 now would make 0.06 again. */
	assert_int_equal(until_change(&r, 0.04, 1), 1000);
	assert_int_equal(r.g.shed, STACKS);
	/* 0.03 + 0.02 is the budget, without any room. */
	assert_int_equal(until_change(&r, 0.03, 1), 1000);
	assert_true(until_change(&r, 0.02, 1) >= GOVERNOR_WAIT_NS / SECOND);
	assert_int_equal(r.g.shed, 0);
	assert_int_equal(until_change(&r, 0.04, 1), 1000);
}

static void test_returns_step_by_step(void **state)
{
	static const uint32_t order[] = { STACKS | RECORDS, STACKS, 0 };
	struct run r = begin(0.05, STACKS | RECORDS | SPLITS);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		until_change(&r, 0.2, 1);
	assert_int_equal(r.g.shed, STACKS | RECORDS | SPLITS);
	/* The load is gone, and with it what the steps cost. */
	for (unsigned i = 0; i < 3; i++) {
		assert_true(until_change(&r, 0.002, 0.01) >= GOVERNOR_WAIT_NS / SECOND);
		assert_int_equal(r.g.shed, order[i]);
	}
}

/* What comes back and has to go at once waits for longer and longer, up to a limit. */
static void test_no_swing(void **state)
{
	struct run r = begin(0.05, RECORDS);
	uint64_t last = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(until_change(&r, 0.06, 1), 2);
		assert_int_equal(second(&r, 0.059, 1), RECORDS);	/* it hardly saves anything */
		assert_true(until_change(&r, 0.01, 1) < 1000);
		assert_int_equal(r.g.shed, 0);
		assert_true(r.g.wait_ns == (i ? 2 * last : GOVERNOR_WAIT_NS) ||
			    r.g.wait_ns == GOVERNOR_WAIT_MAX_NS);
		last = r.g.wait_ns;
	}
	assert_true(last == GOVERNOR_WAIT_MAX_NS);
	/* It holds for long: the next time it counts as the first. */
	assert_int_equal(until_change(&r, 0.01, 1), 1000);
	assert_true(until_change(&r, 0.08, 1) <= 5);
	assert_true(r.g.wait_ns == GOVERNOR_WAIT_NS);
}

/* A target that sleeps: our clock ticks are not a matter of the budget. */
static void test_idle(void **state)
{
	struct run r = begin(0.02, ALL);

	(void)state;
	assert_int_equal(until_change(&r, 0.004, 0), 1000);
	assert_true(until_change(&r, 0.006, 0) <= GOVERNOR_PERIOD);
	assert_int_equal(r.g.shed, STACKS);
}

static void test_same_time(void **state)
{
	struct run r = begin(0.02, ALL);

	(void)state;
	assert_int_equal(governor_feed(&r.g, r.now, 5 * SECOND, 0), 0);
}

static void test_shares(void **state)
{
	struct budget_info b = { .share = 0.1, .own_ns = 5, .target_ns = 100 };
	struct shed_info s = { .ns = 10, .exchanges = 30 };

	(void)state;
	assert_true(budget_measured(&b) == 0.05);
	b.target_ns = 0;
	assert_true(isnan(budget_measured(&b)));
	assert_true(shed_share(&s, 100, 100) == 0.3);
	assert_true(shed_share(&s, 20, 100) == 0.5);
	assert_true(shed_share(&s, 0, 0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_far_above),
		cmocka_unit_test(test_returns),
		cmocka_unit_test(test_returns_step_by_step),
		cmocka_unit_test(test_no_swing),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_same_time),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
