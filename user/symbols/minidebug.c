/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * minidebug.c - mini debug information (.gnu_debugdata): an ELF file that holds only a .symtab, packed by
 * xz, which some distributions leave in stripped programs.
 */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "base/array.h"
#include "symbols/elf.h"

#define MAX_UNPACKED (64u << 20)
#define MAX_DECODER (128u << 20)	/* memory that a stream may ask its decoder to use */

/* Unpacks up to MAX_UNPACKED bytes; free(*out). */
static int unpack(const Elf_Data *data, char **out, size_t *len)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t room = 0;
	lzma_ret ret = lzma_stream_decoder(&stream, MAX_DECODER, 0);

	*out = NULL;
	*len = 0;
	stream.next_in = data->d_buf;
	stream.avail_in = data->d_size;
	while (ret == LZMA_OK && *len < MAX_UNPACKED) {
		if (array_reserve(out, &room, *len ? 2 * *len : 1 << 20, 1))
			break;
		stream.next_out = (uint8_t *)*out + *len;
		stream.avail_out = room - *len;
		ret = lzma_code(&stream, LZMA_FINISH);
		*len = room - stream.avail_out;
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
