/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_clocks.c - a length names a clock only where waits have that length and the evidence allows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "explain/clocks.h"
#include "finding_server.h"

static const struct clock *at(enum clock_place place, uint64_t ns, unsigned evidence)
{
	const struct cluster c = { 10, ns, ns, ns };

	return clock_find(place, &c, evidence);
}

/* The limits of each, and the place and the evidence that it needs. */
static void test_limits(void **state)
{
	static const struct {
		enum clock_place place;
		uint64_t least, most;
		unsigned needs;
		const char *words;
	} rows[] = {
		{ CLOCK_REQUEST, 38 * MS, 51 * MS, 0, "delayed acknowledgement" },
		{ CLOCK_REQUEST, 198 * MS, 225 * MS, 0, "200 ms" },
		{ CLOCK_REQUEST, 980 * MS, 1050 * MS, 0, "100 Continue" },
		{ CLOCK_ANSWER_NAGLE, 38 * MS, 51 * MS, 0, "delayed acknowledgement" },
		{ CLOCK_TIMED_LOCK, 4900000, 6 * MS, CLOCK_PYTHON, "switch interval" },
		{ CLOCK_POLL, 4950 * MS, 5100 * MS, 0, "resolver" },
		{ CLOCK_CONNECT, 990 * MS, 1080 * MS, 0, "SYN" },
		{ CLOCK_LOOP, 8 * MS, 14 * MS, CLOCK_GO, "goroutine" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct clock *least = at(rows[i].place, rows[i].least, rows[i].needs);

		assert_non_null(least);
		assert_non_null(strstr(least->words, rows[i].words));
		assert_ptr_equal(at(rows[i].place, rows[i].most, ~0U), least);
		assert_null(at(rows[i].place, rows[i].least - 1, ~0U));
		assert_null(at(rows[i].place, rows[i].most + 1, ~0U));
		if (rows[i].needs)
			assert_null(at(rows[i].place, rows[i].least, ~rows[i].needs));
	}
	assert_null(at(CLOCK_LOOP, 1000 * MS, ~0U));
	assert_null(at(CLOCK_TIMED_LOCK, 40 * MS, ~0U));
}

static void test_clusters(void **state)
{
	uint64_t ns[20];
	struct cluster c;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		ns[i] = (20 - i) * MS;
	c = cluster_of(ns, 20);
	assert_int_equal(c.count, 20);
	assert_int_equal(c.p10_ns, 3 * MS);
	assert_int_equal(c.p50_ns, 11 * MS);
	assert_int_equal(c.p90_ns, 18 * MS);
	assert_int_equal(cluster_of(ns, 0).count, 0);
	/* Too few, and too far apart. */
	c = (struct cluster){ 10, 40 * MS, 41 * MS, 50 * MS };
	assert_non_null(clock_find(CLOCK_REQUEST, &c, 0));
	c.p90_ns++;
	assert_null(clock_find(CLOCK_REQUEST, &c, 0));
	c = (struct cluster){ 9, 40 * MS, 40 * MS, 40 * MS };
	assert_null(clock_find(CLOCK_REQUEST, &c, 0));
}

/* All requests come with the same pause; the tail has what noise made of it. */
static void test_request(void **state)
{
	struct dist *receive;
	struct finding f;
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_RECEIVE, 60);
	receive = &s.r.stages[STAGE_RECEIVE].dist;
	*receive = (struct dist){ .count = 1000, .p50_ns = 43 * MS, .p90_ns = 46 * MS,
				  .p99_ns = 80 * MS };
	s.b.receive = (struct cluster){ 100, 50 * MS, 70 * MS, 120 * MS };
	f = first_finding(&s, "slow-request");
	expect_words(&f, "The pause is 43.0 ms: that is a delayed acknowledgement");
	expect_words(&f, "TCP_QUICKACK");
	expect_no_words(&f, "network is slow");
	/* The tail is another matter. */
	s.b.receive.p50_ns = 86 * MS + 1;
	f = first_finding(&s, "slow-request");
	expect_no_words(&f, "The pause is");
	expect_words(&f, "or the client waits for something of this side");
	/* It has a clock of its own. */
	s.b.receive = (struct cluster){ 100, 1000 * MS, 1001 * MS, 1010 * MS };
	f = first_finding(&s, "slow-request");
	expect_words(&f, "The pause is 1.00 s: clients");
	expect_words(&f, "If these do, this server does not send it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_clusters),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
