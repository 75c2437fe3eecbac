/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cfi_run.h - the instructions of one entry of .eh_frame, for the three registers that we follow.
 * libdw would run them as well, but takes memory for any register that a file makes up.
 */
#ifndef EPOLLSCOPE_SYM_CFI_RUN_H
#define EPOLLSCOPE_SYM_CFI_RUN_H

#include <elfutils/libdw.h>

#include "symbols/cfi.h"

/* What entries have in common: a CIE. */
struct cfi_common {
	const uint8_t *begin, *end;	/* instructions */
	uint64_t code_factor;
	int64_t data_factor;
	uint8_t encoding;		/* of addresses */
};

/* Whether it is one of x86-64 that we know, and not a signal's. */
bool cfi_common(const Dwarf_CIE *cie, struct cfi_common *common);

/*
 * The rule at an address of an entry whose augmentation and instructions are these bytes. In: rule->start
 * and end of its code; out: of the rule. False if they are malformed or not known.
 */
bool cfi_run(const struct cfi_common *common, const uint8_t *bytes, const uint8_t *end,
	     uint64_t address, struct cfi_rule *rule);

#endif
