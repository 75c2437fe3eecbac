/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_hot_code.c - the innermost function of the application that holds half of a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/profile.h"

static const char *const slow[] = { "service", "web", "main", "handle", "slow_hash", "read_[k]" };
static const char *const fast[] = { "busy", "web", "main", "handle", "parse" };
static const char *const none[] = { "busy", "web", "[no stack]" };

static void test_innermost_half(void **state)
{
	struct flame_tree *t = flame_new();
	char name[64];

	(void)state;
	flame_add(t, slow, 6, 60);
	flame_add(t, fast, 5, 40);
	assert_int_equal(hot_code(t, name, sizeof(name)), 9);
	assert_string_equal(name, "slow_hash");
	assert_int_equal(hot_code(t, name, 5), 4);
	assert_string_equal(name, "slow");
	flame_free(t);
}

static void test_nobody(void **state)
{
	struct flame_tree *t = flame_new();
	char name[64] = "";

	(void)state;
	assert_int_equal(hot_code(t, name, sizeof(name)), 0);
	flame_add(t, none, 3, 60);
	flame_add(t, slow, 6, 40);
	assert_int_equal(hot_code(t, name, sizeof(name)), 0);
	flame_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_innermost_half),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
