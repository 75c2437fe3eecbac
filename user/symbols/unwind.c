/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unwind.c - where functions begin and end, and the entries about them: a file's unwind table is
 * needed at run time and so survives stripping. The formats are those of the Linux Standard Base
 * (.eh_frame, .eh_frame_hdr), in the one encoding that linkers write: 4 bytes, relative.
 */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/elf.h"

#define PCREL_4	  0x1b	/* DW_EH_PE_pcrel | sdata4 */
#define UDATA_4	  0x03
#define DATAREL_4 0x3b	/* relative to .eh_frame_hdr */

/* A section and where it is mapped. */
struct part {
	const uint8_t *bytes;
	size_t len;
	uint64_t address;
};

static bool find_part(Elf *elf, const char *name, struct part *part)
{
	Elf_Scn *section = sym_elf_section(elf, name);
	Elf_Data *data = sym_elf_data(section);
	GElf_Shdr header;

	if (!data || !gelf_getshdr(section, &header))
		return false;
	*part = (struct part){ data->d_buf, data->d_size, header.sh_addr };
	return true;
}

static int32_t word(const struct part *p, size_t at)
{
	int32_t value;

	memcpy(&value, p->bytes + at, sizeof(value));
	return value;
}

/*
 * The range of the entry at an address: length, CIE, start, range, 4 bytes each. The start is
 * encoded as the CIE says; if read as usual it is the one that the table has, so is the range.
 */
static uint32_t range_of(const struct part *frames, uint64_t entry, uint64_t start)
{
	uint64_t at = entry - frames->address;

	if (at > frames->len || frames->len - at < 16 || !word(frames, at + 4) ||
	    entry + 8 + (uint64_t)(int64_t)word(frames, at + 8) != start)
		return 0;
	return (uint32_t)word(frames, at + 12);
}

int sym_elf_functions(Elf *elf, struct sym_object *object, uint64_t max_bytes)
{
	struct part head, frames;
	size_t n;

	if (!find_part(elf, ".eh_frame_hdr", &head) || !find_part(elf, ".eh_frame", &frames))
		return 0;
	if (head.len < 12 || head.bytes[0] != 1 || head.bytes[1] != PCREL_4 ||
	    head.bytes[2] != UDATA_4 || head.bytes[3] != DATAREL_4)
		return 0;
	n = (uint32_t)word(&head, 8);
	if (n > (head.len - 12) / 8)
		return -EINVAL;
	if (n * sizeof(*object->functions) > max_bytes)
		return -E2BIG;
	object->functions = calloc(n ? n : 1, sizeof(*object->functions));
	if (!object->functions)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		uint64_t start = head.address + (uint64_t)(int64_t)word(&head, 12 + 8 * i);
		uint64_t entry = head.address + (uint64_t)(int64_t)word(&head, 16 + 8 * i);
		uint32_t size = range_of(&frames, entry, start);

		/* The loader's search relies on their order; so does ours. */
		if (size && (!object->n_functions ||
			     object->functions[object->n_functions - 1].start < start))
			object->functions[object->n_functions++] =
				(struct sym_function){ start, size,
						       (uint32_t)(entry - frames.address) };
	}
	return 0;
}

static bool begins_by(const void *function, const void *address)
{
	return ((const struct sym_function *)function)->start <= *(const uint64_t *)address;
}

const struct sym_function *sym_object_function(const struct sym_object *object, uint64_t vaddr)
{
	size_t i = array_lower_bound(object->functions, object->n_functions,
				     sizeof(*object->functions), begins_by, &vaddr);
	const struct sym_function *f = i ? &object->functions[i - 1] : NULL;

	return f && vaddr - f->start < f->size ? f : NULL;
}
