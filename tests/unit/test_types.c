/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_types.c - the kernel's types as we read them, against libbpf, which reads them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/types.h"

static struct types *types;
static struct btf *all;

static void test_find(void **state)
{
	static const struct {
		const char *name;
		uint32_t kind;
	} wanted[] = {
		{ "task_struct", BTF_KIND_STRUCT }, { "sock", BTF_KIND_STRUCT },
		{ "btf_trace_sched_switch", BTF_KIND_TYPEDEF }, { "core_sys_select", BTF_KIND_FUNC },
		{ "bpf_iter_tcp", BTF_KIND_FUNC }, { "bpf_iter__tcp", BTF_KIND_STRUCT },
		{ "int", BTF_KIND_INT }, { "bpf_map_type", BTF_KIND_ENUM },
	};

	(void)state;
	if (!all)
		skip();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		int id = btf__find_by_name_kind(all, wanted[i].name, wanted[i].kind);

		assert_true(id > 0);
		if (types_find(types, wanted[i].name, wanted[i].kind) != (uint32_t)id)
			fail_msg("%s: expected %d got %u", wanted[i].name, id,
				 types_find(types, wanted[i].name, wanted[i].kind));
	}
	assert_int_equal(types_find(types, "task_struct", BTF_KIND_FUNC), 0);
	assert_int_equal(types_find(types, "no_such_type_anywhere", BTF_KIND_STRUCT), 0);
	assert_int_equal(types_find(types, "", BTF_KIND_STRUCT), 0);
}

/* The same fields at the same bits, with the same names, through everything that lies in by value. */
static void same_type(const struct btf *got, uint32_t id, uint32_t wanted_id, unsigned depth)
{
	const struct btf_type *g = btf__type_by_id(got, id), *w = btf__type_by_id(all, wanted_id);

	assert_true(depth < 40);
	if (btf_kind(g) != btf_kind(w) || btf_vlen(g) != btf_vlen(w) ||
	    strcmp(btf__name_by_offset(got, g->name_off), btf__name_by_offset(all, w->name_off)))
		fail_msg("expected '%s' got '%s'", btf__name_by_offset(all, w->name_off),
			 btf__name_by_offset(got, g->name_off));
	if (btf_is_ptr(g)) {
		assert_int_equal(g->type, 0);
		return;
	}
	if (btf_is_array(g)) {
		assert_int_equal(btf_array(g)->nelems, btf_array(w)->nelems);
		same_type(got, btf_array(g)->type, btf_array(w)->type, depth + 1);
		return;
	}
	if (btf_is_mod(g) || btf_is_typedef(g)) {
		if (w->type)
			same_type(got, g->type, w->type, depth + 1);
		return;
	}
	assert_int_equal(g->size, w->size);
	if (!btf_is_composite(g))
		return;
	for (uint32_t i = 0; i < btf_vlen(g); i++) {
		const struct btf_member *gm = btf_members(g) + i, *wm = btf_members(w) + i;

		assert_string_equal(btf__name_by_offset(got, gm->name_off),
				    btf__name_by_offset(all, wm->name_off));
		assert_int_equal(gm->offset, wm->offset);
		same_type(got, gm->type, wm->type, depth + 1);
	}
}

static void test_written(void **state)
{
	static const char *const names[] = { "task_struct", "tcp_sock", "epitem" };
	struct btf *local = btf__new_empty(), *got;
	int fd = memfd_create("types", MFD_CLOEXEC);
	char path[64];

	(void)state;
	if (!all)
		skip();
	assert_non_null(local);
	for (size_t i = 0; i < 3; i++)
		assert_true(btf__add_struct(local, names[i], 8) > 0);
	assert_int_equal(types_write(types, local, fd), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	got = btf__parse(path, NULL);
	assert_non_null(got);
	for (size_t i = 0; i < 3; i++) {
		int id = btf__find_by_name_kind(got, names[i], BTF_KIND_STRUCT);

		assert_true(id > 0);
		same_type(got, (uint32_t)id,
			  (uint32_t)btf__find_by_name_kind(all, names[i], BTF_KIND_STRUCT), 0);
	}
	/* A few of them, and not what they point to. */
	assert_true(btf__type_cnt(got) * 20 < btf__type_cnt(all));
	assert_true(btf__find_by_name_kind(got, "mm_struct", BTF_KIND_STRUCT) < 0);
	btf__free(got);
	btf__free(local);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_written),
	};
	int failed;

	if (!access("/sys/kernel/btf/vmlinux", R_OK)) {
		all = btf__load_vmlinux_btf();
		if (!all || types_read(&types))
			return 1;
	}
	failed = cmocka_run_group_tests_name("types", tests, NULL, NULL);
	types_free(types);
	btf__free(all);
	return failed;
}
