/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tree.c - stacks with a common beginning share nodes; names are stored once. */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNNAMED "[unnamed]"

/* Makes room for `need` items; sizes stay below 2^31, so that doubling can't wrap. */
static int grow(void *array, uint32_t *cap, uint64_t need, size_t size)
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

static uint64_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

static uint32_t hash_bytes(const char *s, size_t len)
{
	uint64_t h = len, word;

	for (; len >= 8; s += 8, len -= 8) {
		memcpy(&word, s, 8);
		h = mix(h ^ word);
	}
	word = 0;
	memcpy(&word, s, len);
	return (uint32_t)mix(h ^ word);
}

static uint32_t hash_child(uint32_t parent, uint32_t name)
{
	return (uint32_t)mix((uint64_t)parent << 32 | name);
}

/* Twice as many slots; keeps them at most half full. */
static int grow_name_slots(struct flame_tree *t)
{
	uint32_t n = t->cap_name_slots ? t->cap_name_slots * 2 : 256, *slots;

	if (2 * (t->n_names + 1) <= t->cap_name_slots)
		return 0;
	slots = n ? calloc(n, sizeof(*slots)) : NULL;
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->n_names; i++) {
		uint32_t at = t->names[i].hash & (n - 1);

		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = i + 1;
	}
	free(t->name_slots);
	t->name_slots = slots;
	t->cap_name_slots = n;
	return 0;
}

static int store_name(struct flame_tree *t, const char *s, size_t len, uint32_t hash)
{
	int err = grow(&t->names, &t->cap_names, (uint64_t)t->n_names + 1, sizeof(*t->names));

	if (!err)
		err = grow(&t->bytes, &t->cap_bytes, (uint64_t)t->used_bytes + len, 1);
	if (err)
		return err;
	memcpy(t->bytes + t->used_bytes, s, len);
	t->names[t->n_names++] = (struct name){ t->used_bytes, (uint32_t)len, hash };
	t->used_bytes += (uint32_t)len;
	return 0;
}

static int find_name(struct flame_tree *t, const char *s, size_t len, uint32_t *name)
{
	uint32_t hash, at, mask;
	int err = grow_name_slots(t);

	if (err)
		return err;
	hash = hash_bytes(s, len);
	mask = t->cap_name_slots - 1;
	for (at = hash & mask; t->name_slots[at]; at = (at + 1) & mask) {
		const struct name *known = &t->names[t->name_slots[at] - 1];

		if (known->hash == hash && known->len == len &&
		    !memcmp(t->bytes + known->offset, s, len)) {
			*name = t->name_slots[at] - 1;
			return 0;
		}
	}
	err = store_name(t, s, len, hash);
	if (err)
		return err;
	t->name_slots[at] = t->n_names;
	*name = t->n_names - 1;
	return 0;
}

/* At most three quarters full. */
static int grow_children(struct flame_tree *t)
{
	uint32_t n = t->cap_children ? t->cap_children * 2 : 256;
	struct child_slot *slots;

	if ((uint64_t)t->n_nodes * 4 <= (uint64_t)t->cap_children * 3)
		return 0;
	slots = n ? calloc(n, sizeof(*slots)) : NULL;
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 1; i < t->n_nodes; i++) {
		const struct node *node = &t->nodes[i];
		uint32_t at = hash_child(node->parent, node->name) & (n - 1);

		while (slots[at].node)
			at = (at + 1) & (n - 1);
		slots[at] = (struct child_slot){ node->parent, node->name, i };
	}
	free(t->children);
	t->children = slots;
	t->cap_children = n;
	return 0;
}

/* All arrays by node grow together. */
static int grow_nodes(struct flame_tree *t)
{
	uint64_t need = (uint64_t)t->n_nodes + 1;
	uint32_t cap;
	int err;

	cap = t->cap_nodes;
	err = grow(&t->depth, &cap, need, sizeof(*t->depth));
	cap = t->cap_nodes;
	if (!err && t->base)
		err = grow(&t->base, &cap, need, sizeof(*t->base));
	return err ? err : grow(&t->nodes, &t->cap_nodes, need, sizeof(*t->nodes));
}

static int add_node(struct flame_tree *t, uint32_t parent, uint32_t name, uint16_t depth)
{
	int err = t->n_nodes < t->cap_nodes ? 0 : grow_nodes(t);

	if (err)
		return err;
	if (t->base)
		t->base[t->n_nodes] = 0;
	t->depth[t->n_nodes] = depth;
	t->nodes[t->n_nodes++] = (struct node){ .parent = parent, .name = name };
	return 0;
}

int flame_child(struct flame_tree *t, uint32_t node, const char *name, size_t len,
		uint32_t *child)
{
	uint32_t id, at, mask;
	int err;

	if (!len) {
		name = UNNAMED;
		len = strlen(UNNAMED);
	}
	err = find_name(t, name, len, &id);
	if (!err)
		err = grow_children(t);
	if (err)
		return err;
	mask = t->cap_children - 1;
	for (at = hash_child(node, id) & mask; t->children[at].node; at = (at + 1) & mask) {
		if (t->children[at].parent == node && t->children[at].name == id) {
			*child = t->children[at].node;
			return 0;
		}
	}
	if (t->depth[node] == FLAME_MAX_DEPTH)
		return -E2BIG;
	err = add_node(t, node, id, (uint16_t)(t->depth[node] + 1));
	if (err)
		return err;
	*child = t->n_nodes - 1;
	t->children[at] = (struct child_slot){ node, id, *child };
	return 0;
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
	uint32_t node = FLAME_ROOT;
	int err;

	if (!n)
		return -EINVAL;
	if (t->total + weight < weight)
		return -EOVERFLOW;
	for (size_t i = 0; i < n && i < FLAME_MAX_DEPTH; i++) {
		err = flame_child(t, node, frames[i], strlen(frames[i]), &node);
		if (err)
			return err;
	}
	t->cut += n > FLAME_MAX_DEPTH;
	return flame_weigh(t, node, weight);
}

struct flame_tree *flame_new(void)
{
	struct flame_tree *t = calloc(1, sizeof(*t));

	if (t && add_node(t, FLAME_ROOT, 0, 0)) {
		flame_free(t);
		return NULL;
	}
	return t;
}

void flame_free(struct flame_tree *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t->base);
	free(t->depth);
	free(t->names);
	free(t->bytes);
	free(t->children);
	free(t->name_slots);
	free(t);
}
