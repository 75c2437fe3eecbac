/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cfi.c - rules remembered as ranges, sorted. Which entry is about an address stands in the unwind
 * table (unwind.c); libdw takes the entries apart, and cfi_run.c reads what stands in them.
 */
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "symbols/cfi_run.h"
#include "symbols/elf.h"

#define RULES_MAX (1u << 20)
#define ENTRIES_MAX_BYTES (64u << 20)

#define PCREL_4 0x1b	/* 4 bytes, relative to themselves: what linkers write */

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

static bool entry_at(const struct cfi *cfi, Dwarf_Off at, Dwarf_Off *next, Dwarf_CFI_Entry *entry)
{
	return at < cfi->frames->d_size &&
	       !dwarf_next_cfi(cfi->ident, cfi->frames, true, at, next, entry);
}

/* The entry that an FDE refers to, if it is of a kind that we know. */
static bool common_of(const struct cfi *cfi, const Dwarf_FDE *fde, struct cfi_common *common)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;

	return entry_at(cfi, fde->CIE_pointer, &next, &entry) && dwarf_cfi_cie_p(&entry) &&
	       cfi_common(&entry.cie, common) && common->encoding == PCREL_4;
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

/* What its entry says of an address. */
static bool ask(const struct cfi *cfi, uint64_t address, struct cfi_rule *rule)
{
	const struct sym_function *f = sym_object_function(&cfi->object, address);
	struct cfi_common common;
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;

	if (!f || !entry_at(cfi, f->entry, &next, &entry) || dwarf_cfi_cie_p(&entry) ||
	    !common_of(cfi, &entry.fde, &common) || entry.fde.end - entry.fde.start < 8)
		return false;
	rule->start = f->start;
	rule->end = f->start + f->size;
	return cfi_run(&common, entry.fde.start + 8, entry.fde.end, address, rule);
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
