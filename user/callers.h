/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * callers.h - the callers that frame pointers miss: from where a thread was, by the rules of
 * call-frame information, to the first frame that the kernel's walk found.
 *
 *   kernel, by frame pointers:  clock_nanosleep <- ............................... <- main
 *   here, by rules:             clock_nanosleep <- usleep <- its caller (has a frame) |
 *
 * A pure function of the registers, the words and the rules.
 */
#ifndef EPOLLSCOPE_CALLERS_H
#define EPOLLSCOPE_CALLERS_H

#include <linux/types.h>

#include "../bpf/hist.h"
#include "../bpf/events.h"
#include "cfi.h"

#define CALLERS_MAX 8

/* 0; -ENODATA: code without a rule; -ENOENT: no code is there. */
typedef int (*callers_rule_fn)(void *ctx, uint64_t address, struct cfi_rule *rule);

struct callers {
	uint64_t at[CALLERS_MAX];	/* return addresses, innermost first */
	unsigned n;
	/*
	 * The frame pointer was not one where the kernel's walk began: what that found is not on
	 * the stack. Without it the rest is not known.
	 */
	bool astray;
};

/*
 * 0: they reach the kernel's next frame, or it is known to be astray. -ENODATA: a rule or a word is
 * missing on the way; those found are right all the same. -EBADMSG: no code where a caller should be,
 * there are none.
 */
int callers_find(const struct user_top *top, callers_rule_fn rule, void *ctx, struct callers *out);

#endif
