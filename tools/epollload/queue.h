/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * queue.h - connections in a row: those with room for a request, and those that wait for a time.
 *
 * A timer kind has one delay for all, so who came last is due last: a queue is a sorted list, and
 * arming, disarming and finding the next are one step each.
 */
#ifndef EPOLLLOAD_QUEUE_H
#define EPOLLLOAD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node {
	struct node *next, *prev;
	uint64_t due_ns;
	bool queued;
};

struct queue {
	struct node *first, *last;
};

static inline void queue_remove(struct queue *q, struct node *n)
{
	if (!n->queued)
		return;
	*(n->prev ? &n->prev->next : &q->first) = n->next;
	*(n->next ? &n->next->prev : &q->last) = n->prev;
	n->queued = false;
}

/* At the end; moves there what is in the queue already. */
static inline void queue_add(struct queue *q, struct node *n, uint64_t due_ns)
{
	queue_remove(q, n);
	*n = (struct node){ .prev = q->last, .due_ns = due_ns, .queued = true };
	*(q->last ? &q->last->next : &q->first) = n;
	q->last = n;
}

#endif
