/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_term.c - units, times, addresses, hostile bytes, columns and wrapping. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/term.h"

static void test_ns(void **state)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} cases[] = {
		{ 0, "0 ns" },
		{ 999, "999 ns" },
		{ 1000, "1.00 us" },
		{ 1234, "1.23 us" },
		{ 12345, "12.3 us" },
		{ 123456, "123 us" },
		{ 999499, "999 us" },
		{ 999500, "1.00 ms" },
		{ 9999, "10.00 us" },
		{ 1234567, "1.23 ms" },
		{ 5310000, "5.31 ms" },
		{ 2500000000, "2.50 s" },
		{ 600000000000, "600 s" },
		{ 1002000000000, "16.7 min" },
		{ 86400000000000 * 100, "100 d" },
		{ UINT64_MAX, "213504 d" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format_ns(cases[i].ns).s, cases[i].want);
}

static void test_counts(void **state)
{
	(void)state;
	assert_string_equal(format_count(0).s, "0");
	assert_string_equal(format_count(999).s, "999");
	assert_string_equal(format_count(1000).s, "1,000");
	assert_string_equal(format_count(123456).s, "123,456");
	assert_string_equal(format_count(UINT64_MAX).s, "18,446,744,073,709,551,615");
	assert_string_equal(format_short(999).s, "999");
	assert_string_equal(format_short(1234).s, "1.23k");
	assert_string_equal(format_short(999999).s, "1.00M");
	assert_string_equal(format_short(UINT64_MAX).s, "18.4E");
	assert_string_equal(format_fit(999999, 7).s, "999,999");
	assert_string_equal(format_fit(999999, 6).s, "1.00M");
}

static void test_shares_and_decimals(void **state)
{
	(void)state;
	assert_string_equal(format_share(0).s, "0 %");
	assert_string_equal(format_share(0.00001).s, "<0.1 %");
	assert_string_equal(format_share(0.0042).s, "0.4 %");
	assert_string_equal(format_share(0.01).s, "1 %");
	assert_string_equal(format_share(0.824).s, "82 %");
	assert_string_equal(format_share(0.9999).s, "100 %");
	assert_string_equal(format_share(-1).s, "0 %");
	assert_string_equal(format_share((double)NAN).s, "-");
	assert_string_equal(format_decimal(1234.56, 1).s, "1234.6");
	assert_string_equal(format_decimal(0.0004, 3).s, "0.000");
	assert_string_equal(format_decimal(-0.0004, 3).s, "0.000");
	assert_string_equal(format_decimal(-1.5, 1).s, "-1.5");
	assert_string_equal(format_decimal(511.5, 0).s, "512");
	assert_string_equal(format_decimal((double)INFINITY, 0).s, "-");
}

static void test_times(void **state)
{
	uint64_t ns = UINT64_C(951827696123456789);	/* a leap day */

	(void)state;
	assert_string_equal(format_time(ns, 6).s, "2000-02-29T12:34:56.123456Z");
	assert_string_equal(format_time(ns, 3).s, "2000-02-29T12:34:56.123Z");
	assert_string_equal(format_time(ns, 0).s, "2000-02-29T12:34:56Z");
	assert_string_equal(format_time(0, 3).s, "1970-01-01T00:00:00.000Z");
	assert_string_equal(format_clock(ns, 6).s, "12:34:56.123456");
	assert_string_equal(format_clock(ns, 3).s, "12:34:56.123");
	assert_string_equal(format_time(UINT64_MAX, 6).s, "2554-07-21T23:34:33.709551Z");
}

static void test_addresses(void **state)
{
	struct flow v4 = { .family = AF_INET, .local_port = 80, .remote_port = 65535,
			   .local = { 127, 0, 0, 1 }, .remote = { 10, 1, 2, 3 } };
	struct flow v6 = { .family = AF_INET6, .local_port = 443, .remote_port = 1,
			   .local = { [15] = 1 },
			   .remote = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 9 } };
	struct flow none = { .family = 0, .local_port = 7 };

	(void)state;
	assert_string_equal(format_end(&v4, END_LOCAL).s, "127.0.0.1:80");
	assert_string_equal(format_end(&v4, END_REMOTE).s, "10.1.2.3:65535");
	assert_string_equal(format_addr(&v4, END_REMOTE).s, "10.1.2.3");
	assert_string_equal(format_end(&v6, END_LOCAL).s, "[::1]:443");
	assert_string_equal(format_addr(&v6, END_LOCAL).s, "::1");
	assert_string_equal(format_end(&v6, END_REMOTE).s, "192.0.2.9:1");
	assert_string_equal(format_addr(&v6, END_REMOTE).s, "192.0.2.9");
	assert_string_equal(format_end(&none, END_LOCAL).s, "?:7");
}

static void check_escape(const char *s, size_t len, const char *want)
{
	char out[128];

	assert_int_equal(escape_text(out, sizeof(out), s, len), strlen(want));
	assert_string_equal(out, want);
}

