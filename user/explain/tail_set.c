/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tail_set.c - see tail_set.h. */
#include <stdlib.h>

#include "stream/tail.h"
#include "explain/tail_set.h"

#define FLOOR_EVERY 1024	/* exchanges of a slot after which its floor is set anew */

struct tail_slot {
	uint32_t bucket[HIST_BUCKETS];
	uint64_t since_floor;
	uint64_t floor_ns;
	/* Filled at the end. */
	uint64_t from_ns, median_ns;
};

struct tail_set *tail_set_new(void)
{
	return calloc(1, sizeof(struct tail_set));
}

void tail_set_free(struct tail_set *t)
{
	for (size_t i = 0; t && i < t->n; i++)
		free(t->slots[i]);
	free(t);
}

void tail_set_begin(struct tail_set *t, uint64_t start_ns, uint64_t window_ns)
{
	t->start_ns = start_ns;
	t->slot_ns = window_ns / TAIL_SLOTS;
}

static size_t slot_of(const struct tail_set *t, uint64_t time_ns)
{
	return time_ns > t->start_ns ? (time_ns - t->start_ns) / t->slot_ns : 0;
}

/* The first slot of the window of one. */
static size_t first_of(const struct tail_set *t, size_t slot)
{
	size_t first = slot < TAIL_SLOTS ? 0 : slot - (TAIL_SLOTS - 1);

	return first < t->n ? first : t->n;
}

/* What ended in n slots. */
static struct hist add_up(const struct tail_set *t, size_t first, size_t n)
{
	struct hist sum = { 0 };

	for (size_t i = first; i < first + n && i < t->n; i++)
		for (unsigned b = 0; t->slots[i] && b < HIST_BUCKETS; b++)
			sum.bucket[b] += t->slots[i]->bucket[b];
	return sum;
}

/* The lower of the window's P90 and the slot's own: the load may just have become lighter. */
static void set_floor(struct tail_set *t, size_t slot)
{
	struct hist window = add_up(t, first_of(t, slot), TAIL_SLOTS), own = add_up(t, slot, 1);
	uint64_t window_ns = hist_slowest_ns(&window, 10), own_ns = hist_slowest_ns(&own, 10);

	t->slots[slot]->floor_ns = own_ns < window_ns ? own_ns : window_ns;
}

static struct tail_slot *get_slot(struct tail_set *t, size_t i)
{
	if (i >= TAIL_SET_SLOTS)
		return NULL;
	if (!t->slots[i])
		t->slots[i] = calloc(1, sizeof(*t->slots[i]));
	if (t->slots[i] && i >= t->n)
		t->n = i + 1;
	return t->slots[i];
}

bool tail_set_add(struct tail_set *t, uint64_t time_ns, uint64_t latency_ns)
{
	size_t i = slot_of(t, time_ns);
	struct tail_slot *slot = get_slot(t, i);

	if (!slot) {
		t->late++;
		return false;
	}
	slot->bucket[hist_bucket(latency_ns)]++;
	if (++slot->since_floor % FLOOR_EVERY == 0)
		set_floor(t, i);
	return latency_ns >= slot->floor_ns;
}

void tail_set_end(struct tail_set *t)
{
	t->slides = t->n > TAIL_SLOTS;
	for (size_t i = 0; i < t->n; i++) {
		struct tail_slot *slot = t->slots[i];
		struct hist window;

		if (!slot)
			continue;
		window = add_up(t, first_of(t, i), TAIL_SLOTS);
		slot->from_ns = hist_slowest_ns(&window, 1);
		slot->median_ns = hist_bucket_upper(hist_bucket(hist_slowest_ns(&window, 50)));
		for (unsigned b = hist_bucket(slot->from_ns); b < HIST_BUCKETS; b++)
			t->count += slot->bucket[b];
	}
}

static const struct tail_slot *find_slot(const struct tail_set *t, uint64_t time_ns)
{
	size_t i = slot_of(t, time_ns);

	return i < t->n ? t->slots[i] : NULL;
}

uint64_t tail_set_from(const struct tail_set *t, uint64_t time_ns)
{
	const struct tail_slot *slot = find_slot(t, time_ns);

	return slot ? slot->from_ns : UINT64_MAX;
}

uint64_t tail_set_median(const struct tail_set *t, uint64_t time_ns)
{
	const struct tail_slot *slot = find_slot(t, time_ns);

	return slot ? slot->median_ns : 0;
}
