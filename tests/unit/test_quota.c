/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_quota.c - every control group of the target, of both versions, and those above it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "target/quota.h"

static void expect_group(const struct quotas *q, uint32_t i, uint32_t version, const char *path)
{
	assert_true(i < q->n);
	assert_int_equal(q->group[i].version, version);
	assert_string_equal(q->group[i].path, path);
}

static void test_groups(void **state)
{
	char first[] = "12:cpuset:/set\n4:cpu,cpuacct:/web/a\n0::/\n";
	char second[] = "4:cpuacct,cpu:/web/b\n3:cpuacct:/no\n0::/slice/b\n";
	struct quotas q = { 0 };

	(void)state;
	quotas_add(&q, first);
	assert_int_equal(q.n, 4);
	expect_group(&q, 0, 1, "/web/a");
	expect_group(&q, 1, 1, "/web");
	expect_group(&q, 2, 1, "");
	expect_group(&q, 3, 2, "");
	/* What is above both is there once. */
	quotas_add(&q, second);
	expect_group(&q, 4, 1, "/web/b");
	expect_group(&q, 5, 2, "/slice/b");
	expect_group(&q, 6, 2, "/slice");
	assert_int_equal(q.n, 7);
	assert_int_equal(q.left_out, 0);
}

/* More than there is room for, and a path that is too long, are counted. */
static void test_bounds(void **state)
{
	struct quotas q = { 0 };
	char line[512];

	(void)state;
	for (unsigned i = 0; i < QUOTA_GROUPS; i++) {
		snprintf(line, sizeof(line), "0::g%u\n", i);
		quotas_add(&q, line);
	}
	assert_int_equal(q.n, QUOTA_GROUPS);
	assert_int_equal(q.left_out, 0);
	strcpy(line, "0::one\n");
	quotas_add(&q, line);
	assert_int_equal(q.left_out, 1);
	strcpy(line, "0::");
	memset(line + 3, 'x', sizeof(q.group[0].path));
	line[3 + sizeof(q.group[0].path)] = '\0';
	quotas_add(&q, line);
	assert_int_equal(q.left_out, 2);
	strcpy(line, "no colons\n1:only\n:::\n");
	quotas_add(&q, line);
	assert_int_equal(q.n, QUOTA_GROUPS);
}

static void test_counts(void **state)
{
	struct quota_group g = { 0 };

	(void)state;
	quota_parse("nr_periods 40\nnr_throttled 7\nthrottled_time 123456789\n", &g);
	assert_int_equal(g.periods, 7);
	assert_int_equal(g.ns, 123456789);
	quota_parse("usage_usec 1\nnr_throttled 3\nthrottled_usec 250\n", &g);
	assert_int_equal(g.periods, 3);
	assert_int_equal(g.ns, 250000);
	/* A longer name that ends so is another. */
	quota_parse("x_nr_throttled 9\nusage_usec 5\n", &g);
	assert_int_equal(g.periods, 0);
	assert_int_equal(g.ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