/* One list for terminals, names and pictures: what one of them must not show, none shows. */
static void test_hostile(void **state)
{
	static const uint32_t hostile[] = { 0, 0x1b, 0x7f, 0x9b, 0xad, 0x61c, 0x180e, 0x200b, 0x202e,
					    0x2066, 0xfdd0, 0xfeff, 0xfff9, 0xfffe, 0xffff, 0x1fffe,
					    0xe0041, 0x10ffff };
	static const uint32_t harmless[] = { ' ', '~', 0xa0, 0xe9, 0x180d, 0x2027, 0x2030, 0xfdcf,
					     0xfdf0, 0xfffc, 0xfffd, 0x1f600, 0x10fffd };

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		assert_true(utf8_hostile(hostile[i]));
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		assert_false(utf8_hostile(harmless[i]));
}

static void test_escapes(void **state)
{
	(void)state;
	check_escape("nginx: worker", 13, "nginx: worker");
	check_escape("a\x1b[31m\r\n\t\x7f", 10, "a\\x1b[31m\\x0d\\x0a\\x09\\x7f");
	check_escape("\\", 1, "\\x5c");
	check_escape("\xff\xc3", 2, "\\xff\\xc3");
	check_escape("caf\xc3\xa9", 5, "caf\xc3\xa9");
	check_escape("caf\xc3\xa9", 4, "caf\\xc3");
	check_escape("\xc2\x9b\xe2\x80\xae", 5, "\\xc2\\x9b\\xe2\\x80\\xae");
	check_escape(") R 1 (", 7, ") R 1 (");
	check_escape("ab\0cd", 5, "ab");
	check_escape("abcdef", 2, "ab");
	check_escape("", 0, "");
}

/* Never an escape or a character cut in two, whatever the room. */
static void test_escape_room(void **state)
{
	static const char text[] = "a\x1b\xc3\xa9z";
	static const char *const want[] = {
		"", "", "a", "a", "a", "a", "a\\x1b", "a\\x1b", "a\\x1b\xc3\xa9", "a\\x1b\xc3\xa9z",
	};

	(void)state;
	for (size_t cap = 1; cap < sizeof(want) / sizeof(want[0]); cap++) {
		char *out = malloc(cap);

		assert_non_null(out);
		escape_text(out, cap, text, sizeof(text) - 1);
		assert_string_equal(out, want[cap]);
		free(out);
	}
}

static void test_comm(void **state)
{
	char full[16];

	(void)state;
	assert_string_equal(format_comm("redis\0xyz", 9, 15).s, "redis");
	assert_string_equal(format_comm("a-long-thread-nm", 16, 8).s, "a-long-~");
	assert_string_equal(format_comm("\xe6\x97\xa5\xe6\x97\xa5", 6, 4).s,
			    "\xe6\x97\xa5\xe6\x97\xa5");
	assert_string_equal(format_comm("\xe6\x97\xa5\xe6\x97\xa5", 6, 3).s, "\xe6\x97\xa5~");
	memset(full, 0xff, sizeof(full));
	assert_int_equal(text_columns(format_comm(full, sizeof(full), 100).s), 64);
	assert_int_equal(text_columns(format_comm(full, sizeof(full), 15).s), 15);
	assert_string_equal(format_comm("abc", 3, 0).s, "");
}

static void check_cell(const char *text, int width, const char *want)
{
	char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	assert_non_null(out);
	put_cell(out, text, width);
	fclose(out);
	assert_string_equal(got, want);
	free(got);
}

static void test_cells(void **state)
{
	(void)state;
	check_cell("ab", 4, "  ab");
	check_cell("ab", -4, "ab  ");
	check_cell("abcd", 4, "abcd");
	check_cell("abcde", 4, "abc~");
	check_cell("\xe6\x97\xa5", -4, "\xe6\x97\xa5  ");
	check_cell("\xe6\x97\xa5\xe6\x97\xa5", 3, "\xe6\x97\xa5~");
	check_cell("\xe6\x97\xa5\xe6\x97\xa5", 2, " ~");
	check_cell("abc", 0, "");
}

static void test_wrapping(void **state)
{
	struct style color = { .color = true };
	char *got = NULL, *line;
	struct para p;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	(void)state;
	assert_non_null(out);
	para_begin(&p, out, &color, "LABEL", 8);
	for (int i = 0; i < 60; i++)
		para_item(&p, ", ", "item %d", i);
	para_item(&p, "", ".");
	para_end(&p);
	fclose(out);
	assert_memory_equal(got, "\033[1mLABEL\033[0m   item 0, item 1", 27);
	line = strchr(got, '\n') + 1;
	assert_memory_equal(line, "        item ", 13);
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		assert_true(end - line <= TEXT_COLUMNS);
		assert_int_equal(end[-1], end[1] ? ',' : '.');
	}
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ns),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_shares_and_decimals),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_escape_room),
		cmocka_unit_test(test_comm),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_wrapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
