/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ring.h - bounded lock-free queues of small items, between threads.
 *
 * spsc: one thread pushes, one pops. Each side publishes its own index with release and reads the
 * other's with acquire, and only when the copy it remembers says full or empty, so that a cache
 * line changes hands once a batch and not once an item.
 *
 * mpsc: any thread pushes, one pops. Producers claim a slot by moving head; a slot's turn says
 * whose it is: equal to the position, free; position + 1, filled. The consumer frees it for the
 * next lap.
 *
 * Sizes are powers of two; indices only grow, and wrap with size_t. What the two sides write lies
 * on cache lines of its own (-DRING_UNPADDED puts it on one, for the bench).
 */
#ifndef RING_H
#define RING_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64
#ifdef RING_UNPADDED
#define RING_ALIGNED
#else
#define RING_ALIGNED _Alignas(CACHE_LINE)
#endif

struct ring_item {
	void *ptr;
	uint64_t word;
};

struct spsc {
	RING_ALIGNED atomic_size_t head;	/* the producer's: next to fill */
	size_t tail_seen;
	RING_ALIGNED atomic_size_t tail;	/* the consumer's: next to take */
	size_t head_seen;
	RING_ALIGNED size_t mask;		/* nobody's: constant */
	struct ring_item *items;
};

struct mpsc_slot {
	atomic_size_t turn;
	struct ring_item item;
};

struct mpsc {
	RING_ALIGNED atomic_size_t head;	/* the producers' */
	RING_ALIGNED size_t tail;		/* the consumer's */
	RING_ALIGNED size_t mask;
	struct mpsc_slot *slots;
};

/* Zeroed memory for a structure with a ring in it; NULL: none. */
static inline void *ring_owner_alloc(size_t bytes)
{
	size_t whole = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	void *p = aligned_alloc(CACHE_LINE, whole);

	return p ? memset(p, 0, whole) : NULL;
}

static inline void *ring_memory(size_t size, size_t item_bytes)
{
	size_t bytes = (size * item_bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;

	return size && !(size & (size - 1)) ? aligned_alloc(CACHE_LINE, bytes) : NULL;
}

/* size is a power of two. Returns 0 or -ENOMEM, for another size too. */
static inline int spsc_open(struct spsc *r, size_t size)
{
	r->items = ring_memory(size, sizeof(*r->items));
	if (!r->items)
		return -ENOMEM;
	r->mask = size - 1;
	r->tail_seen = r->head_seen = 0;
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	return 0;
}

/* Pushes as many of n as fit and publishes them at once; returns how many. */
static inline size_t spsc_push(struct spsc *r, const struct ring_item *items, size_t n)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t room = r->mask + 1 - (head - r->tail_seen);

	if (room < n) {
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
		room = r->mask + 1 - (head - r->tail_seen);
		n = room < n ? room : n;
	}
	for (size_t i = 0; i < n; i++)
		r->items[(head + i) & r->mask] = items[i];
	atomic_store_explicit(&r->head, head + n, memory_order_release);
	return n;
}

/* Takes up to n; returns how many. */
static inline size_t spsc_pop(struct spsc *r, struct ring_item *items, size_t n)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	size_t held = r->head_seen - tail;

	if (held < n) {
		r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
		held = r->head_seen - tail;
		n = held < n ? held : n;
	}
	for (size_t i = 0; i < n; i++)
		items[i] = r->items[(tail + i) & r->mask];
	if (n)
		atomic_store_explicit(&r->tail, tail + n, memory_order_release);
	return n;
}

static inline int mpsc_open(struct mpsc *r, size_t size)
{
	r->slots = ring_memory(size, sizeof(*r->slots));
	if (!r->slots)
		return -ENOMEM;
	r->mask = size - 1;
	r->tail = 0;
	atomic_init(&r->head, 0);
	for (size_t i = 0; i < size; i++)
		atomic_init(&r->slots[i].turn, i);
	return 0;
}

/* False if it is full. */
static inline bool mpsc_push(struct mpsc *r, struct ring_item item)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	struct mpsc_slot *s;

	for (;;) {
		ptrdiff_t lead;

		s = &r->slots[head & r->mask];
		lead = (ptrdiff_t)(atomic_load_explicit(&s->turn, memory_order_acquire) - head);
		if (lead < 0)
			return false;
		if (lead > 0)
			head = atomic_load_explicit(&r->head, memory_order_relaxed);
		else if (atomic_compare_exchange_weak_explicit(&r->head, &head, head + 1,
				memory_order_relaxed, memory_order_relaxed))
			break;
	}
	s->item = item;
	atomic_store_explicit(&s->turn, head + 1, memory_order_release);
	return true;
}

/* False if it is empty, or the next producer is not through yet. */
static inline bool mpsc_pop(struct mpsc *r, struct ring_item *item)
{
	struct mpsc_slot *s = &r->slots[r->tail & r->mask];

	if (atomic_load_explicit(&s->turn, memory_order_acquire) != r->tail + 1)
		return false;
	*item = s->item;
	atomic_store_explicit(&s->turn, r->tail + r->mask + 1, memory_order_release);
	r->tail++;
	return true;
}

static inline bool mpsc_empty(struct mpsc *r)
{
	struct mpsc_slot *s = &r->slots[r->tail & r->mask];

	return atomic_load_explicit(&s->turn, memory_order_acquire) != r->tail + 1;
}

#endif
