/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_json.c - the JSON writer: commas, escapes, invalid UTF-8, numbers in any locale. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

struct fixture {
	struct json j;
	FILE *out;
	char *text;
	size_t len;
};

static void begin(struct fixture *f, unsigned pretty)
{
	f->out = open_memstream(&f->text, &f->len);
	assert_non_null(f->out);
	json_start(&f->j, f->out, pretty);
}

static void expect(struct fixture *f, const char *want)
{
	json_finish(&f->j);
	fclose(f->out);
	assert_string_equal(f->text, want);
	free(f->text);
}

static void test_nesting(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 0);
	json_object(&f.j, NULL);
	json_u64(&f.j, "max", UINT64_MAX);
	json_array(&f.j, "list");
	json_u64(&f.j, NULL, 0);
	json_object(&f.j, NULL);
	json_object_end(&f.j);
	json_array(&f.j, NULL);
	json_array_end(&f.j);
	json_null(&f.j, NULL);
	json_array_end(&f.j);
	json_bool(&f.j, "yes", true);
	json_bool(&f.j, "no", false);
	json_object_end(&f.j);
	expect(&f, "{\"max\":18446744073709551615,\"list\":[0,{},[],null],\"yes\":true,"
		   "\"no\":false}\n");
}

static void test_pretty(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	json_object(&f.j, NULL);
	json_u64(&f.j, "a", 1);
	json_array(&f.j, "b");
	json_u64(&f.j, NULL, 2);
	json_u64(&f.j, NULL, 3);
	json_array_end(&f.j);
	json_object(&f.j, "c");
	json_object_end(&f.j);
	json_object_end(&f.j);
	expect(&f, "{\n  \"a\": 1,\n  \"b\": [2, 3],\n  \"c\": {}\n}\n");
}

static void check_bytes(const char *s, size_t len, const char *want)
{
	struct fixture f;

	begin(&f, 0);
	json_bytes(&f.j, NULL, s, len);
	expect(&f, want);
}

#define BAD "\xef\xbf\xbd"

static void test_strings(void **state)
{
	(void)state;
	check_bytes("plain", 5, "\"plain\"\n");
	check_bytes("a\"b\\c", 5, "\"a\\\"b\\\\c\"\n");
	check_bytes("\n\t\r\x1b\x7f\x01", 6, "\"\\n\\t\\u000d\\u001b\\u007f\\u0001\"\n");
	check_bytes("caf\xc3\xa9 \xf0\x9f\x98\x80", 10, "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"\n");
	/* unterminated, and ended early by a NUL */
	check_bytes("abcdef", 3, "\"abc\"\n");
	check_bytes("ab\0cd", 5, "\"ab\"\n");
	check_bytes(NULL, 0, "null\n");
	/* C1 control, right-to-left override and a tag character */
	check_bytes("\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81", 9,
		    "\"\\u009b\\u202e\\udb40\\udc01\"\n");
}

static void test_invalid_utf8(void **state)
{
	(void)state;
	check_bytes("\xff", 1, "\"" BAD "\"\n");
	check_bytes("a\xc3", 2, "\"a" BAD "\"\n");
	check_bytes("\xe2\x82", 2, "\"" BAD BAD "\"\n");
	check_bytes("\xc3(", 2, "\"" BAD "(\"\n");
	/* overlong, surrogate, above U+10FFFF, lone continuation */
	check_bytes("\xc0\xaf", 2, "\"" BAD BAD "\"\n");
	check_bytes("\xe0\x80\xaf", 3, "\"" BAD BAD BAD "\"\n");
	check_bytes("\xed\xa0\x80", 3, "\"" BAD BAD BAD "\"\n");
	check_bytes("\xf4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\"\n");
	check_bytes("\x80", 1, "\"" BAD "\"\n");
}

static void check_double(double value, const char *want)
{
	struct fixture f;

	begin(&f, 0);
	json_double(&f.j, NULL, value);
	expect(&f, want);
}

static void check_doubles(void)
{
	check_double(0, "0\n");
	check_double(0.1, "0.1\n");
	check_double(-2.5, "-2.5\n");
	check_double(1.0 / 3, "0.3333333333333333\n");
	check_double(1e300, "1e+300\n");
	check_double(1.5e-9, "1.5e-09\n");
	check_double((double)NAN, "null\n");
	check_double((double)INFINITY, "null\n");
}

static void test_doubles(void **state)
{
	(void)state;
	check_doubles();
}

/* A locale with a decimal comma, where the machine has one. */
static void test_doubles_in_other_locale(void **state)
{
	static const char *const names[] = { "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "ps_AF.UTF-8" };
	bool any = false;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!setlocale(LC_ALL, names[i]))
			continue;
		any = true;
		check_doubles();
	}
	setlocale(LC_ALL, "C");
	if (!any)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_invalid_utf8),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_doubles_in_other_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
