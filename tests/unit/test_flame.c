/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_flame.c - stacks as a tree, folded text in and out, one tree as another's base. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flamegraph/flamegraph.h"

static struct flame_tree *read_text(const char *text, struct flame_read *read)
{
	struct flame_tree *t = flame_new();
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(t);
	assert_non_null(in);
	assert_int_equal(flame_read_folded(t, in, read), 0);
	fclose(in);
	return t;
}

static void expect_folded(const struct flame_tree *t, const char *want)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(flame_write_folded(t, out), 0);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void check_folded(const char *in, const char *want)
{
	struct flame_read read = { 0 };
	struct flame_tree *t = read_text(in, &read);

	assert_int_equal(read.bad, 0);
	expect_folded(t, want);
	flame_free(t);
}

static void test_add(void **state)
{
	static const char *const ab[] = { "a", "b" }, *const a[] = { "a" }, *const c[] = { "c" };
	struct flame_tree *t = flame_new();

	(void)state;
	assert_int_equal(flame_add(t, ab, 0, 1), -EINVAL);
	assert_int_equal(flame_add(t, c, 1, 3), 0);
	assert_int_equal(flame_add(t, ab, 2, 1), 0);
	assert_int_equal(flame_add(t, ab, 2, UINT64_MAX - 6), 0);
	assert_int_equal(flame_add(t, a, 1, 2), 0);
	assert_int_equal(flame_total(t), UINT64_MAX);
	assert_int_equal(flame_add(t, ab, 2, 1), -EOVERFLOW);
	assert_int_equal(flame_total(t), UINT64_MAX);
	assert_int_equal(flame_nodes(t), 4);
	expect_folded(t, "a 2\na;b 18446744073709551610\nc 3\n");
	flame_free(t);
}

static void test_order(void **state)
{
	(void)state;
	check_folded("b;z 1\nb 2\na;b;c 3\nab 4\na 5\nb;a 6\na;b;c 1\r\n\n",
		     "a 5\na;b;c 4\nab 4\nb 2\nb;a 6\nb;z 1\n");
	/* Beginnings in common with the line before, whole frames or not. */
	check_folded("main;read 1\nmain;readv 2\nmain;re 3\nmain 4\nmain;read;x 5\nmain;read 6\n",
		     "main 4\nmain;re 3\nmain;read 7\nmain;read;x 5\nmain;readv 2\n");
}

static void test_names(void **state)
{
	(void)state;
	check_folded("a;;b 1\n; 2\n", "[unnamed];[unnamed] 2\na;[unnamed];b 1\n");
	check_folded("operator new(unsigned long, x) 1\nstd::map<int, a b>;f  7\n",
		     "operator new(unsigned long, x) 1\nstd::map<int, a b>;f\\x20 7\n");
	check_folded("worker\\x203 5\n3 4\nx;12 8\n", "3 4\nworker\\x203 5\nx;12 8\n");
	check_folded("\\x1b[31m\\x3b;\\xff\\x0a 1\n\\x00 2\n\\xZZ 3\n",
		     "\\x1b[31m\\x3b;\\xff\\x0a 1\n\\x5cx00 2\n\\xZZ 3\n");
	check_folded("\x1b;\xc3\xa4\xc3 1\n", "\\x1b;\xc3\xa4\\xc3 1\n");
	check_folded("\\x5cx41 1\n", "\\x5cx41 1\n");
}

static void test_bad_lines(void **state)
{
	struct flame_read read = { 0 };
	struct flame_tree *t = read_text("a 1\nno weight\n12\n 5\na -3\na 1.5\na x1\n"
					 "a 18446744073709551616\na 0009223372036854775808\n", &read);

	(void)state;
	assert_int_equal(read.lines, 2);
	assert_int_equal(read.bad, 7);
	assert_int_equal(read.first_bad, 2);
	expect_folded(t, "a 9223372036854775809\n");
	assert_int_equal(flame_parse_line(t, "a\0b 1", 5, FLAME_COLUMNS_AUTO), -EINVAL);
	assert_int_equal(flame_parse_line(t, "", 0, FLAME_COLUMNS_AUTO), -EINVAL);
	flame_free(t);
}

