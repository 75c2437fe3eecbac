/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* heatmap.c - see heatmap.h. */
#include <math.h>
#include <stdlib.h>

#include "explain/heatmap.h"

struct heatmap *heatmap_new(void)
{
	struct heatmap *h = calloc(1, sizeof(*h));

	if (h)
		h->slot_ns = HEATMAP_SLOT_NS;
	return h;
}

static void merge_by_two(struct heatmap *h)
{
	for (size_t i = 0; i < h->n / 2; i++) {
		struct heat_column *to = &h->column[i], *a = &h->column[2 * i], *b = a + 1;

		to->from_ns = a->from_ns;
		to->to_ns = b->to_ns;
		to->count = a->count + b->count;
		for (unsigned k = 0; k < HIST_BUCKETS; k++)
			to->bucket[k] = a->bucket[k] + b->bucket[k];
	}
	h->n /= 2;
	h->slot_ns *= 2;
}

/* The column that the present reading belongs to. */
static struct heat_column *open_column(struct heatmap *h, uint64_t now)
{
	uint64_t from = h->n ? h->column[h->n - 1].to_ns : now;
	struct heat_column *c;

	if (h->n && from - h->column[h->n - 1].from_ns < h->slot_ns)
		return &h->column[h->n - 1];
	if (h->n == HEATMAP_COLUMNS)
		merge_by_two(h);
	c = &h->column[h->n++];
	*c = (struct heat_column){ .from_ns = from, .to_ns = from };
	return c;
}

void heatmap_feed(struct heatmap *h, uint64_t now_ns, const struct hist *total)
{
	struct heat_column *c = h->n ? &h->column[h->n - 1] : NULL;

	if (!c || now_ns > c->to_ns)
		c = open_column(h, now_ns);
	if (now_ns > c->to_ns)
		c->to_ns = now_ns;
	for (unsigned b = 0; b < HIST_BUCKETS; b++) {
		uint64_t more = total->bucket[b] > h->seen[b] ? total->bucket[b] - h->seen[b] : 0;

		c->bucket[b] += more;
		c->count += more;
		h->count += more;
		h->seen[b] += more;
	}
}

void heatmap_rows(const struct heatmap *h, unsigned max_rows, struct heat_rows *rows)
{
	unsigned low = 0, high = HIST_BUCKETS;

	*rows = (struct heat_rows){ .per_row = HIST_SUB / 8 };
	while (low < high && !h->seen[low])
		low++;
	if (low == high)
		return;
	while (!h->seen[high - 1])
		high--;
	for (;; rows->per_row *= 2) {
		rows->low = low / rows->per_row * rows->per_row;
		rows->n = (high - rows->low + rows->per_row - 1) / rows->per_row;
		if (rows->n <= max_rows || rows->per_row >= HIST_BUCKETS)
			return;
	}
}

uint64_t heatmap_cell(const struct heat_column *c, const struct heat_rows *rows, unsigned row)
{
	unsigned from = rows->low + row * rows->per_row;
	uint64_t sum = 0;

	for (unsigned b = from; b < from + rows->per_row && b < HIST_BUCKETS; b++)
		sum += c->bucket[b];
	return sum;
}

uint64_t heat_row_from(const struct heat_rows *rows, unsigned row)
{
	return hist_bucket_lower(rows->low + row * rows->per_row);
}

uint64_t heat_row_to(const struct heat_rows *rows, unsigned row)
{
	unsigned last = rows->low + (row + 1) * rows->per_row - 1;

	return hist_bucket_upper(last < HIST_BUCKETS ? last : HIST_BUCKETS - 1);
}

uint64_t heat_column_percentile(const struct heat_column *c, unsigned permille)
{
	uint64_t rank = hist_rank(c->count, permille), sum = 0;

	for (unsigned b = 0; c->count && b < HIST_BUCKETS; b++) {
		sum += c->bucket[b];
		if (sum >= rank)
			return hist_bucket_upper(b);
	}
	return 0;
}

unsigned heatmap_levels(uint64_t max, uint64_t from[HEATMAP_LEVELS])
{
	unsigned n = 0;

	for (unsigned i = 0; max && i < HEATMAP_LEVELS; i++) {
		uint64_t count = (uint64_t)ceil(pow((double)max, (double)i / HEATMAP_LEVELS));

		if (!n || count > from[n - 1])
			from[n++] = count;
	}
	return n;
}
