/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_symbols.c - names made readable and harmless; this very process's addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "symbols/elf.h"
#include "symbols/table.h"
#include "symbols/symbols.h"

static void test_demangle(void **state)
{
	static const char *const cases[][2] = {
		{ "_ZN4shop8checkoutEi", "shop::checkout" },
		{ "_ZNSt6vectorIiSaIiEE9push_backERKi",
		  "std::vector<int, std::allocator<int> >::push_back" },
		{ "_ZN5tokio7runtime4task3raw4poll17h0123456789abcdefE",
		  "tokio::runtime::task::raw::poll" },
		{ "_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar" },
		{ "_RINvNtC3std3mem8align_ofjE", "std::mem::align_of::<usize>" },
		{ "main", "main" },
		{ "memcpy@@GLIBC_2.14", "memcpy" },
		{ "_Z", "_Z" },
		{ "@odd", "@odd" },
		{ "work.cold", "work.cold" },
	};
	struct sym_names names = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(sym_name(&names, sym_intern_symbol(&names, cases[i][0])),
				    cases[i][1]);
	sym_names_free(&names);
}

/* A hundred bytes that mean more than a machine has memory for: each level doubles the one before. */
static void test_demangle_is_bounded(void **state)
{
	struct sym_names names = { 0 };
	char mangled[512] = "_Z1fI1aES_IS_S_E", out[128];
	uint32_t number;

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		snprintf(mangled + strlen(mangled), 16, "S_IS%c_S%c_E", "0123456789ABCDEFGHIJKLMNOPQRSTU"[i],
			 "0123456789ABCDEFGHIJKLMNOPQRSTU"[i]);
	sym_demangle(mangled, out, sizeof(out));
	number = sym_intern_symbol(&names, mangled);
	assert_true(strlen(sym_name(&names, number)) < SYMBOLS_NAME_MAX);
	sym_names_free(&names);
}

static void expect_clean(struct sym_names *names, const char *from, const char *expected)
{
	assert_string_equal(sym_name(names, sym_intern(names, from, strlen(from))), expected);
}

static void test_clean_names(void **state)
{
	struct sym_names names = { 0 };
	char longer[2 * SYMBOLS_NAME_MAX];
	const char *cut;

	(void)state;
	expect_clean(&names, "", "[unknown]");
	expect_clean(&names, "a;b\nc\x1b[31m", "a:b?c?[31m");
	expect_clean(&names, "\xff\xc3\xa4\xc3", "?\xc3\xa4?");
	memset(longer, 'x', sizeof(longer));
	cut = sym_name(&names, sym_intern(&names, longer, sizeof(longer)));
	assert_true(strlen(cut) < SYMBOLS_NAME_MAX);
	assert_string_equal(cut + strlen(cut) - 4, "x...");
	/* Equal names are one, however many others there are. */
	for (unsigned i = 0; i < 10000; i++) {
		char name[16];
		uint32_t number;

		snprintf(name, sizeof(name), "n%u", i);
		number = sym_intern(&names, name, strlen(name));
		assert_int_equal(number, sym_intern(&names, name, strlen(name)));
		assert_string_equal(sym_name(&names, number), name);
	}
	assert_string_equal(sym_name(&names, UINT32_MAX), "[unknown]");
	sym_names_free(&names);
}

static void count_note(void *arg, const char *text)
{
	(void)text;
	++*(unsigned *)arg;
}

static void check_unwind_table(uint64_t function)
{
	struct sym_object object = { 0 };
	const struct sym_function *found;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Elf *elf;

	assert_int_equal(sym_elf_begin(fd, &elf), 0);
	assert_int_equal(sym_elf_head(elf, &object), 0);
	assert_int_equal(sym_elf_functions(elf, &object, 100), -E2BIG);
	assert_int_equal(sym_elf_functions(elf, &object, 1 << 20), 0);
	found = sym_object_function(&object, function);
	assert_non_null(found);
	assert_int_equal(found->start, function);
	assert_ptr_equal(sym_object_function(&object, function + found->size - 1), found);
	assert_ptr_not_equal(sym_object_function(&object, function + found->size), found);
	assert_ptr_not_equal(sym_object_function(&object, function - 1), found);
	assert_null(sym_object_function(&object, 0));
	elf_end(elf);
	sym_object_free(&object);
	close(fd);
}