static void test_columns(void **state)
{
	struct flame_tree *t = flame_new();

	(void)state;
	assert_int_equal(flame_parse_line(t, "a;b 10 12", 9, FLAME_COLUMNS_ONE), 0);
	expect_folded(t, "a;b\\x2010 12\n");
	assert_false(flame_differential(t));
	assert_int_equal(flame_parse_line(t, "c 12", 4, FLAME_COLUMNS_TWO), -EINVAL);
	assert_int_equal(flame_parse_line(t, "c 0 12", 6, FLAME_COLUMNS_TWO), 0);
	assert_true(flame_differential(t));
	assert_int_equal(flame_parse_line(t, "c 3 0\n", 6, FLAME_COLUMNS_AUTO), 0);
	assert_int_equal(flame_base_total(t), 3);
	expect_folded(t, "a;b\\x2010 0 12\nc 3 12\n");
	flame_free(t);
}

static void test_base(void **state)
{
	struct flame_read read = { 0 };
	struct flame_tree *t = read_text("a;b 10\na;c 5\n", &read);
	struct flame_tree *base = read_text("a;c 7\nd;e 2\na 1\n", &read);

	(void)state;
	assert_int_equal(flame_set_base(t, base), 0);
	expect_folded(t, "a 1 0\na;b 0 10\na;c 7 5\nd;e 2 0\n");
	assert_int_equal(flame_total(t), 15);
	assert_int_equal(flame_base_total(t), 10);
	assert_int_equal(flame_set_base(t, base), 0);
	assert_int_equal(flame_base_total(t), 20);
	flame_free(base);
	flame_free(t);
}

static void test_depth(void **state)
{
	static const char *frames[FLAME_MAX_DEPTH + 9];
	struct flame_tree *t = flame_new();
	char *line = calloc(1, 2 * FLAME_MAX_DEPTH + 64), *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (size_t i = 0; i < FLAME_MAX_DEPTH + 9; i++) {
		frames[i] = "f";
		strcpy(line + 2 * i, "f;");
	}
	strcpy(line + 2 * (FLAME_MAX_DEPTH + 9) - 1, " 2");
	assert_int_equal(flame_add(t, frames, FLAME_MAX_DEPTH, 1), 0);
	assert_int_equal(flame_cut(t), 0);
	assert_int_equal(flame_add(t, frames, FLAME_MAX_DEPTH + 9, 1), 0);
	assert_int_equal(flame_parse_line(t, line, strlen(line), FLAME_COLUMNS_AUTO), 0);
	assert_int_equal(flame_cut(t), 2);
	assert_int_equal(flame_nodes(t), FLAME_MAX_DEPTH + 1);
	assert_int_equal(flame_self(t, FLAME_MAX_DEPTH), 4);
	assert_int_equal(flame_write_svg(t, &(struct flame_svg){ 0 }, out, NULL), 0);
	fclose(out);
	assert_non_null(strstr(text, "2 stacks were too deep and are cut."));
	free(text);
	free(line);
	flame_free(t);
}

/* Enough of everything to grow every table several times. */
static void test_many(void **state)
{
	struct flame_tree *t = flame_new();
	char name[3][16];
	const char *frames[] = { name[0], name[1], name[2] };
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name[0], sizeof(name[0]), "%u", i % 7);
		snprintf(name[1], sizeof(name[1]), "f%u", i % 1000);
		snprintf(name[2], sizeof(name[2]), "leaf%u", i);
		assert_int_equal(flame_add(t, frames, 3, i), 0);
		sum += i;
	}
	assert_int_equal(flame_total(t), sum);
	assert_int_equal(flame_nodes(t), 1 + 7 + 7000 + 20000);
	assert_int_equal(flame_set_base(t, t), 0);
	assert_int_equal(flame_nodes(t), 1 + 7 + 7000 + 20000);
	assert_int_equal(flame_base_total(t), sum);
	flame_free(t);
}

static void test_write_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct flame_read read = { 0 };
	struct flame_tree *t = read_text("a 1\n", &read);

	(void)state;
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(flame_write_folded(t, full), -EIO);
	assert_int_equal(flame_write_svg(t, &(struct flame_svg){ 0 }, full, NULL), -EIO);
	fclose(full);
	flame_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add), cmocka_unit_test(test_order),
		cmocka_unit_test(test_names), cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_columns), cmocka_unit_test(test_base),
		cmocka_unit_test(test_depth), cmocka_unit_test(test_many),
		cmocka_unit_test(test_write_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
