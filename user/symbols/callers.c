/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* callers.c - see callers.h. */
#include <errno.h>

#include "symbols/callers.h"

#define WORD sizeof(uint64_t)

/* Registers in a function on the way out. */
struct place {
	uint64_t pc, sp, fp;
	bool fp_known;
};

/* A word of the stack, if it was sent and was not yet left behind. */
static bool word_at(const struct user_top *top, const struct place *p, uint64_t address,
		    uint64_t *word)
{
	uint64_t at = address - top->sp;

	if (address < p->sp || at % WORD || at / WORD >= top->n)
		return false;
	*word = top->word[at / WORD];
	return true;
}

/* Where the frame begins; 0: nobody knows. */
static uint64_t frame_of(const struct place *p, const struct cfi_rule *rule)
{
	if (rule->cfa == CFI_CFA_SP)
		return p->sp + (uint64_t)rule->cfa_offset;
	if (rule->cfa == CFI_CFA_FP && p->fp_known)
		return p->fp + (uint64_t)rule->cfa_offset;
	return 0;
}

/* From a function to its caller, or false. */
static bool go_out(const struct user_top *top, struct place *p, const struct cfi_rule *rule,
		   uint64_t frame)
{
	uint64_t ra, saved = frame + (uint64_t)rule->fp_offset;

	if (frame <= p->sp || !word_at(top, p, frame - WORD, &ra))
		return false;
	/* Below the stack pointer it was taken back already: then the register has it. */
	if (rule->fp == CFI_FP_SAVED && saved >= p->sp)
		p->fp_known = word_at(top, p, saved, &p->fp);
	else if (rule->fp == CFI_FP_LOST)
		p->fp_known = false;
	p->pc = ra;
	p->sp = frame;
	return true;
}

/* The kernel's walk alongside: its next frame is the word behind the one that fp points to. */
struct alongside {
	uint64_t fp;
	bool met;	/* one of its frames was ours too */
	unsigned last;	/* of our callers, the last that it lacks: number + 1 */
};

/* The frame pointer is none, as where threads begin: the kernel's walk has no further frames. */
static bool ended(const struct alongside *k)
{
	return k->fp < 4096;
}

/*
 * The walk by rules ends here. Further out the kernel's frames are right, if its walk went by frame
 * pointers: then the callers behind the last one that only the rules found are left out, for the
 * kernel's frames have them too.
 */
static int stop(const struct place *p, const struct alongside *k, struct callers *out)
{
	bool elsewhere = (p->fp_known && p->fp != k->fp) || k->fp + WORD < p->sp;

	out->astray = elsewhere && !ended(k);
	if (!out->astray) {
		out->instead -= out->n - k->last;
		out->n = k->last;
	}
	return elsewhere || k->met ? 0 : -ENODATA;
}

int callers_find(const struct user_top *top, callers_rule_fn rule, void *ctx, struct callers *out)
{
	struct place p = { .pc = top->ip, .sp = top->sp, .fp = top->fp, .fp_known = true };
	struct alongside k = { .fp = top->fp };
	uint64_t frame, next = 0;
	struct cfi_rule r;
	bool both;
	int err;

	*out = (struct callers){ 0 };
	for (;;) {
		/* All have the same beginning, however far their words reach. */
		if (k.met && ended(&k))
			return stop(&p, &k, out);
		/* Of a return address, the call. */
		err = rule(ctx, p.pc - (out->n > 0), &r);
		if (err == -ENOENT) {
			*out = (struct callers){ 0 };
			return -EBADMSG;
		}
		frame = err ? 0 : frame_of(&p, &r);
		both = frame && frame - WORD == k.fp + WORD;
		k.met = k.met || both;
		if (!frame || out->n == CALLERS_MAX || (both && !word_at(top, &p, k.fp, &next)) ||
		    !go_out(top, &p, &r, frame))
			return stop(&p, &k, out);
		out->at[out->n++] = p.pc;
		if (both) {
			k.fp = next;
			p.fp_known = p.fp_known && p.fp == next;
			out->instead++;
		} else {
			k.last = out->n;
		}
	}
}
