/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cfi_run.c - the instructions of an entry of .eh_frame (DWARF 5, 6.4.2), for the three registers
 * that we follow. libdw would run them as well, but takes memory for any register that a file makes
 * up.
 */
#include <dwarf.h>
#include <string.h>

#include "symbols/elf.h"

/* DWARF's numbers of registers on x86-64. */
#define REG_FP 6
#define REG_SP 7
#define REG_RA 16

#define PCREL_4 0x1b	/* addresses are 4 bytes, relative to themselves */

#define REMEMBERED_MAX 16
#define OFFSET_MAX (1 << 30)

struct bytes_left {
	const uint8_t *at, *end;
	bool bad;
};

struct where {
	enum cfi_fp how;	/* CFI_FP_*, for the return address too */
	int64_t offset;
};

struct row {
	uint64_t cfa_register;
	int64_t cfa_offset;
	bool expression;
	struct where fp, ra;
};

struct run {
	uint64_t code_factor;
	int64_t data_factor;
	struct bytes_left in;
	struct row row, initial, remembered[REMEMBERED_MAX];
	unsigned depth;
	uint64_t start, end, address;	/* the row is from start on; end: where the next begins */
};

static uint64_t fixed(struct bytes_left *in, size_t n)
{
	uint64_t value = 0;

	if ((size_t)(in->end - in->at) < n) {
		in->bad = true;
		in->at = in->end;
		return 0;
	}
	memcpy(&value, in->at, n);
	in->at += n;
	return value;
}

static uint64_t uleb(struct bytes_left *in)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 63; shift += 7) {
		uint64_t byte = fixed(in, 1);

		value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	in->bad = true;
	return 0;
}

static int64_t sleb(struct bytes_left *in)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 56;) {
		uint64_t byte = fixed(in, 1);

		value |= (byte & 0x7f) << shift;
		shift += 7;
		if (!(byte & 0x80))
			return (int64_t)(value | (byte & 0x40 ? ~0ull << shift : 0));
	}
	in->bad = true;
	return 0;
}

static void block(struct bytes_left *in)
{
	uint64_t len = uleb(in);

	if (len > (size_t)(in->end - in->at))
		in->bad = true;
	else
		in->at += len;
}

static int64_t times(struct run *r, int64_t value, int64_t factor)
{
	int64_t product;

	if (__builtin_mul_overflow(value, factor, &product) || product > OFFSET_MAX ||
	    product < -OFFSET_MAX)
		r->in.bad = true;
	return r->in.bad ? 0 : product;
}

static void set(struct run *r, uint64_t reg, enum cfi_fp how, int64_t offset)
{
	if (reg == REG_FP)
		r->row.fp = (struct where){ how, offset };
	else if (reg == REG_RA)
		r->row.ra = (struct where){ how, offset };
}

static void restore(struct run *r, uint64_t reg)
{
	if (reg == REG_FP)
		r->row.fp = r->initial.fp;
	else if (reg == REG_RA)
		r->row.ra = r->initial.ra;
}

static void def_cfa(struct run *r, uint64_t reg, int64_t offset)
{
	r->row.cfa_register = reg;
	r->row.cfa_offset = offset;
	r->row.expression = false;
}

/* Whether the address is still further on. */
static bool advance(struct run *r, uint64_t delta)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(delta, r->code_factor, &bytes) ||
	    bytes > r->end - r->start) {
		r->in.bad = true;
		return false;
	}
	if (r->start + bytes > r->address) {
		r->end = r->start + bytes;
		return false;
	}
	r->start += bytes;
	return true;
}

/* An instruction about where a register is. */
static void place(struct run *r, uint8_t op)
{
	struct bytes_left *in = &r->in;
	uint64_t reg = uleb(in);

	switch (op) {
	case DW_CFA_offset_extended:
		set(r, reg, CFI_FP_SAVED, times(r, (int64_t)uleb(in), r->data_factor));
		break;
	case DW_CFA_offset_extended_sf:
		set(r, reg, CFI_FP_SAVED, times(r, sleb(in), r->data_factor));
		break;
	case DW_CFA_restore_extended:
		restore(r, reg);
		break;
	case DW_CFA_same_value:
		set(r, reg, CFI_FP_SAME, 0);
		break;
	case DW_CFA_expression:
	case DW_CFA_val_expression:
		block(in);
		set(r, reg, CFI_FP_LOST, 0);
		break;
	case DW_CFA_register:
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf:
		uleb(in);
		set(r, reg, CFI_FP_LOST, 0);
		break;
	case DW_CFA_undefined:
		set(r, reg, CFI_FP_LOST, 0);
		break;
	default:
		in->bad = true;
	}
}

