/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gopclntab.c - Go's function table (.gopclntab), which even a stripped Go program keeps: its own
 * tracebacks need it. Layouts: src/runtime/symtab.go (pcHeader, functab, _func) of Go 1.2 to 1.26.
 *
 * All versions: a header, then pairs (start of the function, offset of its record) sorted by start
 * and ended by the end of the code; a record begins with the start and the offset of its name.
 */
#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <string.h>

#include "symbols/elf.h"

enum go_layout { GO_2, GO_16, GO_18 };	/* since 1.2, 1.16, 1.18 */

struct pclntab {
	const struct sym_go *go;
	enum go_layout layout;
	unsigned pointer;	/* bytes of a start or an offset */
	uint64_t count;		/* functions */
	uint64_t text;		/* what starts are relative to */
	uint64_t names;		/* offset of the names in the table */
	uint64_t functions;	/* offset of the pairs */
	uint64_t records;	/* what the offsets of records are relative to */
};

/* An unsigned number of the machine's own byte order; 0 and *bad set beyond the end. */
static uint64_t number(const struct sym_go *go, uint64_t offset, unsigned size, bool *bad)
{
	uint32_t four;
	uint64_t eight;

	if (offset > go->len || go->len - offset < size) {
		*bad = true;
		return 0;
	}
	if (size == 4) {
		memcpy(&four, go->data + offset, 4);
		return four;
	}
	memcpy(&eight, go->data + offset, 8);
	return eight;
}

/* A layout or a negative errno. */
static int layout_of(const struct sym_go *go)
{
	bool bad = false;
	int layout;

	switch (number(go, 0, 4, &bad)) {
	case 0xfffffffb:
		layout = GO_2;
		break;
	case 0xfffffffa:
		layout = GO_16;
		break;
	case 0xfffffff0:	/* 1.18 */
	case 0xfffffff1:	/* 1.20: the same as far as it matters here */
		layout = GO_18;
		break;
	default:
		return -ENOTSUP;
	}
	/* Two zeros, the quantum of instructions, the size of a pointer: 32 bits are not ours. */
	if (go->len < 8 || go->data[4] || go->data[5])
		return -EINVAL;
	return go->data[7] == 8 ? layout : -ENOTSUP;
}

bool sym_go_has_text(const struct sym_go *go)
{
	return layout_of(go) == GO_18;
}

static int read_header(const struct sym_go *go, struct pclntab *p)
{
	int layout = layout_of(go);
	bool bad = false;

	if (layout < 0)
		return layout;
	*p = (struct pclntab){ .go = go, .layout = (enum go_layout)layout, .pointer = 8 };
	p->count = number(go, 8, 8, &bad);
	switch (p->layout) {
	case GO_2:
		p->functions = 16;
		break;
	case GO_16:
		p->names = number(go, 8 + 2 * 8, 8, &bad);
		p->functions = number(go, 8 + 6 * 8, 8, &bad);
		break;
	case GO_18:
		p->pointer = 4;
		p->text = go->text ? go->text : number(go, GO_TEXT_OFFSET, 8, &bad);
		p->names = number(go, 8 + 3 * 8, 8, &bad);
		p->functions = number(go, 8 + 7 * 8, 8, &bad);
		if (!bad && !p->text)
			return -ENOTSUP;
		break;
	}
	p->records = p->layout == GO_2 ? 0 : p->functions;
	if (bad || p->names > go->len || p->functions > go->len ||
	    p->count > (go->len - p->functions) / (2 * p->pointer))
		return -EINVAL;
	return 0;
}

static int add_function(const struct pclntab *p, uint64_t start, uint64_t end, uint64_t record,
			struct sym_table *t)
{
	bool bad = false;
	uint64_t at, name, stated;
	const char *text;
	size_t room, len;

	/* Offsets are below 2^32 or refused: the sums cannot wrap. */
	if (record > UINT32_MAX)
		return -EINVAL;
	at = p->records + record;
	stated = number(p->go, at, p->pointer, &bad);
	name = p->names + number(p->go, at + p->pointer, 4, &bad);
	if (bad || name >= p->go->len || stated != start)
		return -EINVAL;
	text = (const char *)p->go->data + name;
	room = p->go->len - name;
	len = strnlen(text, room < 4096 ? room : 4096);
	if (len == room)
		return -EINVAL;
	if (!len)
		return 0;
	return sym_table_add(t, p->text + start, end - start, text, len, SYM_RANK_SIZED);
}

