/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * callers.h - the callers that frame pointers miss: from where a thread was, by the rules of
 * call-frame information, as far as the words of its stack reach. A function without a frame hides
 * the one that called it:
 *
 *   kernel, by frame pointers:  clock_nanosleep <- ................. <- serve <- main
 *   here, by rules:             clock_nanosleep <- usleep <- handle <- serve
 *
 * A pure function of the registers, the words and the rules.
 */
#ifndef EPOLLSCOPE_CALLERS_H
#define EPOLLSCOPE_CALLERS_H

#include <linux/types.h>

#include "bpf/hist.h"
#include "bpf/events.h"
#include "symbols/cfi.h"

#define CALLERS_MAX 32

/* 0; -ENODATA: code without a rule; -ENOENT: no code is there. */
typedef int (*callers_rule_fn)(void *ctx, uint64_t address, struct cfi_rule *rule);

struct callers {
	uint64_t at[CALLERS_MAX];	/* return addresses, innermost first */
	unsigned n;			/* up to the last that the kernel's walk lacks */
	unsigned instead;		/* so many that it has are among them */
	/*
	 * The frame pointer was not one where the kernel's walk used it: what that has further is
	 * not on the stack. Without it the rest is not known.
	 */
	bool astray;
};

/*
 * 0: they reach the kernel's frames, or those are known to be astray. -ENODATA: a rule or a word is
 * missing before that; those found are right all the same. -EBADMSG: no code where a caller should be,
 * there are none.
 */
int callers_find(const struct user_top *top, callers_rule_fn rule, void *ctx, struct callers *out);

#endif
