/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_sym_parse.c - tables, perf maps, kallsyms, maps and Go's function tables of every version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>

#include "symbols/process.h"

static const char *name_at(struct sym_table *t, uint64_t address)
{
	struct sym_entry *e = sym_table_find(t, address);

	return e ? t->names + e->name : "-";
}

static void add(struct sym_table *t, uint64_t start, uint64_t size, const char *name, uint32_t rank)
{
	assert_int_equal(sym_table_add(t, start, size, name, strlen(name), rank), 0);
}

static void test_table(void **state)
{
	struct sym_table t = { 0 };

	(void)state;
	assert_string_equal(name_at(&t, 5), "-");
	add(&t, 300, 50, "sized", SYM_RANK_SIZED);
	add(&t, 100, 1000, "label", 0);
	add(&t, 200, 10, "__alias", SYM_RANK_SIZED);
	add(&t, 200, 10, "alias", SYM_RANK_SIZED + 1);
	add(&t, 400, 100, "outer", SYM_RANK_SIZED);
	add(&t, 420, 10, "inner", SYM_RANK_SIZED);
	add(&t, 600, 10, "", SYM_RANK_SIZED);
	add(&t, UINT64_MAX - 9, 10, "last", SYM_RANK_SIZED);
	sym_table_finish(&t);
	assert_int_equal(t.n, 7);
	assert_string_equal(name_at(&t, 99), "-");
	assert_string_equal(name_at(&t, 100), "label");
	assert_string_equal(name_at(&t, 199), "label");
	assert_string_equal(name_at(&t, 200), "alias");
	assert_string_equal(name_at(&t, 210), "-");
	assert_string_equal(name_at(&t, 349), "sized");
	assert_string_equal(name_at(&t, 350), "-");
	assert_string_equal(name_at(&t, 425), "inner");
	assert_string_equal(name_at(&t, 430), "outer");
	assert_string_equal(name_at(&t, 605), "-");
	assert_string_equal(name_at(&t, UINT64_MAX), "last");
	sym_table_free(&t);
}

static void test_table_is_bounded(void **state)
{
	struct sym_table t = { .max_bytes = 100 };

	(void)state;
	add(&t, 1, 1, "a", 0);
	add(&t, 2, 1, "b", 0);
	add(&t, 3, 1, "c", 0);
	assert_int_equal(sym_table_add(&t, 4, 1, "dddd", 4, 0), -E2BIG);
	sym_table_free(&t);
}

static void test_perf_map(void **state)
{
	static const char text[] = "10 10 first\n0x18 4 LazyCompile:~f a.js:1\n18 2 later\n"
				   "zz 1 x\n30\n30 0 empty\n30 1 \nffffffffffffffff 10 wraps\n"
				   "11112222333344445 1 long\n40 8 cut";
	struct sym_table t = { 0 };
	int err;

	(void)state;
	assert_int_equal(sym_jit_read(text, sizeof(text) - 1, &t, &err), 6);
	assert_int_equal(err, 0);
	sym_table_finish(&t);
	assert_int_equal(t.n, 2);
	assert_string_equal(name_at(&t, 0x17), "first");
	assert_string_equal(name_at(&t, 0x19), "later");
	assert_string_equal(name_at(&t, 0x1a), "first");
	assert_string_equal(name_at(&t, 0x40), "-");
	sym_table_free(&t);
}

static void test_kallsyms(void **state)
{
	static const char text[] = "ffff0000 T first\nffff0000 T alias\nffff0100 t second\n"
				   "ffff0200 T _etext\nffff1000 D data\nfffff000 t in_module\t[m]\n"
				   "nonsense\nffff0300\n";
	static const char hidden[] = "0000000000000000 T first\n0000000000000000 t second\n";
	struct sym_table t = { 0 };

	(void)state;
	assert_int_equal(sym_kernel_read(text, sizeof(text) - 1, &t), 0);
	sym_table_finish(&t);
	assert_string_equal(name_at(&t, 0xfffeffff), "-");
	assert_string_equal(name_at(&t, 0xffff00ff), "first");
	assert_string_equal(name_at(&t, 0xffff01ff), "second");
	assert_string_equal(name_at(&t, 0xffff0200), "-");
	assert_string_equal(name_at(&t, 0xffff1000), "-");
	assert_string_equal(name_at(&t, 0xfffff001), "in_module\t[m]");
	assert_string_equal(name_at(&t, 0xfffff000 + (1 << 20)), "-");
	sym_table_free(&t);
	assert_int_equal(sym_kernel_read(hidden, sizeof(hidden) - 1, &t), -EACCES);
	sym_table_free(&t);
}

static void test_maps_line(void **state)
{
	struct sym_mapping m;
	const char *path;
	bool code;

	(void)state;
	path = sym_maps_parse("7f00-8f00 r-xp 00001000 fe:01 1234      /a b (deleted)", &m, &code);
	assert_string_equal(path, "/a b (deleted)");
	assert_int_equal(m.start, 0x7f00);
	assert_int_equal(m.end, 0x8f00);
	assert_int_equal(m.offset, 0x1000);
	assert_int_equal(m.inode, 1234);
	assert_true(code);
	path = sym_maps_parse("1000-2000 rw-p 00000000 00:00 0", &m, &code);
	assert_string_equal(path, "");
	assert_false(code);
	assert_null(sym_maps_parse("2000-1000 r-xp 0 00:00 0", &m, &code));
	assert_null(sym_maps_parse("x", &m, &code));
	assert_null(sym_maps_parse("", &m, &code));
}

