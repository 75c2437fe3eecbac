// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* stack_copy.c - see stack_copy.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/stack_copy.h"

#define TOPS_MAX (1 << 18)
#define FIRST_ROOM 256

struct stack_tops {
	struct symbols *symbols;
	struct stack_top *list;
	uint32_t *places;	/* a hash table: number in the list + 1; 0: free */
	size_t n, room;		/* of the list; the table has twice the room, a power of two */
	struct stack_tops_stats stats;
};

/* Whose code the rules are about. */
struct owner {
	struct symbols *symbols;
	uint32_t pid;
};

struct stack_tops *stack_tops_new(struct symbols *symbols)
{
	struct stack_tops *t = calloc(1, sizeof(*t));

	if (t)
		t->symbols = symbols;
	return t;
}

void stack_tops_free(struct stack_tops *t)
{
	if (!t)
		return;
	free(t->list);
	free(t->places);
	free(t);
}

static bool equal(const struct stack_top *a, const struct stack_top *b)
{
	return a->pid == b->pid && a->id == b->id && a->ip == b->ip &&
	       a->callers.n == b->callers.n && a->callers.instead == b->callers.instead &&
	       a->callers.astray == b->callers.astray &&
	       !memcmp(a->callers.at, b->callers.at, a->callers.n * sizeof(a->callers.at[0]));
}

static size_t place_of(const struct stack_tops *t, const struct stack_top *top)
{
	uint64_t hash = top->pid * 2654435761u ^ (uint32_t)top->id;
	size_t mask = 2 * t->room - 1, i;

	for (unsigned k = 0; k < top->callers.n; k++)
		hash = (hash ^ top->callers.at[k]) * 0x9e3779b97f4a7c15;
	for (i = (hash >> 20) & mask; t->places[i]; i = (i + 1) & mask)
		if (equal(&t->list[t->places[i] - 1], top))
			break;
	return i;
}

static int grow(struct stack_tops *t)
{
	size_t more = t->room ? 2 * t->room : FIRST_ROOM;
	struct stack_top *list = reallocarray(t->list, more, sizeof(*list));
	uint32_t *places;

	if (!list)
		return -ENOMEM;
	t->list = list;
	places = calloc(2 * more, sizeof(*places));
	if (!places)
		return -ENOMEM;
	free(t->places);
	t->places = places;
	t->room = more;
	for (size_t i = 0; i < t->n; i++)
		places[place_of(t, &list[i])] = (uint32_t)i + 1;
	return 0;
}

/* Its id, or the map's where there is no room. */
static int32_t intern(struct stack_tops *t, const struct stack_top *top)
{
	size_t i;

	if (t->n == t->room && (t->n >= TOPS_MAX || grow(t)))
		return top->id;
	i = place_of(t, top);
	if (!t->places[i]) {
		t->list[t->n++] = *top;
		t->places[i] = (uint32_t)t->n;
	}
	return TOPS_FIRST_ID + (int32_t)t->places[i] - 1;
}

static int rule_of(void *ctx, uint64_t address, struct cfi_rule *rule)
{
	const struct owner *owner = ctx;

	return symbols_rule(owner->symbols, owner->pid, address, rule);
}

static int32_t resolve(struct stack_tops *t, uint32_t pid, int32_t id, const struct user_top *top)
{
	struct stack_top found = { .pid = pid, .id = id, .ip = top->ip };
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

const void *stack_tops_record(struct stack_tops *t, const void *data, size_t *size,
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

const struct stack_top *stack_tops_find(const struct stack_tops *t, int32_t id)
{
	size_t i = (size_t)id - TOPS_FIRST_ID;

	return id >= TOPS_FIRST_ID && i < t->n ? &t->list[i] : NULL;
}

/* Whether it is of that stack: the map compares hashes only. What both have is in both, in order. */
static bool fits(const struct stack_top *top, const uint64_t *ip, size_t n)
{
	const struct callers *c = &top->callers;
	unsigned k = 0;

	if (n < 1 + c->instead || ip[0] != top->ip)
		return false;
	for (unsigned i = 0; i < c->n && k < c->instead; i++)
		k += c->at[i] == ip[1 + k];
	return k == c->instead;
}

size_t stack_top_apply(const struct stack_top *top, uint64_t *ip, size_t n, size_t room)
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

void stack_tops_get_stats(const struct stack_tops *t, struct stack_tops_stats *stats)
{
	*stats = t->stats;
}
