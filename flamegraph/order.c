/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * order.c - a tree's nodes in an order that depends on the stacks only.
 *
 * The names are sorted once. Nodes are then dealt out to their parents in the order of their
 * names, by counting: no child is ever compared with another one.
 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct key {
	const char *bytes;
	uint32_t len, name;
};

static int compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	uint32_t least = x->len < y->len ? x->len : y->len;
	int c = memcmp(x->bytes, y->bytes, least);

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

/* rank[name]: its place among all names. */
static uint32_t *rank_names(const struct flame_tree *t)
{
	size_t n = t->names.n ? t->names.n : 1;
	uint32_t *rank = malloc(n * sizeof(*rank));
	struct key *keys = malloc(n * sizeof(*keys));

	if (!rank || !keys) {
		free(rank);
		free(keys);
		return NULL;
	}
	for (uint32_t i = 0; i < t->names.n; i++)
		keys[i] = (struct key){ t->names.bytes + t->names.at[i].offset, t->names.at[i].len, i };
	qsort(keys, t->names.n, sizeof(*keys), compare);
	for (uint32_t i = 0; i < t->names.n; i++)
		rank[keys[i].name] = i;
	free(keys);
	return rank;
}

/* Turns counts at [i + 1] into the place where each i begins. */
static void accumulate(uint32_t *counts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		counts[i + 1] += counts[i];
}

/* The nodes that are kept, by the rank of their names; their number in *n. */
static uint32_t *nodes_by_name(const struct flame_tree *t, const uint64_t *sums, uint64_t least,
			       uint32_t *n)
{
	uint32_t *rank = rank_names(t);
	uint32_t *at = calloc((size_t)t->names.n + 1, sizeof(*at));
	uint32_t *sorted = NULL;

	if (!rank || !at)
		goto out;
	for (uint32_t i = 1; i < t->n_nodes; i++) {
		if (!sums || sums[i] >= least)
			at[rank[t->nodes[i].name] + 1]++;
	}
	accumulate(at, t->names.n);
	*n = at[t->names.n];
	sorted = malloc(((size_t)*n + 1) * sizeof(*sorted));
	for (uint32_t i = 1; sorted && i < t->n_nodes; i++) {
		if (!sums || sums[i] >= least)
			sorted[at[rank[t->nodes[i].name]]++] = i;
	}
out:
	free(rank);
	free(at);
	return sorted;
}

int flame_order(struct flame_order *o, const struct flame_tree *t, const uint64_t *sums,
		uint64_t least)
{
	uint32_t n = 0, *sorted = nodes_by_name(t, sums, least, &n);

	/* Two more: while dealing out, first[i + 1] is where the next child of i goes. */
	o->first = calloc((size_t)t->n_nodes + 2, sizeof(*o->first));
	o->child = malloc(((size_t)n + 1) * sizeof(*o->child));
	if (!sorted || !o->first || !o->child) {
		free(sorted);
		flame_order_free(o);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++)
		o->first[t->nodes[sorted[i]].parent + 2]++;
	accumulate(o->first, t->n_nodes + 1);
	for (uint32_t i = 0; i < n; i++)
		o->child[o->first[t->nodes[sorted[i]].parent + 1]++] = sorted[i];
	free(sorted);
	return 0;
}

void flame_order_free(struct flame_order *o)
{
	free(o->first);
	free(o->child);
	*o = (struct flame_order){ 0 };
}

static void enter(struct flame_walk *w, uint32_t node, uint32_t depth)
{
	w->node = node;
	w->depth = depth;
	w->next[depth] = w->order->first[node];
	w->end[depth] = w->order->first[node + 1];
}

void flame_walk_init(struct flame_walk *w, const struct flame_order *o)
{
	w->order = o;
	w->begun = false;
}

bool flame_next(struct flame_walk *w)
{
	if (!w->begun) {
		w->begun = true;
		enter(w, FLAME_ROOT, 0);
		return true;
	}
	while (w->next[w->depth] == w->end[w->depth]) {
		if (!w->depth)
			return false;
		w->depth--;
	}
	enter(w, w->order->child[w->next[w->depth]++], w->depth + 1);
	return true;
}
