/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * svg_frames.c - the frames: for each a group with its title, rectangle and label.
 *
 * A group says `data-f="DEPTH START WEIGHT"`, from which the script lays it out anew for any zoom;
 * the pixels here are those of the still picture. The title's first line is the name.
 */
#include "svg.h"

#include <string.h>

#define COLUMN_HUNDREDTHS 725	/* a label's character, in 1/100 pixel */
#define NAME_COLUMNS 4096	/* of a name in the title */

/* Where the walk is in the sum of weights, by depth. */
struct place {
	uint64_t start[FLAME_MAX_DEPTH + 2];	/* of the next frame at this depth */
};

struct fmt flame_format_weight(const struct picture *p, uint64_t weight)
{
	struct fmt f;

	if (p->options->unit == FLAME_NS)
		return flame_format_ns(weight);
	f = format_count(weight);
	strcat(f.s, weight == 1 ? " sample" : " samples");
	return f;
}

const char *flame_value_name(const struct picture *p)
{
	return p->options->value_name ? p->options->value_name : "this";
}

const char *flame_base_name(const struct picture *p)
{
	return p->options->base_name ? p->options->base_name : "base";
}

static void put_name(const struct picture *p, uint32_t node, unsigned columns)
{
	size_t len;
	const char *name = flame_name(p->tree, node, &len);
	struct fmt all;

	if (node == FLAME_ROOT) {
		all = flame_format_weight(p, p->tree->total);
		memmove(all.s + 5, all.s, sizeof(all.s) - 5);
		memcpy(all.s, "all: ", 5);
		all.s[sizeof(all.s) - 1] = '\0';
		name = all.s;
		len = strlen(name);
	}
	flame_put_xml(p->out, name, len, columns);
}

static void put_value(const struct picture *p, uint64_t part, uint64_t whole)
{
	fprintf(p->out, "%s, ", flame_format_weight(p, part).s);
	flame_put_share(p->out, part, whole);
}

static void put_points(const struct picture *p, int64_t delta)
{
	uint64_t size = (uint64_t)(delta < 0 ? -delta : delta);
	uint64_t hundredths = (size + DELTA_ONE / 20000) / (DELTA_ONE / 10000);

	fprintf(p->out, "%s%u.%02u points", !hundredths ? "" : delta < 0 ? "-" : "+",
		(unsigned)(hundredths / 100), (unsigned)(hundredths % 100));
}

static void put_title(const struct picture *p, uint32_t node)
{
	uint64_t self = flame_self(p->tree, node);
	FILE *out = p->out;

	fputs("<title>", out);
	put_name(p, node, NAME_COLUMNS);
	fputc('\n', out);
	if (p->base_sum) {
		const char *value = flame_value_name(p), *base = flame_base_name(p);

		flame_put_xml(out, value, strlen(value), NAME_COLUMNS);
		fputs(": ", out);
		put_value(p, p->sum[node], p->tree->total);
		fputc('\n', out);
		flame_put_xml(out, base, strlen(base), NAME_COLUMNS);
		fputs(": ", out);
		put_value(p, p->base_sum[node], p->tree->base_total);
		fputc('\n', out);
		put_points(p, flame_delta(p, node));
	} else {
		put_value(p, p->sum[node], p->tree->total);
		if (self && self < p->sum[node])
			fprintf(out, "\nitself: %s", flame_format_weight(p, self).s);
	}
	fputs("</title>", out);
}

static void put_attribute(FILE *out, const char *name, uint64_t hundredths)
{
	fprintf(out, " %s=\"", name);
	flame_put_hundredths(out, hundredths);
	fputc('"', out);
}

/* A gap to the right keeps neighbours apart, where there is room for one. */
static void put_box(const struct picture *p, uint32_t node, uint64_t start, unsigned y)
{
	uint64_t total = p->tree->total ? p->tree->total : 1;
	uint64_t x = flame_scale(start, total, FRAMES_WIDTH * 100);
	uint64_t end = node == FLAME_ROOT ? FRAMES_WIDTH * 100 :
		       flame_scale(start + p->sum[node], total, FRAMES_WIDTH * 100);
	uint64_t width = end - x, columns;
	FILE *out = p->out;

	fputs("<rect", out);
	put_attribute(out, "x", x);
	put_attribute(out, "y", y * 100);
	put_attribute(out, "width", width > 200 ? width - 60 : width > 10 ? width : 10);
	fputs(" height=\"17\" rx=\"2\"/>", out);
	columns = width > 800 ? (width - 800) / COLUMN_HUNDREDTHS : 0;
	if (columns < 3)
		return;
	fputs("<text", out);
	put_attribute(out, "x", x + 400);
	put_attribute(out, "y", (y + 13) * 100);
	fputc('>', out);
	put_name(p, node, (unsigned)columns);
	fputs("</text>", out);
}

static void put_frame(const struct picture *p, uint32_t node, uint32_t depth, uint64_t start)
{
	unsigned row = p->options->icicle ? depth : p->max_depth - depth;
	FILE *out = p->out;

	fprintf(out, "<g class=\"%s\" data-f=\"%u ",
		flame_class(p, node, flame_kind(p, node, depth)).s, depth);
	flame_put_u64(out, start);
	fputc(' ', out);
	flame_put_u64(out, p->sum[node]);
	fputs("\">", out);
	put_title(p, node);
	put_box(p, node, start, row * ROW);
	fputs("</g>\n", out);
}

void flame_put_frames(const struct picture *p, struct flame_walk *walk)
{
	struct place place;

	place.start[0] = 0;
	flame_walk_init(walk, &p->order);
	while (flame_next(walk)) {
		uint64_t start = place.start[walk->depth];

		put_frame(p, walk->node, walk->depth, start);
		place.start[walk->depth] = start + p->sum[walk->node];
		place.start[walk->depth + 1] = start;
	}
}
