/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stack_copy.c - see stack_copy.h. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/stack_copy.h"

#define COPIES_MAX (1 << 18)
#define WORD sizeof(uint64_t)

/* --- callers by rules --- */

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

/* --- what is remembered --- */

/* Whose code the rules are about. */
struct owner {
	struct symbols *symbols;
	uint32_t pid;
};

void stack_copies_free(struct stack_copies *t)
{
	free(t->list);
	map_free(&t->known);
}

static bool same_copy(const void *list, uint32_t number, const void *copy)
{
	const struct stack_copy *a = &((const struct stack_copy *)list)[number], *b = copy;

	return a->pid == b->pid && a->id == b->id && a->ip == b->ip &&
	       a->callers.n == b->callers.n && a->callers.instead == b->callers.instead &&
	       a->callers.astray == b->callers.astray &&
	       !memcmp(a->callers.at, b->callers.at, a->callers.n * sizeof(a->callers.at[0]));
}

/* Its id, or the map's where there is no room. */
static int32_t intern(struct stack_copies *t, const struct stack_copy *copy)
{
	/* Up to the last caller a copy has no holes: these bytes are its key. */
	size_t len = offsetof(struct stack_copy, callers.at) +
		     copy->callers.n * sizeof(copy->callers.at[0]);
	uint32_t i = map_find(&t->known, copy, len, same_copy, t->list);

	if (i == MAP_NONE) {
		if (t->n >= COPIES_MAX ||
		    array_reserve(&t->list, &t->room, t->n + 1, sizeof(*t->list)) ||
		    map_add(&t->known, copy, len, (uint32_t)t->n))
			return copy->id;
		i = (uint32_t)t->n++;
		t->list[i] = *copy;
	}
	return STACK_COPY_FIRST_ID + (int32_t)i;
}

static int rule_of(void *ctx, uint64_t address, struct cfi_rule *rule)
{
	const struct owner *owner = ctx;

	return symbols_rule(owner->symbols, owner->pid, address, rule);
}

static int32_t resolve(struct stack_copies *t, uint32_t pid, int32_t id, const struct user_top *top)
{
	struct stack_copy found = { .pid = pid, .id = id, .ip = top->ip };
	struct owner owner = { .symbols = t->symbols, .pid = pid };
	int err;

	if (id < 0 || !top->n || top->n > TOP_WORDS)
		return id;
	t->asked++;
	err = callers_find(top, rule_of, &owner, &found.callers);
	t->bad += err == -EBADMSG;
	t->open += err == -ENODATA && found.callers.n;
	t->astray += found.callers.astray;
	t->found += found.callers.n > found.callers.instead;
	if (!found.callers.n && !found.callers.astray)
		return id;
	return intern(t, &found);
}

const void *stack_copies_record(struct stack_copies *t, const void *data, size_t *size,
				struct ev_offcpu *room)
{
	const struct ev_offcpu_top *o = data;
	const struct ev_sample_top *s = data;
	struct ev_sample *sample = (struct ev_sample *)room;
	struct user_top top;

	if (*size == sizeof(*o) && o->offcpu.head.kind == EV_OFFCPU) {
		*room = o->offcpu;
		memcpy(&top, &o->top, sizeof(o->top));
		room->user_stack = resolve(t, room->pid, room->user_stack, &top);
		*size = room->head.size = sizeof(*room);
	} else if (*size == sizeof(*s) && s->sample.head.kind == EV_SAMPLE) {
		*sample = s->sample;
		sample->user_stack = resolve(t, sample->pid, sample->user_stack, &s->top);
		*size = sample->head.size = sizeof(*sample);
	} else {
		return data;
	}
	return room;
}

const struct stack_copy *stack_copies_find(const struct stack_copies *t, int32_t id)
{
	size_t i = (size_t)id - STACK_COPY_FIRST_ID;

	return id >= STACK_COPY_FIRST_ID && i < t->n ? &t->list[i] : NULL;
}

/* Whether it is of that stack: the map compares hashes only. What both have is in order. */
static bool fits(const struct stack_copy *top, const uint64_t *ip, size_t n)
{
	const struct callers *c = &top->callers;
	unsigned k = 0;

	if (n < 1 + c->instead || ip[0] != top->ip)
		return false;
	for (unsigned i = 0; i < c->n && k < c->instead; i++)
		k += c->at[i] == ip[1 + k];
	return k == c->instead;
}

size_t stack_copy_apply(const struct stack_copy *top, uint64_t *ip, size_t n, size_t room)
{
	const struct callers *c = &top->callers;
	size_t first = 1 + c->instead, rest = 0;

	if (!fits(top, ip, n))
		return n;
	if (!c->astray)
		rest = n - first < room - 1 - c->n ? n - first : room - 1 - c->n;
	memmove(&ip[1 + c->n], &ip[first], rest * sizeof(*ip));
	memcpy(&ip[1], c->at, c->n * sizeof(*ip));
	return 1 + c->n + rest;
}