int sym_go_read(const struct sym_go *go, struct sym_table *t)
{
	struct pclntab p;
	uint64_t start, end;
	bool bad = false;
	int err = read_header(go, &p);

	if (err)
		return err;
	start = number(go, p.functions, p.pointer, &bad);
	for (uint64_t i = 0; i < p.count && !err; i++) {
		uint64_t pair = p.functions + i * 2 * p.pointer;
		uint64_t record = number(go, pair + p.pointer, p.pointer, &bad);

		end = number(go, pair + 2 * p.pointer, p.pointer, &bad);
		/* Unrelocated starts are all 0: nothing to be had. */
		if (bad || end < start || (end == start && !end))
			return -EINVAL;
		err = add_function(&p, start, end, record, t);
		start = end;
	}
	return err;
}

/* --- the table in an ELF file --- */

/* The value that the loader puts at an address of a position-independent file. */
static bool relocated(Elf *elf, uint64_t address, uint64_t *value)
{
	Elf_Scn *section = NULL;
	unsigned looked_at = 0;
	GElf_Shdr header;

	/* .rela.dyn and .rela.plt: a file with more would only keep us busy. */
	while (looked_at < 2 && (section = elf_nextscn(elf, section))) {
		Elf_Data *data;
		const Elf64_Rela *list;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA ||
		    !(header.sh_flags & SHF_ALLOC))
			continue;
		looked_at++;
		data = sym_elf_data(section);
		if (!data || data->d_type != ELF_T_RELA)
			continue;
		list = data->d_buf;
		for (size_t i = 0; i < data->d_size / sizeof(*list); i++) {
			uint32_t type = ELF64_R_TYPE(list[i].r_info);

			if (list[i].r_offset == address &&
			    (type == R_X86_64_RELATIVE || type == R_AARCH64_RELATIVE)) {
				*value = (uint64_t)list[i].r_addend;
				return true;
			}
		}
	}
	return false;
}

/* Go's own linker puts its functions first in .text, and enters by one of them; others do not. */
static bool starts_with_text(Elf *elf, const struct sym_go *go, uint64_t max_bytes)
{
	struct sym_table trial = { .max_bytes = max_bytes };
	struct sym_entry *entry = NULL;
	GElf_Ehdr header;
	bool holds;

	if (!sym_go_read(go, &trial) && gelf_getehdr(elf, &header)) {
		sym_table_finish(&trial);
		entry = sym_table_find(&trial, header.e_entry);
	}
	holds = entry && entry->start == header.e_entry &&
		!strncmp(trial.names + entry->name, "_rt0_", 5);
	sym_table_free(&trial);
	return holds;
}

/* Where the code starts, if the table may not say it. False: it cannot be known. */
static bool find_text(Elf *elf, uint64_t address, struct sym_go *go, uint64_t max_bytes)
{
	GElf_Shdr text;
	uint64_t stored;

	if (!sym_go_has_text(go) || go->len < GO_TEXT_OFFSET + sizeof(stored))
		return true;
	memcpy(&stored, go->data + GO_TEXT_OFFSET, sizeof(stored));
	if (relocated(elf, address + GO_TEXT_OFFSET, &go->text) || stored)
		return true;
	if (!gelf_getshdr(sym_elf_section(elf, ".text"), &text))
		return false;
	go->text = text.sh_addr;
	return starts_with_text(elf, go, max_bytes);
}

/* Other linkers put the table of position-independent code among other data, aligned to 32. */
static size_t find_table(const Elf_Data *data)
{
	for (size_t at = 0; at + 8 <= data->d_size; at += 32) {
		struct sym_go go = { (const uint8_t *)data->d_buf + at, data->d_size - at, 0 };

		if (sym_go_has_text(&go))
			return at;
	}
	return data->d_size;
}

int sym_elf_go(Elf *elf, struct sym_table *table)
{
	Elf_Scn *section = sym_elf_section(elf, ".gopclntab");
	struct sym_go go = { 0 };
	GElf_Shdr header;
	Elf_Data *data;
	size_t at = 0;

	if (!section)
		section = sym_elf_section(elf, ".data.rel.ro.gopclntab");
	if (!section && sym_elf_section(elf, ".note.go.buildid")) {
		section = sym_elf_section(elf, ".data.rel.ro");
		data = sym_elf_data(section);
		at = data ? find_table(data) : 0;
	}
	if (!section)
		return 0;
	data = sym_elf_data(section);
	if (!data || !gelf_getshdr(section, &header))
		return -EINVAL;
	if (at >= data->d_size)
		return -ENOTSUP;
	go.data = (const uint8_t *)data->d_buf + at;
	go.len = data->d_size - at;
	if (!find_text(elf, header.sh_addr + at, &go, table->max_bytes))
		return -ENOTSUP;
	return sym_go_read(&go, table);
}
