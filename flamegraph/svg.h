/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* svg.h - one picture on its way out; for this folder only. */
#ifndef FLAMEGRAPH_SVG_H
#define FLAMEGRAPH_SVG_H

#include "text.h"
#include "tree.h"

/* Pixels of the still picture; the script lays the same frames out in the width it finds. */
#define PICTURE_WIDTH 1200u
#define MARGIN 10u
#define FRAMES_WIDTH (PICTURE_WIDTH - 2 * MARGIN)
#define ROW 18u			/* from a frame to the one above it */
#define HEADER 62u
#define LINE 18u		/* of legend and notes */

#define DELTA_LEVELS 6
#define DELTA_ONE 1000000000	/* a share of 1 in the scale of flame_delta() */

/* What a frame is; the legend names those that occur. */
enum frame_kind { KIND_ROOT, KIND_STAGE, KIND_USER, KIND_KERNEL, KIND_JIT, KIND_COUNT };

struct picture {
	const struct flame_tree *tree;
	const struct flame_svg *options;
	FILE *out;
	uint64_t *sum, *base_sum;	/* base_sum is NULL unless differential */
	struct flame_order order;	/* of the frames that are drawn */
	uint64_t least;			/* weight of the smallest of them */
	uint64_t omitted, drawn;
	uint64_t base_missing;		/* base weight in stacks without weight */
	int64_t max_delta;		/* the largest difference, without its sign */
	uint32_t max_depth;
	bool seen[KIND_COUNT];
};

/* Share of the total less share of the base's total, times DELTA_ONE. */
int64_t flame_delta(const struct picture *p, uint32_t node);

enum frame_kind flame_kind(const struct picture *p, uint32_t node, uint32_t depth);

/* The class of a frame, which gives it its colour; at most 3 characters. */
struct fmt flame_class(const struct picture *p, uint32_t node, enum frame_kind kind);

/* Writes a weight in the options' unit. */
struct fmt flame_format_weight(const struct picture *p, uint64_t weight);

/* Below this share of the total, in millionths, frames are not drawn. */
unsigned flame_min_share_ppm(const struct flame_svg *options);

/* Names for a differential picture, never NULL. */
const char *flame_value_name(const struct picture *p);
const char *flame_base_name(const struct picture *p);

/* All frames, from the root; and what stands below them, whose height in pixels is flame_below(). */
void flame_put_frames(const struct picture *p, struct flame_walk *walk);
void flame_put_below(const struct picture *p);
unsigned flame_below(const struct picture *p);

extern const char flame_style[], flame_script[];

#endif
