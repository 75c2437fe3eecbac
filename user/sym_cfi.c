// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sym_cfi.c - rules by libdw, remembered as ranges in order of their addresses. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sym_cfi.h"
#include "sym_elf.h"

#define RULES_MAX (1u << 20)

/* DWARF's numbers of registers on x86-64. */
#define REG_FP 6
#define REG_SP 7
#define REG_RA 16
#define FP_FRAME 16	/* a return address and a frame pointer */

struct cfi {
	int fd;		/* -1: in memory */
	char *image;
	Elf *elf;
	Dwarf_CFI *info;
	struct sym_object object;	/* for its segments */
	struct cfi_rule *rules;
	size_t n, room;
};

void cfi_close(struct cfi *cfi)
{
	if (!cfi)
		return;
	if (cfi->info)
		dwarf_cfi_end(cfi->info);
	elf_end(cfi->elf);
	sym_object_free(&cfi->object);
	if (cfi->fd >= 0)
		close(cfi->fd);
	free(cfi->image);
	free(cfi->rules);
	free(cfi);
}

/* Takes over *cfi, also when it fails. */
static int begin(struct cfi *cfi, int err, struct cfi **out)
{
	GElf_Ehdr header;

	if (!err)
		err = sym_elf_head(cfi->elf, &cfi->object);
	if (!err && (!gelf_getehdr(cfi->elf, &header) || header.e_machine != EM_X86_64))
		err = -ENODATA;
	if (!err) {
		cfi->info = dwarf_getcfi_elf(cfi->elf);
		err = cfi->info ? 0 : -ENODATA;
	}
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

/* "At the frame's beginning and so much", as libdw says it. */
static bool at_frame(const Dwarf_Op *ops, size_t n, int64_t *offset)
{
	*offset = 0;
	if (!n || n > 2 || ops[0].atom != DW_OP_call_frame_cfa)
		return false;
	if (n == 2 && ops[1].atom != DW_OP_plus_uconst)
		return false;
	if (n == 2)
		*offset = (int64_t)ops[1].number;
	return true;
}

static void read_cfa(Dwarf_Frame *frame, struct cfi_rule *rule)
{
	Dwarf_Op *ops;
	size_t n;

	if (dwarf_frame_cfa(frame, &ops, &n) || n != 1 || ops[0].atom != DW_OP_bregx)
		return;
	rule->cfa_offset = (int64_t)ops[0].number2;
	if (ops[0].number == REG_SP && rule->cfa_offset > 0)
		rule->cfa = CFI_CFA_SP;
	else if (ops[0].number == REG_FP && rule->cfa_offset >= FP_FRAME)
		rule->cfa = CFI_CFA_FP;
}

static void read_fp(Dwarf_Frame *frame, struct cfi_rule *rule)
{
	Dwarf_Op room[3], *ops;
	size_t n;

	if (dwarf_frame_register(frame, REG_FP, room, &ops, &n))
		return;
	if (!n && !ops)
		rule->fp = CFI_FP_SAME;
	else if (at_frame(ops, n, &rule->fp_offset))
		rule->fp = CFI_FP_SAVED;
}

static void read_rule(Dwarf_Frame *frame, struct cfi_rule *rule)
{
	Dwarf_Op room[3], *ops;
	bool signal = false;
	int64_t offset;
	size_t n;
	int ra = dwarf_frame_info(frame, &rule->start, &rule->end, &signal);

	/* A signal's frame restores all registers, and who was hit called nobody. */
	if (ra != REG_RA || signal || dwarf_frame_register(frame, REG_RA, room, &ops, &n) ||
	    !at_frame(ops, n, &offset) || offset != -(int64_t)sizeof(uint64_t))
		return;
	read_cfa(frame, rule);
	read_fp(frame, rule);
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
	if (at < cfi->n && cfi->rules[at].end == rule->end) {
		cfi->rules[at].start = rule->start;
		return;
	}
	if ((at < cfi->n && cfi->rules[at].start < rule->end) || cfi->n == RULES_MAX)
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

bool cfi_find(struct cfi *cfi, uint64_t offset, struct cfi_rule *rule)
{
	Dwarf_Frame *frame;
	uint64_t address;
	size_t at;

	if (!sym_object_vaddr(&cfi->object, offset, &address))
		return false;
	at = first_behind(cfi, address);
	if (at < cfi->n && cfi->rules[at].start <= address) {
		*rule = cfi->rules[at];
		return true;
	}
	if (dwarf_cfi_addrframe(cfi->info, address, &frame))
		return false;
	*rule = (struct cfi_rule){ 0 };
	read_rule(frame, rule);
	free(frame);
	if (address >= rule->end)
		return false;
	/* libdw's beginning is too early behind DW_CFA_restore_state. */
	rule->start = address;
	keep(cfi, at, rule);
	return true;
}
