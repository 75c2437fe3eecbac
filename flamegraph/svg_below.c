/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* svg_below.c - what stands below the frames: the legend, and what the picture leaves out. */
#include "svg.h"

#include <string.h>

#define SWATCH 14u
#define LEGEND_COLUMN 64u	/* tenths of a pixel: a legend's character, about */

struct below {
	const struct picture *p;
	FILE *out;		/* NULL: only count */
	unsigned x, y;
};

static void put_swatch(struct below *b, const char *class)
{
	if (b->out)
		fprintf(b->out, "<g class=\"%s\"><rect x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" "
			"rx=\"2\"/></g>\n", class, b->x, b->y + 3);
	b->x += SWATCH;
}

static void put_label(struct below *b, const char *before, const char *name)
{
	if (b->out) {
		fprintf(b->out, "<text class=\"note\" x=\"%u\" y=\"%u\">%s", b->x, b->y + 13, before);
		flame_put_xml(b->out, name, strlen(name), 40);
		fputs("</text>\n", b->out);
	}
	b->x += (unsigned)(strlen(before) + strlen(name)) * LEGEND_COLUMN / 10 + 12;
}

static void end_line(struct below *b)
{
	b->x = 0;
	b->y += LINE;
}

static void put_kinds(struct below *b)
{
	static const struct { enum frame_kind kind; const char *class, *label; } kinds[] = {
		{ KIND_STAGE, "s0", "stage" },
		{ KIND_USER, "u3", "user" },
		{ KIND_KERNEL, "k0", "kernel" },
		{ KIND_JIT, "j0", "JIT" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!b->p->seen[kinds[i].kind])
			continue;
		put_swatch(b, kinds[i].class);
		b->x += 4;
		put_label(b, kinds[i].label, "");
	}
}

/* From the bluest to the reddest. */
static void put_scale(struct below *b)
{
	char class[4] = "l0";

	put_label(b, "less than in ", flame_base_name(b->p));
	for (int level = -DELTA_LEVELS; level <= DELTA_LEVELS; level++) {
		class[0] = level < 0 ? 'l' : level ? 'm' : 'd';
		class[1] = (char)('0' + (level < 0 ? -level : level));
		put_swatch(b, class);
	}
	b->x += 8;
	put_label(b, "more than in ", flame_base_name(b->p));
}

static void put_note(struct below *b, const char *count, const char *text)
{
	if (b->out)
		fprintf(b->out, "<text class=\"note\" x=\"0\" y=\"%u\">%s%s</text>\n", b->y + 13, count,
			text);
	end_line(b);
}

static void put_scale_note(struct below *b)
{
	uint64_t hundredths = ((uint64_t)b->p->max_delta + DELTA_ONE / 20000) / (DELTA_ONE / 10000);
	struct fmt f;

	snprintf(f.s, sizeof(f.s), "%u.%02u", (unsigned)(hundredths / 100),
		 (unsigned)(hundredths % 100));
	put_note(b, f.s, " percentage points is the strongest colour.");
}

static void put_missing_note(struct below *b)
{
	const struct picture *p = b->p;

	if (b->out) {
		const char *base = flame_base_name(p), *value = flame_value_name(p);

		fprintf(b->out, "<text class=\"note\" x=\"0\" y=\"%u\">", b->y + 13);
		flame_put_share(b->out, p->base_missing, p->tree->base_total);
		fputs(" of ", b->out);
		flame_put_xml(b->out, base, strlen(base), 40);
		fputs(" is in stacks that are not in ", b->out);
		flame_put_xml(b->out, value, strlen(value), 40);
		fputs(", and not drawn.</text>\n", b->out);
	}
	end_line(b);
}

static void put_omitted_note(struct below *b)
{
	unsigned ppm = flame_min_share_ppm(b->p->options);
	char text[80];

	snprintf(text, sizeof(text), " frame%s below %u.%04u %% not drawn, and not searched.",
		 b->p->omitted == 1 ? "" : "s", ppm / 10000, ppm % 10000);
	put_note(b, format_count(b->p->omitted).s, text);
}

static void put_all(struct below *b)
{
	const struct picture *p = b->p;

	if (!p->tree->total) {
		put_note(b, "", "No stacks.");
		return;
	}
	if (p->base_sum)
		put_scale(b);
	else
		put_kinds(b);
	end_line(b);
	if (p->base_sum)
		put_scale_note(b);
	if (p->base_sum && p->base_missing)
		put_missing_note(b);
	if (p->omitted)
		put_omitted_note(b);
	if (p->tree->cut)
		put_note(b, format_count(p->tree->cut).s,
			 p->tree->cut == 1 ? " stack was too deep and is cut." :
					     " stacks were too deep and are cut.");
}

void flame_put_below(const struct picture *p)
{
	struct below b = { .p = p, .out = p->out };

	put_all(&b);
}

unsigned flame_below(const struct picture *p)
{
	struct below b = { .p = p };

	put_all(&b);
	return b.y;
}
