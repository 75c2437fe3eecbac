/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_flame_svg.c - numbers and names in the picture; order, stages, colours, what is left out. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flamegraph/flamegraph.h"
#include "flamegraph/text.h"

static struct flame_tree *tree_of(const char *const lines[])
{
	struct flame_tree *t = flame_new();

	for (; *lines; lines++)
		assert_int_equal(flame_parse_line(t, *lines, strlen(*lines), FLAME_COLUMNS_AUTO), 0);
	return t;
}

static char *draw(const struct flame_tree *t, const struct flame_svg *options,
		  struct flame_svg_stats *stats)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(flame_write_svg(t, options, out, stats), 0);
	fclose(out);
	return text;
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("expected %s in the picture", part);
}

static void test_numbers(void **state)
{
	static const struct { uint64_t ns; const char *text; } times[] = {
		{ 0, "0 ns" }, { 999, "999 ns" }, { 1000, "1.00 us" }, { 1234, "1.23 us" },
		{ 9994, "9.99 us" }, { 9996, "10.0 us" }, { 99940, "99.9 us" }, { 99960, "100 us" },
		{ 999499, "999 us" }, { 999500, "1.00 ms" }, { 1000000, "1.00 ms" },
		{ 12345678, "12.3 ms" }, { 4200000000, "4.20 s" }, { 1234567000000000, "1,234,567 s" },
		{ UINT64_MAX, "18,446,744,074 s" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_string_equal(flame_format_ns(times[i].ns).s, times[i].text);
	assert_string_equal(format_count(UINT64_MAX).s, "18,446,744,073,709,551,615");
	assert_string_equal(format_count(1000).s, "1,000");
	assert_string_equal(flame_format_share(1, 3).s, "33.33 %");
	assert_string_equal(flame_format_share(2, 3).s, "66.67 %");
	assert_string_equal(flame_format_share(1, UINT64_MAX).s, "<0.01 %");
	assert_string_equal(flame_format_share(0, 5).s, "0.00 %");
	assert_string_equal(flame_format_share(UINT64_MAX, UINT64_MAX).s, "100.00 %");
	assert_string_equal(flame_format_share(0, 0).s, "0.00 %");
}

static void check_xml(const char *s, size_t len, unsigned columns, const char *want)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	flame_put_xml(out, s, len, columns);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void test_xml(void **state)
{
	(void)state;
	check_xml("<script>]]>&\"'", 14, 99, "&lt;script&gt;]]&gt;&amp;&quot;'");
	check_xml("\x1b[31m\n\0\x7f", 8, 99, "\\x1b[31m\\x0a\\x00\\x7f");
	check_xml("\xff\xc3\xa4\xe2\x82", 5, 99, "\\xff\xc3\xa4\\xe2\\x82");
	check_xml("\xe2\x80\xae\xef\xbf\xbf\xed\xa0\x80\xc0\x80", 11, 99,
		  "\\xe2\\x80\\xae\\xef\\xbf\\xbf\\xed\\xa0\\x80\\xc0\\x80");
	check_xml("abcdef", 6, 6, "abcdef");
	check_xml("abcdefg", 7, 6, "abcde…");
	check_xml("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 9, 5, "\xe6\x97\xa5\xe6\x9c\xac…");
	check_xml("", 0, 0, "");
}

static void test_frames(void **state)
{
	static const char *const lines[] = { "b;read_[k] 25", "a 50", "b 25", NULL };
	struct flame_tree *t = tree_of(lines);
	struct flame_svg_stats stats;
	char *svg = draw(t, &(struct flame_svg){ .unit = FLAME_SAMPLES }, &stats);

	(void)state;
	assert_int_equal(stats.drawn, 3);
	assert_int_equal(stats.omitted, 0);
	expect_in(svg, "data-f=\"0 0 100\"><title>all: 100 samples\n100 samples, 100.00 %</title>");
	expect_in(svg, "data-f=\"1 0 50\"><title>a\n50 samples, 50.00 %</title><rect x=\"0\" "
		       "y=\"18\" width=\"589.4\"");
	expect_in(svg, "data-f=\"1 50 50\"><title>b\n50 samples, 50.00 %\nitself: 25 samples</title>"
		       "<rect x=\"590\"");
	expect_in(svg, "<g class=\"k");
	assert_null(strstr(svg, "not drawn"));
	free(svg);
	flame_free(t);
}

static void test_stages(void **state)
{
	static const char *const lines[] = { "service;f 5", "accept;g 1", "other 2", "busy 3", NULL };
	static const char *const stages[] = { "accept", "busy", "dispatch", "service", NULL };
	struct flame_tree *t = tree_of(lines);
	char *svg = draw(t, &(struct flame_svg){ .stages = stages }, NULL);

	(void)state;
	expect_in(svg, "<g class=\"s0\" data-f=\"1 0 1\"><title>accept\n");
	expect_in(svg, "<g class=\"s0\" data-f=\"1 1 3\"><title>busy\n");
	expect_in(svg, "<g class=\"s0\" data-f=\"1 4 5\"><title>service\n");
	expect_in(svg, "data-f=\"1 9 2\"><title>other\n");
	free(svg);
	flame_free(t);
}

static void test_omitted(void **state)
{
	static const char *const lines[] = { "a 999900", "b;c 84", "d 15", "e 1", NULL };
	struct flame_tree *t = tree_of(lines);
	struct flame_svg_stats stats;
	char *svg = draw(t, &(struct flame_svg){ 0 }, &stats);

	(void)state;
	assert_int_equal(stats.drawn, 1);
	assert_int_equal(stats.omitted, 4);
	expect_in(svg, "4 frames below 0.0085 % not drawn, and not searched.");
	free(svg);
	svg = draw(t, &(struct flame_svg){ .min_share_ppm = 15 }, &stats);
	assert_int_equal(stats.drawn, 4);
	expect_in(svg, "1 frame below 0.0015 % not drawn");
	free(svg);
	flame_free(t);
}

static void test_difference(void **state)
{
	static const char *const lines[] = { "a 30 10", "b 20 10", "c 0 10", "d 50 0", NULL };
	struct flame_tree *t = tree_of(lines);
	char *svg = draw(t, &(struct flame_svg){ .value_name = "tail", .base_name = "<typical>" },
			 NULL);

	(void)state;
	expect_in(svg, "<g class=\"m1\" data-f=\"1 0 10\"><title>a\ntail: 10 ns, 33.33 %\n"
		       "&lt;typical&gt;: 30 ns, 30.00 %\n+3.33 points</title>");
	expect_in(svg, "<g class=\"m2\" data-f=\"1 10 10\"");
	expect_in(svg, "<g class=\"m6\" data-f=\"1 20 10\"");
	expect_in(svg, "50.00 % of &lt;typical&gt; is in stacks that are not in tail, and not drawn.");
	expect_in(svg, "33.33 percentage points is the strongest colour.");
	free(svg);
	flame_free(t);
}

/* A base's share may be far below the least that is drawn; its words hold a "<". */
static void test_small_base(void **state)
{
	static const char *const lines[] = { "a 1000000 50", "b 1 50", "c 2 0", NULL };
	struct flame_tree *t = tree_of(lines);
	char *svg = draw(t, &(struct flame_svg){ 0 }, NULL);

	(void)state;
	expect_in(svg, "base: 1 ns, &lt;0.01 %\n+50.00 points</title>");
	expect_in(svg, "&lt;0.01 % of base is in stacks that are not in this");
	free(svg);
	flame_free(t);
}

static void test_empty(void **state)
{
	struct flame_tree *t = flame_new();
	char *svg = draw(t, &(struct flame_svg){ 0 }, NULL);

	(void)state;
	expect_in(svg, "No stacks.");
	free(svg);
	flame_free(t);
}

/* Whatever the order of the stacks, and the locale. */
static void test_stable(void **state)
{
	static const char *const lines[] = { "a;b 3", "a;c 7", "d 11", NULL };
	static const char *const turned[] = { "d 11", "a;c 7", "a;b 1", "a;b 2", NULL };
	struct flame_tree *one = tree_of(lines), *two = tree_of(turned);
	char *a = draw(one, &(struct flame_svg){ 0 }, NULL), *b;

	(void)state;
	setlocale(LC_ALL, "de_DE.UTF-8");
	b = draw(two, &(struct flame_svg){ 0 }, NULL);
	setlocale(LC_ALL, "C");
	assert_string_equal(a, b);
	free(a);
	free(b);
	flame_free(one);
	flame_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_xml),
		cmocka_unit_test(test_frames), cmocka_unit_test(test_stages),
		cmocka_unit_test(test_omitted), cmocka_unit_test(test_difference),
		cmocka_unit_test(test_small_base), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
