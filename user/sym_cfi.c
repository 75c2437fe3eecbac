// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sym_cfi.c - the entries of .eh_frame, sorted, and rules remembered as ranges, sorted too. libdw takes
 * the entries apart; what stands in them is read in sym_cfi_run.c.
 */
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sym_cfi_run.h"
#include "sym_elf.h"

#define RULES_MAX (1u << 20)
#define ENTRIES_MAX (1u << 22)

#define PCREL_4 0x1b	/* 4 bytes, relative to themselves: what linkers write */

/* An entry: the code it is about, and where it stands in .eh_frame. */
struct entry {
	uint64_t start;
	uint32_t size;
	uint32_t at;
};

struct cfi {
	int fd;		/* -1: in memory */
	char *image;
	Elf *elf;
	unsigned char ident[EI_NIDENT];
	Elf_Data *frames;	/* .eh_frame */
	uint64_t address;	/* its own */
	struct entry *entries;
	size_t n_entries;
	struct sym_object object;	/* for its segments */
	struct cfi_rule *rules;
	size_t n, room;
};

void cfi_close(struct cfi *cfi)
{
	if (!cfi)
		return;
	free(cfi->entries);
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

static bool read_entry(const struct cfi *cfi, const Dwarf_FDE *fde, Dwarf_Off at,
		       struct entry *entry)
{
	struct cfi_common common;
	int32_t start;

	if (fde->end - fde->start < 8 || !common_of(cfi, fde, &common))
		return false;
	memcpy(&start, fde->start, 4);
	memcpy(&entry->size, fde->start + 4, 4);
	entry->start = cfi->address + (uint64_t)start +
		       (uint64_t)(fde->start - (const uint8_t *)cfi->frames->d_buf);
	entry->at = (uint32_t)at;
	return entry->size;
}

static int by_start(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Twice: to count them, and to take them. */
static int read_entries(struct cfi *cfi)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off next, at;
	size_t n = 0;

	for (at = 0; entry_at(cfi, at, &next, &entry) && next > at && n < ENTRIES_MAX; at = next)
		n += !dwarf_cfi_cie_p(&entry);
	if (!n)
		return -ENODATA;
	cfi->entries = malloc(n * sizeof(*cfi->entries));
	if (!cfi->entries)
		return -ENOMEM;
	for (at = 0; cfi->n_entries < n && entry_at(cfi, at, &next, &entry) && next > at; at = next)
		if (!dwarf_cfi_cie_p(&entry))
			cfi->n_entries += read_entry(cfi, &entry.fde, at,
						     &cfi->entries[cfi->n_entries]);
	qsort(cfi->entries, cfi->n_entries, sizeof(*cfi->entries), by_start);
	return 0;
}

static int find_frames(struct cfi *cfi)
{
	Elf_Scn *section = sym_elf_section(cfi->elf, ".eh_frame");
	GElf_Ehdr header;
	GElf_Shdr shdr;

	if (!gelf_getehdr(cfi->elf, &header) || header.e_machine != EM_X86_64)
		return -ENODATA;
	cfi->frames = sym_elf_data(section);
	if (!cfi->frames || !gelf_getshdr(section, &shdr))
		return -ENODATA;
	memcpy(cfi->ident, header.e_ident, EI_NIDENT);
	cfi->address = shdr.sh_addr;
	return read_entries(cfi);
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

/* The first rule that ends behind the address. */
static size_t first_behind(const struct cfi *cfi, uint64_t address)
{
	size_t low = 0, high = cfi->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cfi->rules[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Remembers a rule, unless the file contradicts itself: then it is asked again. */
static void keep(struct cfi *cfi, size_t at, const struct cfi_rule *rule)
{
	if ((at && cfi->rules[at - 1].end > rule->start) ||
	    (at < cfi->n && cfi->rules[at].start < rule->end) || cfi->n == RULES_MAX)
		return;
	if (cfi->n == cfi->room) {
		size_t more = cfi->room ? 2 * cfi->room : 64;
		struct cfi_rule *rules = reallocarray(cfi->rules, more, sizeof(*rules));

		if (!rules)
			return;
		cfi->rules = rules;
		cfi->room = more;
	}
	memmove(&cfi->rules[at + 1], &cfi->rules[at], (cfi->n - at) * sizeof(*rule));
	cfi->rules[at] = *rule;
	cfi->n++;
}

/* What its entry says of an address. */
static bool ask(const struct cfi *cfi, uint64_t address, struct cfi_rule *rule)
{
	size_t low = 0, high = cfi->n_entries;
	struct cfi_common common;
	Dwarf_CFI_Entry entry;
	const struct entry *e;
	Dwarf_Off next;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cfi->entries[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	e = low ? &cfi->entries[low - 1] : NULL;
	if (!e || address - e->start >= e->size || !entry_at(cfi, e->at, &next, &entry) ||
	    !common_of(cfi, &entry.fde, &common))
		return false;
	rule->start = e->start;
	rule->end = e->start + e->size;
	return cfi_run(&common, entry.fde.start + 8, entry.fde.end, address, rule);
}

bool cfi_find(struct cfi *cfi, uint64_t offset, struct cfi_rule *rule)
{
	uint64_t address;
	size_t at;

	if (!sym_object_vaddr(&cfi->object, offset, &address))
		return false;
	at = first_behind(cfi, address);
	if (at < cfi->n && cfi->rules[at].start <= address) {
		*rule = cfi->rules[at];
		return true;
	}
	if (!ask(cfi, address, rule))
		return false;
	keep(cfi, at, rule);
	return true;
}
