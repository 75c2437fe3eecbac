/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* query.c - what a tree holds; and one tree as another's base. */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>

uint64_t flame_total(const struct flame_tree *t)
{
	return t->total;
}

uint64_t flame_base_total(const struct flame_tree *t)
{
	return t->base_total;
}

uint32_t flame_nodes(const struct flame_tree *t)
{
	return t->n_nodes;
}

uint64_t flame_cut(const struct flame_tree *t)
{
	return t->cut;
}

bool flame_differential(const struct flame_tree *t)
{
	return t->base;
}

const char *flame_name(const struct flame_tree *t, uint32_t node, size_t *len)
{
	const struct name *name;

	if (node == FLAME_ROOT) {
		*len = 0;
		return "";
	}
	name = &t->names.at[t->nodes[node].name];
	*len = name->len;
	return t->names.bytes + name->offset;
}

uint32_t flame_parent(const struct flame_tree *t, uint32_t node)
{
	return t->nodes[node].parent;
}

uint64_t flame_self(const struct flame_tree *t, uint32_t node)
{
	return t->nodes[node].self;
}

uint64_t flame_self_base(const struct flame_tree *t, uint32_t node)
{
	return t->base ? t->base[node] : 0;
}

/* Children come after their parents, so a pass backwards meets each sum when it is complete. */
static uint64_t *sums(const struct flame_tree *t, uint64_t (*self)(const struct flame_tree *,
								    uint32_t))
{
	uint64_t *sum = malloc(t->n_nodes * sizeof(*sum));

	if (!sum)
		return NULL;
	for (uint32_t i = 0; i < t->n_nodes; i++)
		sum[i] = self(t, i);
	for (uint32_t i = t->n_nodes - 1; i > 0; i--)
		sum[t->nodes[i].parent] += sum[i];
	return sum;
}

uint64_t *flame_sums(const struct flame_tree *t)
{
	return sums(t, flame_self);
}

uint64_t *flame_base_sums(const struct flame_tree *t)
{
	return sums(t, flame_self_base);
}

int flame_set_base(struct flame_tree *t, const struct flame_tree *base)
{
	struct flame_place *twin = malloc(base->n_nodes * sizeof(*twin));
	int err = twin ? 0 : -ENOMEM;

	if (!err && t->base_total + base->total < base->total)
		err = -EOVERFLOW;
	if (!err)
		err = flame_weigh_base(t, FLAME_ROOT, base->nodes[FLAME_ROOT].self);
	if (!err)
		twin[FLAME_ROOT] = FLAME_ROOT_PLACE;
	for (uint32_t i = 1; !err && i < base->n_nodes; i++) {
		size_t len;
		const char *name = flame_name(base, i, &len);

		err = flame_step(t, &twin[base->nodes[i].parent], name, len, &twin[i]);
		if (!err && base->nodes[i].self)
			err = flame_weigh_base(t, twin[i].node, base->nodes[i].self);
	}
	free(twin);
	return err;
}
