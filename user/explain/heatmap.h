/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * heatmap.h - latency over time: how many exchanges of which latency ended when.
 *
 * Pure. Fed with readings of one cumulative histogram; a column holds exactly what was added
 * between two of them, so all columns sum to the last reading. When there are too many columns
 * they merge by two and new ones last twice as long: memory is fixed, whatever the length.
 */
#ifndef EPOLLSCOPE_HEATMAP_H
#define EPOLLSCOPE_HEATMAP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define HEATMAP_COLUMNS	128u		/* at most; even */
#define HEATMAP_SLOT_NS	100000000u	/* a column lasts at least this, at first */
#define HEATMAP_LEVELS	8u

struct heat_column {
	uint64_t from_ns, to_ns;	/* CLOCK_MONOTONIC; the next begins where this one ends */
	uint64_t count;
	uint64_t bucket[HIST_BUCKETS];
};

/* To be read; filled by heatmap_feed(). */
struct heatmap {
	struct heat_column column[HEATMAP_COLUMNS];
	size_t n;
	uint64_t slot_ns;		/* the length that a column must reach before the next */
	uint64_t count;			/* of all columns */
	uint64_t seen[HIST_BUCKETS];	/* the last reading */
};

struct heatmap *heatmap_new(void);	/* NULL when out of memory; free() ends it */

/*
 * Adds the reading `total` of time `now_ns`. The first reading begins the first column, which also
 * gets what that reading already holds. A reading of the past goes into the last column.
 */
void heatmap_feed(struct heatmap *h, uint64_t now_ns, const struct hist *total);

/* The buckets that occur, folded into rows of `per_row` (a power of two), the lowest first. */
struct heat_rows {
	unsigned low;		/* first bucket, a multiple of per_row */
	unsigned per_row;
	unsigned n;		/* 0: no exchange */
};

void heatmap_rows(const struct heatmap *h, unsigned max_rows, struct heat_rows *rows);
uint64_t heatmap_cell(const struct heat_column *c, const struct heat_rows *rows, unsigned row);

/* The latencies of a row: from the first to the last nanosecond that belongs to it. */
uint64_t heat_row_from(const struct heat_rows *rows, unsigned row);
uint64_t heat_row_to(const struct heat_rows *rows, unsigned row);

/* Nearest rank, the bucket's upper bound; permille 1000 bounds the maximum. 0 without exchanges. */
uint64_t heat_column_percentile(const struct heat_column *c, unsigned permille);

/*
 * Splits the counts 1..max into at most HEATMAP_LEVELS levels of equal ratio: from[i] is the
 * least count of level i, strictly rising. Returns how many.
 */
unsigned heatmap_levels(uint64_t max, uint64_t from[HEATMAP_LEVELS]);

#endif