/* One instruction; false when the row is found, or cannot be. */
static bool step(struct run *r)
{
	struct bytes_left *in = &r->in;
	uint8_t op = (uint8_t)fixed(in, 1), low = op & 0x3f;
	uint64_t reg;

	switch (op & 0xc0) {
	case DW_CFA_advance_loc:
		return advance(r, low);
	case DW_CFA_offset:
		set(r, low, CFI_FP_SAVED, times(r, (int64_t)uleb(in), r->data_factor));
		return !in->bad;
	case DW_CFA_restore:
		restore(r, low);
		return true;
	}
	switch (op) {
	case DW_CFA_nop:
		break;
	case DW_CFA_advance_loc1:
		return advance(r, fixed(in, 1));
	case DW_CFA_advance_loc2:
		return advance(r, fixed(in, 2));
	case DW_CFA_advance_loc4:
		return advance(r, fixed(in, 4));
	case DW_CFA_remember_state:
		if (r->depth < REMEMBERED_MAX)
			r->remembered[r->depth++] = r->row;
		else
			in->bad = true;
		break;
	case DW_CFA_restore_state:
		if (r->depth)
			r->row = r->remembered[--r->depth];
		else
			in->bad = true;
		break;
	case DW_CFA_def_cfa:
		reg = uleb(in);
		def_cfa(r, reg, times(r, (int64_t)uleb(in), 1));
		break;
	case DW_CFA_def_cfa_sf:
		reg = uleb(in);
		def_cfa(r, reg, times(r, sleb(in), r->data_factor));
		break;
	case DW_CFA_def_cfa_register:
		r->row.cfa_register = uleb(in);
		break;
	case DW_CFA_def_cfa_offset:
		r->row.cfa_offset = times(r, (int64_t)uleb(in), 1);
		break;
	case DW_CFA_def_cfa_offset_sf:
		r->row.cfa_offset = times(r, sleb(in), r->data_factor);
		break;
	case DW_CFA_def_cfa_expression:
		block(in);
		r->row.expression = true;
		break;
	case DW_CFA_GNU_args_size:
		uleb(in);
		break;
	default:
		place(r, op);
	}
	return !in->bad;
}

static void run_all(struct run *r, const uint8_t *begin, const uint8_t *end)
{
	r->in = (struct bytes_left){ .at = begin, .end = end };
	while (r->in.at < r->in.end && step(r))
		;
}

static void tell(const struct run *r, struct cfi_rule *rule)
{
	const struct row *row = &r->row;

	*rule = (struct cfi_rule){ .start = r->start, .end = r->end };
	if (row->expression || row->ra.how != CFI_FP_SAVED || row->ra.offset != -8)
		return;
	if (row->cfa_register == REG_SP && row->cfa_offset > 0)
		rule->cfa = CFI_CFA_SP;
	else if (row->cfa_register == REG_FP && row->cfa_offset >= 16)
		rule->cfa = CFI_CFA_FP;
	rule->cfa_offset = row->cfa_offset;
	rule->fp = row->fp.how;
	rule->fp_offset = row->fp.offset;
}

/* The routine of a language: its encoding and an address, which we don't want. */
static void personality(struct bytes_left *in)
{
	static const uint8_t sizes[16] = { 8, 0, 2, 4, 8, 0, 0, 0, 0, 0, 2, 4, 8 };
	uint8_t size = sizes[fixed(in, 1) & 0x0f];

	if (!size)
		in->bad = true;
	fixed(in, size);
}

/* Whether what entries have in common is of a kind of x86-64 that we know, and not a signal's. */
static bool is_known(const Dwarf_CIE *cie)
{
	struct bytes_left in = { .at = cie->augmentation_data,
				 .end = cie->augmentation_data + cie->augmentation_data_size };
	const char *letter = cie->augmentation;
	uint64_t encoding = 0;

	if (!letter || *letter != 'z' || !in.at || cie->return_address_register != REG_RA)
		return false;
	while (*++letter && !in.bad) {
		if (*letter == 'R')
			encoding = fixed(&in, 1);
		else if (*letter == 'L')
			fixed(&in, 1);
		else if (*letter == 'P')
			personality(&in);
		else	/* 'S': a signal's frame; others are not known */
			return false;
	}
	return !in.bad && encoding == PCREL_4;
}

bool cfi_run(const Dwarf_CIE *cie, const Dwarf_FDE *fde, uint64_t address, struct cfi_rule *rule)
{
	struct run r = { .code_factor = cie->code_alignment_factor,
			 .data_factor = cie->data_alignment_factor,
			 .row.fp.how = CFI_FP_SAME, .start = rule->start, .end = rule->end,
			 .address = address };
	const uint8_t *instructions;

	/* Two words of 4 bytes say what it is about. */
	if (!is_known(cie) || fde->end - fde->start < 8)
		return false;
	r.in = (struct bytes_left){ .at = fde->start + 8, .end = fde->end };
	block(&r.in);	/* the augmentation */
	instructions = r.in.at;
	if (r.in.bad)
		return false;
	run_all(&r, cie->initial_instructions, cie->initial_instructions_end);
	r.initial = r.row;
	if (r.in.bad || r.depth || r.start != rule->start || r.end != rule->end)
		return false;
	run_all(&r, instructions, fde->end);
	if (r.in.bad)
		return false;
	tell(&r, rule);
	return true;
}
