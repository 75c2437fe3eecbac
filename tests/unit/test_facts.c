/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_facts.c - an executable is looked at without trusting it: it may be anybody's. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "explain/facts.h"

/* A file with the sections "", .shstrtab and .gopclntab. */
struct program {
	Elf64_Ehdr header;
	Elf64_Shdr sections[3];
	char names[32];
};

static const char names[] = "\0.shstrtab\0.gopclntab";

static struct program program(void)
{
	struct program p = { .header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf64_Ehdr), .e_shoff = offsetof(struct program, sections),
		.e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3, .e_shstrndx = 1,
	} };

	memcpy(p.names, names, sizeof(names));
	p.sections[1] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_STRTAB,
				      .sh_offset = offsetof(struct program, names),
				      .sh_size = sizeof(names) };
	p.sections[2] = (Elf64_Shdr){ .sh_name = 11, .sh_type = SHT_PROGBITS,
				      .sh_offset = offsetof(struct program, names), .sh_size = 8 };
	return p;
}

/* -1: it was not looked at. */
static int is_go(const struct program *p)
{
	char path[] = "/tmp/test_facts.XXXXXX";
	int fd = mkstemp(path);
	bool go, looked;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, sizeof(*p)), sizeof(*p));
	close(fd);
	looked = facts_is_go(path, &go);
	unlink(path);
	return looked ? go : -1;
}

static void test_runtime(void **state)
{
	struct program p = program();
	bool go = true;

	(void)state;
	assert_int_equal(is_go(&p), 1);
	p.names[12] = 'x';
	assert_int_equal(is_go(&p), 0);
	assert_true(facts_runtime((uint32_t)getpid(), &go));
	assert_false(go);
}

/* Numbers of sections and a string table that libelf would allocate for, or follow. */
static void test_hostile(void **state)
{
	struct program p = program();

	(void)state;
	p.header.e_shnum = 0;
	p.sections[0].sh_size = 1ULL << 56;
	assert_int_equal(is_go(&p), 0);
	p = program();
	p.header.e_shstrndx = SHN_XINDEX;
	p.sections[0].sh_link = 1;
	assert_int_equal(is_go(&p), 0);
	p = program();
	p.sections[1].sh_size = 1ULL << 40;
	assert_int_equal(is_go(&p), 0);
	p = program();
	p.sections[2].sh_name = UINT32_MAX;
	assert_int_equal(is_go(&p), 0);
}

/* Opening a FIFO that nobody writes to waits for ever. */
static void test_no_file(void **state)
{
	char directory[] = "/tmp/test_facts.XXXXXX", path[64];
	bool go = true;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	assert_false(facts_is_go(path, &go));
	alarm(0);
	assert_false(go);
	unlink(path);
	rmdir(directory);
	assert_false(facts_is_go(path, &go));
	assert_false(facts_is_go("/dev/null", &go));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtime),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
