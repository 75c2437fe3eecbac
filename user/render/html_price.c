/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_price.c - what was lost, what watching cost, what this kernel could not tell. */
#include <math.h>

#include "render/html_private.h"
#include "render/render.h"
#include "base/term.h"

static void put_loss(FILE *out, const struct report *r)
{
	/* As in --json, in the order of loss_words(). */
	static const char *const names[LOSS_WORDS] = {
		"ring", "map_full", "missed", "unmatched", "clock", "stacks",
	};
	static const char *const heads[] = { "Counter", "Lost", "What that means", NULL };
	struct counted_words losses[LOSS_WORDS];
	bool any = false;

	if (r->loss_unknown) {
		fputs("<p>Loss is not known: the recording has no end.</p>\n", out);
		return;
	}
	loss_words(r, losses);
	for (size_t i = 0; i < LOSS_WORDS; i++)
		any |= losses[i].count != 0;
	if (!any)
		fputs("<p>Nothing was lost.</p>\n", out);
	html_table(out, "Losses", heads);
	for (size_t i = 0; i < LOSS_WORDS; i++) {
		fprintf(out, "<tr><th scope=\"row\">%s</th>", names[i]);
		html_cell_count(out, losses[i].count);
		fputs("<td class=\"why\">", out);
		html_text(out, losses[i].words);
		fputs("</td></tr>\n", out);
	}
	html_table_end(out);
}

static void put_pair(FILE *out, const char *name, const char *value, const char *unit)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_text(out, value);
	fprintf(out, "%s</dd></div>", unit);
}

static void put_overhead(FILE *out, const struct report *r)
{
	double seconds = (double)r->window_ns / 1e9;

	fputs("<h3>Overhead</h3>\n<dl class=\"pairs\">", out);
	if (!r->overhead.bpf_known)
		put_pair(out, "BPF", r->exchanges_only ? "not known" :
			 "not known (run-time statistics are off)", "");
	if (r->overhead.bpf_known && r->latency.count)
		put_pair(out, "BPF an exchange",
			 format_count((uint64_t)(r->overhead.bpf_ns_per_exchange + 0.5)).s, " ns");
	if (r->overhead.bpf_known)
		put_pair(out, "BPF", format_decimal(r->overhead.bpf_cpu_seconds, 3).s, " s");
	if (isfinite(r->overhead.collector_cpu_seconds))
		put_pair(out, "collector",
			 format_decimal(r->overhead.collector_cpu_seconds, 3).s, " s");
	if (seconds > 0 && isfinite(r->overhead.collector_cpu_seconds))
		put_pair(out, "collector, of a core",
			 format_share(r->overhead.collector_cpu_seconds / seconds).s, "");
	fputs("<div><dt>events read</dt><dd>", out);
	html_count(out, r->events);
	fputs("</dd></div></dl>\n<p class=\"note\">With the stacks that a flame graph needs, "
	      "watching costs more than for a report alone.</p>\n", out);
}

void html_put_price(FILE *out, const struct html_page *p)
{
	const struct report *r = p->r;

	html_section(out, "loss", "Loss and overhead");
	put_loss(out, r);
	put_overhead(out, r);
	if (r->n_notes) {
		fputs("<h3>Notes</h3>\n<ul class=\"notes\">", out);
		for (size_t i = 0; i < r->n_notes; i++) {
			fputs("<li>", out);
			html_bytes(out, r->notes[i], 512);
			fputs("</li>", out);
		}
		fputs("</ul>\n", out);
	}
	html_section_end(out);
}
