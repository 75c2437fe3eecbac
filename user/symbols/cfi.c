/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cfi.c - where functions begin and end and the entries about them, as the unwind table says, which
 * is needed at run time and so survives stripping; and the rules in the entries, remembered as
 * ranges. libdw takes the entries apart, and cfi_run.c reads what stands in them. The formats are
 * those of the Linux Standard Base (.eh_frame, .eh_frame_hdr), in the encoding that linkers write.
 */
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "symbols/elf.h"

#define RULES_MAX (1u << 20)
#define ENTRIES_MAX_BYTES (64u << 20)

#define PCREL_4	  0x1b	/* DW_EH_PE_pcrel | sdata4 */
#define UDATA_4	  0x03
#define DATAREL_4 0x3b	/* relative to .eh_frame_hdr */

/* --- the unwind table --- */

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

/* --- rules --- */

struct cfi {
	int fd;		/* -1: in memory */
	char *image;
	Elf *elf;
	unsigned char ident[EI_NIDENT];
	Elf_Data *frames;	/* .eh_frame */
	struct sym_object object;	/* for its segments, and which entry is about what */
	struct cfi_rule *rules;
	size_t n, room;
};

void cfi_close(struct cfi *cfi)
{
	if (!cfi)
		return;
	elf_end(cfi->elf);
	sym_object_free(&cfi->object);
	if (cfi->fd >= 0)
		close(cfi->fd);
	free(cfi->image);
	free(cfi->rules);
	free(cfi);
}

static bool entry_at(const struct cfi *cfi, Dwarf_Off at, Dwarf_CFI_Entry *entry)
{
	Dwarf_Off next;

	return at < cfi->frames->d_size &&
	       !dwarf_next_cfi(cfi->ident, cfi->frames, true, at, &next, entry);
}

static int find_frames(struct cfi *cfi)
{
	GElf_Ehdr header;
	int err;

	if (!gelf_getehdr(cfi->elf, &header) || header.e_machine != EM_X86_64)
		return -ENODATA;
	memcpy(cfi->ident, header.e_ident, EI_NIDENT);
	cfi->frames = sym_elf_data(sym_elf_section(cfi->elf, ".eh_frame"));
	if (!cfi->frames)
		return -ENODATA;
	err = sym_elf_functions(cfi->elf, &cfi->object, ENTRIES_MAX_BYTES);
	return err ? err : cfi->object.n_functions ? 0 : -ENODATA;
}

/* Takes over *cfi, also when it fails. */
static int begin(struct cfi *cfi, int err, struct cfi **out)
{
	if (!err)
		err = sym_elf_head(cfi->elf, &cfi->object);
	if (!err)
		err = find_frames(cfi);
	if (err)
		cfi_close(cfi);
	else
		*out = cfi;
	return err;
}

int cfi_open(int fd, struct cfi **out)
{
	struct cfi *cfi = calloc(1, sizeof(*cfi));

	*out = NULL;
	if (!cfi)
		return -ENOMEM;
	/* libelf reads when it needs to: its descriptor must not become another file's. */
	cfi->fd = dup(fd);
	return begin(cfi, cfi->fd < 0 ? -errno : sym_elf_begin(cfi->fd, &cfi->elf), out);
}

int cfi_open_memory(const void *image, size_t len, struct cfi **out)
{
	struct cfi *cfi = calloc(1, sizeof(*cfi));

	*out = NULL;
	if (!cfi)
		return -ENOMEM;
	cfi->fd = -1;
	cfi->image = malloc(len);
	if (cfi->image)
		memcpy(cfi->image, image, len);
	return begin(cfi, cfi->image ? sym_elf_begin_memory(cfi->image, len, &cfi->elf) : -ENOMEM,
		     out);
}

static bool ends_before(const void *rule, const void *address)
{
	return ((const struct cfi_rule *)rule)->end <= *(const uint64_t *)address;
}

/* Remembers a rule, unless the file contradicts itself: then it is asked again. */
static void keep(struct cfi *cfi, size_t at, const struct cfi_rule *rule)
{
	if ((at && cfi->rules[at - 1].end > rule->start) ||
	    (at < cfi->n && cfi->rules[at].start < rule->end) || cfi->n == RULES_MAX ||
	    array_reserve(&cfi->rules, &cfi->room, cfi->n + 1, sizeof(*rule)))
		return;
	memmove(&cfi->rules[at + 1], &cfi->rules[at], (cfi->n - at) * sizeof(*rule));
	cfi->rules[at] = *rule;
	cfi->n++;
}

/* What its entry, and the one that this refers to, say of an address. */
static bool ask(const struct cfi *cfi, uint64_t address, struct cfi_rule *rule)
{
	const struct sym_function *f = sym_object_function(&cfi->object, address);
	Dwarf_CFI_Entry entry, common;

	if (!f || !entry_at(cfi, f->entry, &entry) || dwarf_cfi_cie_p(&entry) ||
	    !entry_at(cfi, entry.fde.CIE_pointer, &common) || !dwarf_cfi_cie_p(&common))
		return false;
	rule->start = f->start;
	rule->end = f->start + f->size;
	return cfi_run(&common.cie, &entry.fde, address, rule);
}

bool cfi_find(struct cfi *cfi, uint64_t offset, struct cfi_rule *rule)
{
	uint64_t address;
	size_t at;

	if (!sym_object_vaddr(&cfi->object, offset, &address))
		return false;
	at = array_lower_bound(cfi->rules, cfi->n, sizeof(*cfi->rules), ends_before, &address);
	if (at < cfi->n && cfi->rules[at].start <= address) {
		*rule = cfi->rules[at];
		return true;
	}
	if (!ask(cfi, address, rule))
		return false;
	keep(cfi, at, rule);
	return true;
}
