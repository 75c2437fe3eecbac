/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stack_copy.c - see stack_copy.h. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"
#include "symbols/stack_copy.h"

#define COPIES_MAX (1 << 18)

struct stack_copies {
	struct symbols *symbols;
	struct stack_copy *list;
	size_t n, room;
	struct map known;
	struct stack_copies_stats stats;
};

/* Whose code the rules are about. */
struct owner {
	struct symbols *symbols;
	uint32_t pid;
};

struct stack_copies *stack_copies_new(struct symbols *symbols)
{
	struct stack_copies *t = calloc(1, sizeof(*t));

	if (t)
		t->symbols = symbols;
	return t;
}

void stack_copies_free(struct stack_copies *t)
{
	if (!t)
		return;
	free(t->list);
	map_free(&t->known);
	free(t);
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
	t->stats.asked++;
	err = callers_find(top, rule_of, &owner, &found.callers);
	t->stats.bad += err == -EBADMSG;
	t->stats.open += err == -ENODATA && found.callers.n;
	t->stats.astray += found.callers.astray;
	t->stats.found += found.callers.n > found.callers.instead;
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

/* Whether it is of that stack: the map compares hashes only. What both have is in both, in order. */
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

void stack_copies_get_stats(const struct stack_copies *t, struct stack_copies_stats *stats)
{
	*stats = t->stats;
}
