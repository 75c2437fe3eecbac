/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tree.c - stacks with a common beginning share nodes.
 *
 * A big tree is far larger than the caches, so the time goes into waiting for memory. A node is
 * therefore found by a hash of the names on its way, which is known before any node of the way is:
 * the slots of a whole stack are fetched side by side.
 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int flame_grow(void *array, uint32_t *cap, uint64_t need, size_t size)
{
	void **p = array, *bigger;
	uint64_t want = *cap ? *cap : 64;

	if (need <= *cap)
		return 0;
	while (want < need)
		want *= 2;
	if (want > UINT32_MAX / 2 + 1u)
		return -ENOMEM;
	bigger = realloc(*p, want * size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	*cap = (uint32_t)want;
	return 0;
}

/* Slots are met in no order: with small pages each costs an address translation as well. */
static void use_huge_pages(void *start, size_t size)
{
	const uintptr_t page = 4096, begin = ((uintptr_t)start + page - 1) & ~(page - 1);
	const uintptr_t end = ((uintptr_t)start + size) & ~(page - 1);

	if (size >= 4u << 20)
		madvise((void *)begin, end - begin, MADV_HUGEPAGE);	/* a wish */
}

/* Room for `need` nodes; slots are at most three quarters full. */
static int grow_slots(struct flame_tree *t, uint64_t need)
{
	uint64_t n = t->cap_slots ? t->cap_slots : 256;
	struct slot *slots;

	if (need * 4 <= (uint64_t)t->cap_slots * 3)
		return 0;
	while (n * 3 < need * 4)
		n *= 2;
	slots = n <= UINT32_MAX / 2 + 1u ? calloc(n, sizeof(*slots)) : NULL;
	if (!slots)
		return -ENOMEM;
	use_huge_pages(slots, n * sizeof(*slots));
	for (uint32_t i = 0; i < t->cap_slots; i++) {
		uint32_t at = t->slots[i].hash & (uint32_t)(n - 1);

		if (!t->slots[i].node)
			continue;
		while (slots[at].node)
			at = (at + 1) & (uint32_t)(n - 1);
		slots[at] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->cap_slots = (uint32_t)n;
	return 0;
}

/* Room for `more` nodes in all arrays by node, which grow together. */
static int reserve(struct flame_tree *t, uint32_t more)
{
	uint64_t need = (uint64_t)t->n_nodes + more;
	uint32_t cap = t->cap_nodes;
	int err = grow_slots(t, need);

	if (!err && t->base)
		err = flame_grow(&t->base, &cap, need, sizeof(*t->base));
	return err ? err : flame_grow(&t->nodes, &t->cap_nodes, need, sizeof(*t->nodes));
}

void flame_path_begin(struct flame_path *p)
{
	p->at[0] = FLAME_ROOT_PLACE;
	p->known = p->depth = 0;
}

/* Where the child with this name is to be sought. */
static int seek(struct flame_tree *t, const struct flame_place *parent, const char *s, size_t len,
		struct flame_place *place)
{
	int err = flame_names_find(&t->names, s, len, &place->name);

	place->hash = flame_mix(parent->hash ^ place->name);
	return err;
}

int flame_path_add(struct flame_tree *t, struct flame_path *p, const char *s, size_t len)
{
	struct flame_place *place = &p->at[p->depth + 1];
	int err = seek(t, &p->at[p->depth], s, len, place);

	if (err)
		return err;
	__builtin_prefetch(&t->slots[place->hash & (t->cap_slots - 1)]);
	p->depth++;
	return 0;
}

/* The child `name` of parent, made if need be; there is room. */
static uint32_t child(struct flame_tree *t, uint32_t parent, const struct flame_place *place)
{
	uint32_t hash = (uint32_t)place->hash, mask = t->cap_slots - 1, at = hash & mask;

	for (; t->slots[at].node; at = (at + 1) & mask) {
		const struct node *node = &t->nodes[t->slots[at].node];

		if (t->slots[at].hash == hash && node->parent == parent &&
		    node->name == place->name)
			return t->slots[at].node;
	}
	if (t->base)
		t->base[t->n_nodes] = 0;
	t->nodes[t->n_nodes] = (struct node){ .parent = parent, .name = place->name };
	t->slots[at] = (struct slot){ hash, t->n_nodes };
	return t->n_nodes++;
}

int flame_path_follow(struct flame_tree *t, struct flame_path *p)
{
	int err = reserve(t, p->depth - p->known);

	if (err)
		return err;
	for (uint32_t i = p->known + 1; i <= p->depth; i++)
		__builtin_prefetch(&t->nodes[t->slots[p->at[i].hash & (t->cap_slots - 1)].node]);
	for (uint32_t i = p->known + 1; i <= p->depth; i++)
		p->at[i].node = child(t, p->at[i - 1].node, &p->at[i]);
	p->known = p->depth;
	return 0;
}

int flame_step(struct flame_tree *t, const struct flame_place *parent, const char *s, size_t len,
	       struct flame_place *place)
{
	int err = seek(t, parent, s, len, place);

	if (!err)
		err = reserve(t, 1);
	if (!err)
		place->node = child(t, parent->node, place);
	return err;
}

int flame_weigh(struct flame_tree *t, uint32_t node, uint64_t weight)
{
	if (__builtin_add_overflow(t->total, weight, &t->total)) {
		t->total -= weight;
		return -EOVERFLOW;
	}
	t->nodes[node].self += weight;
	return 0;
}

int flame_weigh_base(struct flame_tree *t, uint32_t node, uint64_t weight)
{
	if (!t->base) {
		t->base = calloc(t->cap_nodes, sizeof(*t->base));
		if (!t->base)
			return -ENOMEM;
	}
	if (__builtin_add_overflow(t->base_total, weight, &t->base_total)) {
		t->base_total -= weight;
		return -EOVERFLOW;
	}
	t->base[node] += weight;
	return 0;
}

int flame_add(struct flame_tree *t, const char *const frames[], size_t n, uint64_t weight)
{
	struct flame_path path;
	int err = 0;

	if (!n)
		return -EINVAL;
	if (t->total + weight < weight)
		return -EOVERFLOW;
	flame_path_begin(&path);
	for (size_t i = 0; !err && i < n && i < FLAME_MAX_DEPTH; i++)
		err = flame_path_add(t, &path, frames[i], strlen(frames[i]));
	if (!err)
		err = flame_path_follow(t, &path);
	if (err)
		return err;
	t->cut += n > FLAME_MAX_DEPTH;
	return flame_weigh(t, path.at[path.depth].node, weight);
}

struct flame_tree *flame_new(void)
{
	struct flame_tree *t = calloc(1, sizeof(*t));

	if (t && reserve(t, 1)) {
		flame_free(t);
		return NULL;
	}
	if (t)
		t->nodes[t->n_nodes++] = (struct node){ 0 };
	return t;
}

void flame_free(struct flame_tree *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t->base);
	free(t->slots);
	flame_names_free(&t->names);
	free(t);
}
