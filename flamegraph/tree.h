/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tree.h - the inside of a tree, for this folder only.
 *
 * Nodes are numbered as they are made, so a parent's number is below its children's: sums over
 * subtrees need one pass backwards and no recursion. All arrays grow by doubling.
 */
#ifndef FLAMEGRAPH_TREE_H
#define FLAMEGRAPH_TREE_H

#include "flamegraph.h"

struct node {
	uint32_t parent, name;
	uint64_t self;
};

/* A name's bytes lie in the tree's pool. */
struct name {
	uint32_t offset, len;
	uint32_t hash;
};

/* Says which node is the child `name` of `parent`; node 0, the root, is nobody's: empty. */
struct child_slot {
	uint32_t parent, name, node;
};

struct flame_tree {
	struct node *nodes;
	uint64_t *base;			/* by node; NULL unless differential */
	uint16_t *depth;		/* by node; the root's is 0 */
	struct name *names;
	char *bytes;
	struct child_slot *children;	/* open addressing, size a power of two */
	uint32_t *name_slots;		/* the same: a name's number + 1 */
	uint32_t n_nodes, cap_nodes, cap_children;
	uint32_t n_names, cap_names, cap_name_slots;
	uint32_t used_bytes, cap_bytes;
	uint64_t total, base_total, cut;
};


/* Weights of whole subtrees, by node; NULL without memory. The caller frees. */
uint64_t *flame_sums(const struct flame_tree *t);
uint64_t *flame_base_sums(const struct flame_tree *t);

/*
 * Children in the order of their names' bytes: those of node i are child[first[i]] up to
 * child[first[i + 1]]. Only nodes whose weight in `sums` is at least `least` are in it (all nodes
 * if sums is NULL).
 */
struct flame_order {
	uint32_t *first, *child;
};

int flame_order(struct flame_order *o, const struct flame_tree *t, const uint64_t *sums,
		uint64_t least);
void flame_order_free(struct flame_order *o);

/*
 * Walks an order from the root, parents before children. depth is 0 for the root.
 *	flame_walk_init(&w, &order);
 *	while (flame_next(&w)) use(w.node, w.depth);
 */
struct flame_walk {
	const struct flame_order *order;
	uint32_t node, depth;
	bool begun;
	uint32_t next[FLAME_MAX_DEPTH + 1];	/* by depth: where in child[] its next child is */
	uint32_t end[FLAME_MAX_DEPTH + 1];
};

void flame_walk_init(struct flame_walk *w, const struct flame_order *o);
bool flame_next(struct flame_walk *w);

#endif
