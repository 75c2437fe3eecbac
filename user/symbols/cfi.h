/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cfi.h - the call-frame information of a file (.eh_frame): how to get from an address in a function
 * to that function's caller. Only x86-64; elsewhere no file has any.
 */
#ifndef EPOLLSCOPE_SYM_CFI_H
#define EPOLLSCOPE_SYM_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the frame begins: behind the return address, which is the word below. */
enum cfi_cfa {
	CFI_CFA_NONE,	/* no rule that we can follow */
	CFI_CFA_SP,	/* the stack pointer and cfa_offset */
	CFI_CFA_FP,	/* the frame pointer and cfa_offset */
};

/* Where the caller's frame pointer is. */
enum cfi_fp {
	CFI_FP_LOST,
	CFI_FP_SAME,	/* still in its register */
	CFI_FP_SAVED,	/* in the word at the frame's beginning and fp_offset */
};

struct cfi_rule {
	uint64_t start, end;	/* addresses that it is for, as the file itself gives them */
	enum cfi_cfa cfa;
	enum cfi_fp fp;
	int64_t cfa_offset;
	int64_t fp_offset;
};

struct cfi;

/*
 * Of a file, whose descriptor remains the caller's, or of an image in memory, which is copied. 0;
 * -ENODATA if it has no such information; -ENOEXEC, -EINVAL, -ENOMEM or another negative errno.
 */
int cfi_open(int fd, struct cfi **out);
int cfi_open_memory(const void *image, size_t len, struct cfi **out);
void cfi_close(struct cfi *cfi);	/* NULL is fine */

/* The rule for the byte at this offset in the file; whether there is one. */
bool cfi_find(struct cfi *cfi, uint64_t offset, struct cfi_rule *rule);

#endif
