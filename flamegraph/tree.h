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

/* A name's bytes lie in the pool. */
struct name {
	uint32_t offset, len;
	uint32_t hash;
};

struct flame_names {
	struct name *at;
	char *bytes;
	uint32_t *slots;		/* open addressing, size a power of two: a number + 1 */
	uint32_t n, cap, cap_slots;
	uint32_t used_bytes, cap_bytes;
};

/* The number of a name, which is stored if it is new; "" is "[unnamed]". */
int flame_names_find(struct flame_names *t, const char *s, size_t len, uint32_t *name);
void flame_names_free(struct flame_names *t);

/* A node and 32 bits of its way's hash; node 0, the root, is nobody's child: empty. */
struct slot {
	uint32_t hash, node;
};

struct flame_tree {
	struct node *nodes;
	uint64_t *base;			/* by node; NULL unless differential */
	struct slot *slots;		/* open addressing, size a power of two */
	struct flame_names names;
	uint32_t n_nodes, cap_nodes, cap_slots;
	uint64_t total, base_total, cut;
};

/* Makes room for `need` items; sizes stay below 2^31, so that doubling can't wrap. */
int flame_grow(void *array, uint32_t *cap, uint64_t need, size_t size);

static inline uint64_t flame_mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

/* A frame on its way into the tree; hash: of all names from the root to it. */
struct flame_place {
	uint64_t hash;
	uint32_t name, node;
};

#define FLAME_ROOT_PLACE ((struct flame_place){ .hash = 1, .node = FLAME_ROOT })

/*
 * A stack on its way into the tree: frames are added, outermost first and FLAME_MAX_DEPTH at the
 * most, then all of them get their nodes. Who sets depth back to a frame that has its node may go
 * on from there with other frames.
 */
struct flame_path {
	uint32_t depth, known;		/* frames in it, and how many of them have their nodes */
	struct flame_place at[FLAME_MAX_DEPTH + 1];	/* at[0] is the root's */
};

void flame_path_begin(struct flame_path *p);
int flame_path_add(struct flame_tree *t, struct flame_path *p, const char *s, size_t len);
int flame_path_follow(struct flame_tree *t, struct flame_path *p);

/* One frame alone, below a place that has its node. */
int flame_step(struct flame_tree *t, const struct flame_place *parent, const char *s, size_t len,
	       struct flame_place *place);

int flame_weigh(struct flame_tree *t, uint32_t node, uint64_t weight);
int flame_weigh_base(struct flame_tree *t, uint32_t node, uint64_t weight);

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
