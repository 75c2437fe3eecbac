/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_flame_golden.c - pictures and folded text, byte for byte as in tests/golden/flame.
 *
 * With UPDATE_GOLDEN=1 it writes them anew instead: then look at them before you commit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flamegraph/flamegraph.h"

#define FOLDER "tests/golden/flame/"

static const char *const stages[] = { "accept", "receive", "wakeup", "runqueue", "busy", "return",
				      "dispatch", "service", NULL };

static struct flame_tree *tree_of(const char *path)
{
	struct flame_read read = { 0 };
	struct flame_tree *t = flame_new();
	FILE *in = fopen(path, "r");

	if (!in)
		fail_msg("expected %s, in the top folder", path);
	assert_int_equal(flame_read_folded(t, in, &read), 0);
	assert_int_equal(read.bad, 0);
	fclose(in);
	return t;
}

static void expect_file(const char *path, const char *text, size_t len)
{
	const char *update = getenv("UPDATE_GOLDEN");
	FILE *f = fopen(path, update ? "w" : "r");
	char *want = malloc(len + 2);
	size_t n;

	if (!f)
		fail_msg("expected %s, in the top folder", path);
	if (update) {
		assert_int_equal(fwrite(text, 1, len, f), len);
	} else {
		n = fread(want, 1, len + 1, f);
		for (size_t i = 0; i < n || i < len; i++) {
			if (i >= n || i >= len || want[i] != text[i])
				fail_msg("expected %s, got another byte at %zu of %zu", path, i, len);
		}
	}
	free(want);
	fclose(f);
}

static void check_svg(const struct flame_tree *t, const struct flame_svg *options, const char *path)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(flame_write_svg(t, options, out, NULL), 0);
	fclose(out);
	expect_file(path, text, len);
	free(text);
}

static void test_tail(void **state)
{
	struct flame_tree *t = tree_of(FOLDER "tail.folded");

	(void)state;
	check_svg(t, &(struct flame_svg){ .title = "Where the tail of nginx went", .stages = stages,
					  .subtitle = "1,204 exchanges at or above the P99" },
		  FOLDER "tail.svg");
	flame_free(t);
}

static void test_difference(void **state)
{
	struct flame_tree *t = tree_of(FOLDER "tail.folded");
	struct flame_tree *base = tree_of(FOLDER "typical.folded");

	(void)state;
	assert_int_equal(flame_set_base(t, base), 0);
	check_svg(t, &(struct flame_svg){ .title = "The tail against typical exchanges",
					  .value_name = "tail", .base_name = "typical",
					  .stages = stages, .icicle = true },
		  FOLDER "difference.svg");
	flame_free(base);
	flame_free(t);
}

static void test_hostile(void **state)
{
	struct flame_tree *t = tree_of(FOLDER "hostile.folded");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	check_svg(t, &(struct flame_svg){ .title = "<&\x1b>", .unit = FLAME_SAMPLES },
		  FOLDER "hostile.svg");
	assert_int_equal(flame_write_folded(t, out), 0);
	fclose(out);
	expect_file(FOLDER "hostile.written", text, len);
	free(text);
	flame_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tail), cmocka_unit_test(test_difference),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