static void test_this_process(void **state)
{
	unsigned notes = 0;
	struct symbols_options options = { .note = count_note, .arg = &notes };
	struct symbols *s = symbols_new(&options);
	uint64_t stack[4] = { (uintptr_t)test_this_process, (uintptr_t)test_clean_names + 1, 0, 1 };
	uint32_t pid = (uint32_t)getpid();
	struct symbol out[4], again;
	struct symbol_place place;

	(void)state;
	assert_int_equal(symbols_add_process(s, pid), 0);
	assert_int_equal(symbols_add_process(s, pid), 0);
	assert_int_equal(symbols_stack(s, pid, stack, 4, out), 2);
	assert_string_equal(out[0].name, "test_this_process");
	assert_string_equal(out[0].object, "test_symbols");
	assert_int_equal(out[0].kind, SYMBOL_USER);
	assert_string_equal(symbols_suffix(&out[0]), "");
	/* A return address at a function's first byte belongs to the call before it. */
	assert_string_equal(out[1].name, "test_clean_names");
	assert_true(symbols_user(s, pid, stack[0] + 1, &again));
	assert_ptr_equal(again.name, out[0].name);
	assert_false(symbols_user(s, pid, (uintptr_t)&again, &again));
	assert_int_equal(symbols_place(s, pid, stack[0], &place), 0);
	/* This program has its .symtab: its unwind table is not read. But it has one. */
	assert_int_equal(place.function, 0);
	check_unwind_table(place.vaddr);
	assert_int_equal(symbols_place(s, pid, 1, &place), -ENOENT);
	assert_int_equal(notes, 0);
	symbols_free(s);
}

/* A fork, an exec, and a process that has ended before either was told, in whatever order. */
static void test_images(void **state)
{
	const uint32_t child = 0x7ffffffe;
	struct symbols *s = symbols_new(NULL);
	uint64_t here = (uintptr_t)test_this_process;
	uint32_t pid = (uint32_t)getpid();
	struct symbol out;

	(void)state;
	assert_int_equal(symbols_refresh(s, pid), -ENOENT);
	assert_int_equal(symbols_add_process(s, pid), 0);
	assert_int_equal(symbols_refresh(s, pid), 0);
	assert_true(symbols_covers(s, pid, here));
	assert_int_equal(symbols_add_exec(s, child, 300), 0);
	assert_int_equal(symbols_add_child(s, pid, child, 200), 0);
	assert_false(symbols_user(s, child, here, &out));
	assert_false(symbols_covers(s, child, here));
	symbols_at(s, 299);
	assert_true(symbols_user(s, child, here, &out));
	assert_string_equal(out.name, "test_this_process");
	symbols_at(s, 300);
	assert_false(symbols_user(s, child, here, &out));
	assert_string_equal(out.name, "[unknown]");
	symbols_at(s, 199);
	assert_false(symbols_user(s, child, here, &out));
	/* Its pid again, forked by another that had nothing of ours. */
	symbols_at(s, 0);
	assert_int_equal(symbols_add_child(s, child, child + 1, 400), 0);
	assert_false(symbols_user(s, child + 1, here, &out));
	assert_int_equal(symbols_add_child(s, pid, child + 1, 500), 0);
	assert_true(symbols_user(s, child + 1, here, &out));
	symbols_free(s);
}

static void test_no_process(void **state)
{
	struct symbols *s = symbols_new(NULL);
	struct symbol out;

	(void)state;
	assert_int_equal(symbols_add_process(s, 0x7fffffff), -ESRCH);
	assert_int_equal(symbols_add_child(s, 1, 2, 0), -ESRCH);
	assert_false(symbols_user(s, 1, 0x1000, &out));
	assert_string_equal(out.name, "[unknown]");
	symbols_free(s);
	symbols_free(NULL);
}

static void test_kernel_file(void **state)
{
	char path[] = "/tmp/epollscope-kallsyms-XXXXXX";
	static const char text[] = "ffff000000000000 T one\nffff000000000100 t two\t[mod]\n";
	struct symbols_options options = { .kallsyms = path };
	const uint64_t stack[] = { 0xffff000000000000, 0xffff000000000100, 0xffff000000000101 };
	struct symbols *s = symbols_new(&options);
	struct symbol out[3];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	assert_int_equal(symbols_stack(s, 0, stack, 3, out), 3);
	unlink(path);
	assert_string_equal(out[0].name, "one");
	assert_string_equal(out[0].object, "[kernel]");
	assert_string_equal(symbols_suffix(&out[0]), "_[k]");
	assert_string_equal(out[1].name, "one");
	assert_string_equal(out[2].name, "two");
	assert_string_equal(out[2].object, "[mod]");
	symbols_free(s);
	s = symbols_new(&options);
	assert_false(symbols_kernel(s, stack[0], &out[0]));
	assert_string_equal(out[0].name, "[kernel]");
	symbols_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_demangle),
		cmocka_unit_test(test_demangle_is_bounded),
		cmocka_unit_test(test_clean_names),
		cmocka_unit_test(test_this_process),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_kernel_file),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
