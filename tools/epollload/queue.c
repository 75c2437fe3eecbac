/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* queue.c - see queue.h. */
#include "queue.h"

struct conn *queue_first(const struct worker *w, enum queue_kind kind)
{
	uint32_t first = w->queue[kind].first;

	return first ? &w->conns[first - 1] : NULL;
}

void queue_remove(struct worker *w, enum queue_kind kind, struct conn *c)
{
	struct queue *q = &w->queue[kind];
	struct node *n = &c->node[kind];

	if (!n->queued)
		return;
	*(n->prev ? &w->conns[n->prev - 1].node[kind].next : &q->first) = n->next;
	*(n->next ? &w->conns[n->next - 1].node[kind].prev : &q->last) = n->prev;
	n->queued = false;
}

void queue_add(struct worker *w, enum queue_kind kind, struct conn *c, uint64_t due_ns)
{
	struct queue *q = &w->queue[kind];
	uint32_t place = (uint32_t)(c - w->conns) + 1;

	queue_remove(w, kind, c);
	c->node[kind] = (struct node){ .prev = q->last, .due_ns = due_ns, .queued = true };
	*(q->last ? &w->conns[q->last - 1].node[kind].next : &q->first) = place;
	q->last = place;
}