/* --- Go: two functions, main.a at text + 0x10 and main.b at text + 0x30, up to text + 0x50 --- */

#define TEXT 0x401000

struct image {
	uint8_t bytes[512];
	size_t len;
};

static void put(struct image *i, uint64_t value, unsigned size)
{
	memcpy(i->bytes + i->len, &value, size);
	i->len += size;
}

static void put_text(struct image *i, const char *text)
{
	memcpy(i->bytes + i->len, text, strlen(text) + 1);
	i->len += strlen(text) + 1;
}

/* Names, then pairs and records; what the header must say of their places is returned. */
static void put_functions(struct image *i, unsigned size, uint64_t text, size_t *names, size_t *pairs)
{

	*names = i->len;
	put_text(i, "main.a");
	put_text(i, "main.b");
	i->len = (i->len + 7) & ~(size_t)7;
	*pairs = i->len;
	for (unsigned f = 0; f < 2; f++) {
		put(i, text + 0x10 + f * 0x20, size);
		put(i, 5 * size + f * (size + 4), size);
	}
	put(i, text + 0x50, size);
	for (unsigned f = 0; f < 2; f++) {
		put(i, text + 0x10 + f * 0x20, size);
		put(i, f * 7, 4);
	}
}

static void put_magic(struct image *i, uint32_t magic)
{
	*i = (struct image){ .len = 0 };
	put(i, magic, 4);
	put(i, 0, 2);
	put(i, 1, 1);
	put(i, 8, 1);
	put(i, 2, 8);
}

static void make_go(struct image *i, uint32_t magic, uint64_t text_start)
{
	bool relative = magic == 0xfffffff0 || magic == 0xfffffff1;
	size_t fields = relative ? 7 : 6, names, pairs;

	put_magic(i, magic);
	i->len = 8 + (fields + 1) * 8;
	put_functions(i, relative ? 4 : 8, relative ? 0 : TEXT, &names, &pairs);
	if (relative)
		memcpy(i->bytes + 8 + 2 * 8, &text_start, 8);
	memcpy(i->bytes + 8 + (relative ? 3 : 2) * 8, &names, 8);
	memcpy(i->bytes + 8 + fields * 8, &pairs, 8);
}

/* The oldest: the pairs follow the header, all offsets are from the start. */
static void make_go_2(struct image *i)
{
	const size_t records = 16 + 5 * 8, names = records + 2 * 12;

	put_magic(i, 0xfffffffb);
	for (unsigned f = 0; f < 2; f++) {
		put(i, TEXT + 0x10 + f * 0x20, 8);
		put(i, records + f * 12, 8);
	}
	put(i, TEXT + 0x50, 8);
	for (unsigned f = 0; f < 2; f++) {
		put(i, TEXT + 0x10 + f * 0x20, 8);
		put(i, names + f * 7, 4);
	}
	put_text(i, "main.a");
	put_text(i, "main.b");
}

static int read_go(const struct image *i, size_t len, uint64_t text, struct sym_table *t)
{
	uint8_t *exact = malloc(len ? len : 1);	/* so that a sanitizer sees the byte behind it */
	struct sym_go go = { exact, len, text };
	int err;

	assert_non_null(exact);
	memcpy(exact, i->bytes, len);
	*t = (struct sym_table){ 0 };
	err = sym_go_read(&go, t);
	sym_table_finish(t);
	free(exact);
	return err;
}

static void expect_go(const struct image *i, uint64_t text)
{
	struct sym_table t;

	assert_int_equal(read_go(i, i->len, text, &t), 0);
	assert_int_equal(t.n, 2);
	assert_string_equal(name_at(&t, TEXT + 0xf), "-");
	assert_string_equal(name_at(&t, TEXT + 0x10), "main.a");
	assert_string_equal(name_at(&t, TEXT + 0x2f), "main.a");
	assert_string_equal(name_at(&t, TEXT + 0x4f), "main.b");
	assert_string_equal(name_at(&t, TEXT + 0x50), "-");
	sym_table_free(&t);
	/* Cut anywhere: an error, never a read beyond the end. */
	for (size_t len = 0; len < i->len; len++) {
		assert_int_not_equal(read_go(i, len, text, &t), 0);
		sym_table_free(&t);
	}
}

static void test_go(void **state)
{
	struct image i;
	struct sym_table t;

	(void)state;
	make_go_2(&i);
	expect_go(&i, 0);
	make_go(&i, 0xfffffffa, 0);
	expect_go(&i, 0);
	make_go(&i, 0xfffffff0, TEXT);
	expect_go(&i, 0);
	make_go(&i, 0xfffffff1, TEXT);
	expect_go(&i, 0);
	make_go(&i, 0xfffffff1, 0);	/* 1.26, or position-independent */
	expect_go(&i, TEXT);
	assert_int_equal(read_go(&i, i.len, 0, &t), -ENOTSUP);
	sym_table_free(&t);
	make_go(&i, 0xfffffff2, TEXT);
	assert_int_equal(read_go(&i, i.len, 0, &t), -ENOTSUP);
	sym_table_free(&t);
	make_go(&i, 0xfffffff1, TEXT);
	memset(i.bytes + 8, 0xff, 8);	/* as many functions as there are numbers */
	assert_int_equal(read_go(&i, i.len, 0, &t), -EINVAL);
	sym_table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_is_bounded),
		cmocka_unit_test(test_perf_map),
		cmocka_unit_test(test_kallsyms),
		cmocka_unit_test(test_maps_line),
		cmocka_unit_test(test_go),
	};

	return cmocka_run_group_tests_name("sym_parse", tests, NULL, NULL);
}
