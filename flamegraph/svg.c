/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* svg.c - a tree as a picture: which frames are drawn, and the page around them. */
#include "svg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SHARE_PPM 85
#define TITLE_COLUMNS 90
#define SUBTITLE_COLUMNS 150

/* The root counts in neither. */
static void count_frames(struct picture *p)
{
	const struct flame_tree *t = p->tree;

	for (uint32_t i = 1; i < t->n_nodes; i++) {
		if (p->sum[i] >= p->least)
			p->drawn++;
		else if (p->sum[i])
			p->omitted++;
		if (p->base_sum && !p->sum[i])
			p->base_missing += flame_self_base(t, i);
	}
}

/* Legend and height depend on what the frames turn out to be. */
static void survey(struct picture *p, struct flame_walk *walk)
{
	flame_walk_init(walk, &p->order);
	while (flame_next(walk)) {
		int64_t delta = p->base_sum && walk->depth ? flame_delta(p, walk->node) : 0;

		p->seen[flame_kind(p, walk->node, walk->depth)] = true;
		if (walk->depth > p->max_depth)
			p->max_depth = walk->depth;
		if (llabs(delta) > p->max_delta)
			p->max_delta = llabs(delta);
	}
}

/* Stages that are there, in the options' order, before whatever else is on the first level. */
static void order_stages(struct picture *p)
{
	uint32_t *child = p->order.child + p->order.first[FLAME_ROOT];
	uint32_t n = p->order.first[FLAME_ROOT + 1] - p->order.first[FLAME_ROOT], done = 0;

	for (const char *const *stage = p->options->stages; stage && *stage; stage++) {
		for (uint32_t i = done; i < n; i++) {
			size_t len;
			const char *name = flame_name(p->tree, child[i], &len);
			uint32_t found = child[i];

			if (len != strlen(*stage) || memcmp(name, *stage, len))
				continue;
			memmove(child + done + 1, child + done, (i - done) * sizeof(*child));
			child[done++] = found;
			break;
		}
	}
}

unsigned flame_min_share_ppm(const struct flame_svg *options)
{
	unsigned ppm = options->min_share_ppm ? options->min_share_ppm : DEFAULT_SHARE_PPM;

	return ppm < 1000000 ? ppm : 1000000;
}

/* Rounded up: what is drawn has the share at least. */
static uint64_t least_weight(const struct picture *p)
{
	unsigned __int128 product = (unsigned __int128)p->tree->total *
				    flame_min_share_ppm(p->options);
	uint64_t least = (uint64_t)((product + 999999) / 1000000);

	return least ? least : 1;
}

static int lay_out(struct picture *p, struct flame_walk *walk)
{
	int err;

	p->least = least_weight(p);
	p->sum = flame_sums(p->tree);
	p->base_sum = flame_differential(p->tree) ? flame_base_sums(p->tree) : NULL;
	if (!p->sum || (flame_differential(p->tree) && !p->base_sum))
		return -ENOMEM;
	err = flame_order(&p->order, p->tree, p->sum, p->least);
	if (err)
		return err;
	order_stages(p);
	count_frames(p);
	survey(p, walk);
	return 0;
}

static void put_text(const struct picture *p, const char *before, const char *text,
		     unsigned columns, const char *after)
{
	fputs(before, p->out);
	flame_put_xml(p->out, text, strlen(text), columns);
	fputs(after, p->out);
}

static void put_head(const struct picture *p, const char *title, unsigned height, bool whole)
{
	fprintf(p->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flame%s\" "
		"viewBox=\"0 0 %u %u\" width=\"%u\" height=\"%u\" role=\"img\"",
		p->base_sum ? " diff" : "", PICTURE_WIDTH, height, PICTURE_WIDTH, height);
	put_text(p, " aria-label=\"", title, TITLE_COLUMNS, "\">\n");
	/* In a page it would pop up over everything. */
	if (whole)
		put_text(p, "<title>", title, TITLE_COLUMNS, "</title>\n");
	fprintf(p->out, "<desc>%s in %s frames</desc>\n",
		flame_format_weight(p, p->tree->total).s, format_count(p->drawn).s);
	fprintf(p->out, "<style><![CDATA[\n%s]]></style>\n", flame_style);
	fputs("<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n", p->out);
	put_text(p, "<text class=\"title\" x=\"10\" y=\"26\">", title, TITLE_COLUMNS, "</text>\n");
	if (p->options->subtitle)
		put_text(p, "<text class=\"subtitle\" x=\"10\" y=\"46\">", p->options->subtitle,
			 SUBTITLE_COLUMNS, "</text>\n");
}

static void put_picture(const struct picture *p, struct flame_walk *walk, bool whole)
{
	const char *title = p->options->title ? p->options->title : "Flame graph";
	unsigned frames = (p->max_depth + 1) * ROW;
	unsigned height = HEADER + frames + 8 + flame_below(p) + MARGIN;

	if (whole)
		fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", p->out);
	put_head(p, title, height, whole);
	fprintf(p->out, "<g class=\"frames\" data-up=\"%d\" transform=\"translate(%u %u)\">\n",
		!p->options->icicle, MARGIN, HEADER);
	flame_put_frames(p, walk);
	fprintf(p->out, "</g>\n<g class=\"below\" transform=\"translate(%u %u)\">\n", MARGIN,
		HEADER + frames + 8);
	flame_put_below(p);
	fprintf(p->out, "</g>\n<script><![CDATA[\n%s]]></script>\n</svg>\n", flame_script);
}

static int write_picture(const struct flame_tree *t, const struct flame_svg *options, FILE *out,
			 struct flame_svg_stats *stats, bool whole)
{
	struct picture p = { .tree = t, .options = options, .out = out };
	struct flame_walk *walk = malloc(sizeof(*walk));
	int err = walk ? lay_out(&p, walk) : -ENOMEM;

	if (!err) {
		put_picture(&p, walk, whole);
		err = ferror(out) ? -EIO : 0;
	}
	if (!err && stats)
		*stats = (struct flame_svg_stats){ p.drawn, p.omitted };
	free(walk);
	free(p.sum);
	free(p.base_sum);
	flame_order_free(&p.order);
	return err;
}

int flame_write_svg(const struct flame_tree *t, const struct flame_svg *options, FILE *out,
		    struct flame_svg_stats *stats)
{
	return write_picture(t, options, out, stats, true);
}

int flame_write_fragment(const struct flame_tree *t, const struct flame_svg *options, FILE *out,
			 struct flame_svg_stats *stats)
{
	return write_picture(t, options, out, stats, false);
}
