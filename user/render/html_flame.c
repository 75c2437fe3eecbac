/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_flame.c - the tail's flame graph, and how much of the tail it explains. */
#include "render/html_private.h"
#include "explain/stage_map.h"
#include "base/term.h"

static void put_words(FILE *out, const struct html_page *p)
{
	const struct profile_tail *t = &p->tail;
	double whole = t->stage_ns ? (double)t->stage_ns : 1;

	fputs("<p>What the responsible threads did while ", out);
	html_count(out, t->exchanges);
	fprintf(out, " of the tail’s ");
	html_count(out, p->r->tail_count);
	fprintf(out, " exchanges of %s and more waited: on a CPU, blocked and runnable together, "
		"by stage. ", format_ns(t->from_ns).s);
	html_ns(out, t->stage_ns);
	fputs(" of their ", out);
	html_ns(out, t->latency_ns);
	fputs(" is in stages that a thread answers for; stacks explain "
	      "<strong id=\"explained\">", out);
	html_share(out, (double)t->explained_ns / whole);
	fputs("</strong> of it.</p>\n", out);
}

static void put_caveats(FILE *out, const struct html_page *p)
{
	const struct profile_stats *s = &p->stacks;

	fprintf(out, "<p class=\"note\">%s samples, %s absences with their exact time, "
		"%s stacks.", format_count(s->samples).s, format_count(s->absences).s, format_count(s->stacks).s);
	if (s->unnamed)
		fprintf(out, " %s records have no stack: none could be taken.",
			format_count(s->unnamed).s);
	if (s->cut)
		fprintf(out, " %s stacks are cut: deeper than the kernel’s limit.",
			format_count(s->cut).s);
	if (s->dropped)
		fprintf(out, " %s records were dropped: watch for a shorter time.",
			format_count(s->dropped).s);
	fputs("</p>\n", out);
}

int html_put_flame(FILE *out, const struct html_page *p)
{
	const struct flame_svg svg = {
		.title = "What made the tail slow", .unit = FLAME_NS, .stages = stage_words,
	};
	int err = 0;

	html_section(out, "flame", "What the tail’s threads did");
	if (!p->tree) {
		fputs("<p>Not recorded: no stacks were taken.</p>\n", out);
	} else if (!flame_total(p->tree)) {
		fputs("<p>No exchange of the tail waited for a thread that was seen.</p>\n", out);
	} else {
		put_words(out, p);
		fputs("<div class=\"graph\">\n", out);
		err = flame_write_fragment(p->tree, &svg, out, NULL);
		fputs("</div>\n", out);
		put_caveats(out, p);
	}
	html_section_end(out);
	return err;
}
