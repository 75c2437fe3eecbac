/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* elf_more.c - functions of files without .symtab: Go's own table, and mini debug information. */
#include <errno.h>
#include <gelf.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/elf.h"

#define MAX_UNPACKED (64u << 20)
#define MAX_DECODER (128u << 20)	/* memory that a stream may ask its decoder to use */

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
	size_t offset;

	if (!sym_go_text_offset(go, &offset) || go->len < offset + 8)
		return true;
	memcpy(&stored, go->data + offset, 8);
	if (relocated(elf, address + offset, &go->text) || stored)
		return true;
	if (!gelf_getshdr(sym_elf_section(elf, ".text"), &text))
		return false;
	go->text = text.sh_addr;
	return starts_with_text(elf, go, max_bytes);
}

/* Other linkers put the table of position-independent code among other data, aligned to 32. */
static size_t find_table(const Elf_Data *data)
{
	size_t offset;

	for (size_t at = 0; at + 8 <= data->d_size; at += 32) {
		struct sym_go go = { (const uint8_t *)data->d_buf + at, data->d_size - at, 0 };

		if (sym_go_text_offset(&go, &offset))
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

/* Unpacks up to MAX_UNPACKED bytes; free(*out). */
static int unpack(const Elf_Data *data, char **out, size_t *len)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t room = 1 << 20;
	lzma_ret ret = lzma_stream_decoder(&stream, MAX_DECODER, 0);

	*out = NULL;
	*len = 0;
	stream.next_in = data->d_buf;
	stream.avail_in = data->d_size;
	while (ret == LZMA_OK && *len < MAX_UNPACKED) {
		char *more = realloc(*out, room);

		if (!more)
			break;
		*out = more;
		stream.next_out = (uint8_t *)more + *len;
		stream.avail_out = room - *len;
		ret = lzma_code(&stream, LZMA_FINISH);
		*len = room - stream.avail_out;
		room *= 2;
	}
	lzma_end(&stream);
	if (ret == LZMA_STREAM_END)
		return 0;
	free(*out);
	*out = NULL;
	return ret == LZMA_OK ? -EFBIG : -EINVAL;
}

int sym_elf_debugdata(Elf *elf, struct sym_table *table)
{
	Elf_Data *packed = sym_elf_data(sym_elf_section(elf, ".gnu_debugdata"));
	Elf *inner;
	char *image;
	size_t len;
	bool found;
	int err;

	if (!packed)
		return 0;
	err = unpack(packed, &image, &len);
	if (err)
		return err;
	err = sym_elf_begin_memory(image, len, &inner);
	if (!err) {
		err = sym_elf_symtab(inner, table, &found);
		elf_end(inner);
	}
	free(image);
	return err;
}
