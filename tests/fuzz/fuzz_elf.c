/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_elf.c - any bytes into the parsers of other people's files and names. The first byte chooses:
 * 0 an ELF file, 1 a Go function table, 2 a perf map, 3 kallsyms, 4 a mangled name, 5 a line of maps.
 *
 * A libFuzzer target; tests/live/symbols.sh builds it, seeds it and runs it for a little while:
 * clang -fsanitize=fuzzer,address,undefined -I. -Iuser tests/fuzz/fuzz_elf.c user/{base,target,symbols}/*.c
 * -ldw -lelf -lz -llzma -liberty
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/process.h"

#define MAX_BYTES (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_elf: %s\n", what);
	abort();
}

/* Sorted, each start once, every name inside the arena, every symbol found by its start. */
static void check(struct sym_table *t)
{
	struct sym_names names = { 0 };

	demand(sym_table_bytes(t) <= 4 * MAX_BYTES, "more than it may have");
	sym_table_finish(t);
	for (size_t i = 0; i < t->n; i++) {
		struct sym_entry *e = &t->list[i], *found;

		demand(!i || t->list[i - 1].start < e->start, "order");
		demand(e->name < t->names_len, "name");
		found = sym_table_find(t, e->start);
		demand(t->newest_wins || !e->size || !t->names[e->name] || found == e, "find");
		demand(sym_intern_symbol(&names, t->names + e->name) < UINT32_MAX, "intern");
	}
	sym_names_free(&names);
	sym_table_free(t);
}

/* Each place of a small file, and asked again the same comes of it. */
static void fuzz_cfi(const uint8_t *data, size_t size)
{
	struct cfi_rule rule, again;
	struct cfi *cfi;

	if (cfi_open_memory(data, size, &cfi))
		return;
	for (size_t i = 0; i < size && i < 4096; i++)
		if (cfi_find(cfi, i, &rule))
			demand(cfi_find(cfi, i, &again) && again.cfa == rule.cfa &&
				       again.cfa_offset == rule.cfa_offset && again.fp == rule.fp &&
				       again.fp_offset == rule.fp_offset, "rule");
	cfi_close(cfi);
}

/* libelf keeps pointers into the image, so it is a copy of its own size. */
static void fuzz_elf(const uint8_t *data, size_t size)
{
	struct sym_object object = { .table.max_bytes = MAX_BYTES };
	char *image = malloc(size ? size : 1);
	uint64_t vaddr;
	bool whole;
	Elf *elf;

	demand(image, "memory");
	memcpy(image, data, size);
	if (!sym_elf_begin_memory(image, size, &elf)) {
		if (!sym_elf_head(elf, &object)) {
			sym_elf_symbols(elf, &object, &whole);
			sym_object_vaddr(&object, 0x1000, &vaddr);
			sym_elf_functions(elf, &object, MAX_BYTES);
			for (size_t i = 0; i < object.n_functions; i++)
				demand(sym_object_function(&object, object.functions[i].start) ==
					       &object.functions[i], "function");
			demand(object.build_id_len <= BUILD_ID_MAX, "build-id");
		}
		elf_end(elf);
	}
	check(&object.table);
	sym_object_free(&object);
	free(image);
	fuzz_cfi(data, size);
}

static void fuzz_name(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1), out[256];
	struct sym_names names = { 0 };
	uint32_t number;

	demand(name, "memory");
	memcpy(name, data, size);
	name[size] = '\0';
	if (sym_demangle(name, out, sizeof(out)))
		demand(strlen(out) < sizeof(out), "length");
	number = sym_intern_symbol(&names, name);
	demand(number == sym_intern_symbol(&names, name), "the same number");
	demand(strlen(sym_name(&names, number)) < SYMBOLS_NAME_MAX, "length of a name");
	demand(!strpbrk(sym_name(&names, number), ";\n\x1b"), "steering character");
	sym_names_free(&names);
	free(name);
}

static void fuzz_maps(const uint8_t *data, size_t size)
{
	struct sym_mapping m;
	char *text = malloc(size + 1);
	const char *path;
	bool code;

	demand(text, "memory");
	memcpy(text, data, size);
	text[size] = '\0';
	path = sym_maps_parse(text, &m, &code);
	if (path)
		demand(m.start < m.end && strlen(path) <= size, "line");
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sym_table table = { .max_bytes = MAX_BYTES };
	struct sym_go go;
	int err;

	if (!size--)
		return 0;
	switch (*data++) {
	case '0':
		fuzz_elf(data, size);
		break;
	case '1':
		go = (struct sym_go){ data, size, 0 };
		sym_go_has_text(&go);
		sym_go_read(&go, &table);
		break;
	case '2':
		sym_jit_read((const char *)data, size, &table, &err);
		break;
	case '3':
		sym_kernel_read((const char *)data, size, &table);
		break;
	case '4':
		fuzz_name(data, size);
		break;
	case '5':
		fuzz_maps(data, size);
		break;
	}
	check(&table);
	return 0;
}
