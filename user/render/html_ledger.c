/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_ledger.c - percentiles, and the stages that they are made of. */
#include "render/html_private.h"
#include "render/render.h"
#include "base/term.h"

static double tail_share(const struct report *r, unsigned stage)
{
	double share = r->stages[stage].tail_share;

	return share > 0 && share <= 1 ? share : 0;
}

static void put_latency_row(FILE *out, const char *name, const struct dist *d)
{
	fprintf(out, "<tr><th scope=\"row\">%s</th>", name);
	html_cell_count(out, d->count);
	html_cell_ns(out, true, dist_mean(d));
	html_cell_ns(out, true, d->p50_ns);
	html_cell_ns(out, true, d->p90_ns);
	html_cell_ns(out, true, d->p99_ns);
	html_cell_ns(out, true, d->p999_ns);
	html_cell_ns(out, true, d->max_ns);
	fputs("</tr>\n", out);
}

static void put_latency_table(FILE *out, const struct report *r)
{
	static const char *const heads[] = { "Latency", "Exchanges", "Mean", "P50", "P90", "P99",
					     "P99.9", "Max", NULL };

	html_table(out, "Latency", heads);
	if (r->latency.count)
		put_latency_row(out, "server", &r->latency);
	if (r->client.count)
		put_latency_row(out, "client (upstream)", &r->client);
	html_table_end(out);
}

/* The tail's time as one bar; the table below is its legend. */
static void put_stack(FILE *out, const struct report *r)
{
	fputs("<div class=\"stack\" aria-hidden=\"true\">", out);
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		if (tail_share(r, i) > 0)
			fprintf(out, "<i class=\"st%u\" style=\"width:%s\">%s</i>", i,
				html_percent(tail_share(r, i), 1).s,
				tail_share(r, i) > 0.1 ? stage_name(i) : "");
	fputs("</div>\n", out);
}

static void put_split(FILE *out, const struct stage_info *s)
{
	double all = (double)s->split_ns;

	if (!s->has_split || !s->split_ns)
		return;
	fputs("<span class=\"split\">on-CPU ", out);
	html_share(out, (double)s->oncpu_ns / all);
	fputs(", runnable ", out);
	html_share(out, (double)s->runnable_ns / all);
	fputs(", blocked ", out);
	html_share(out, (double)s->blocked_ns / all);
	/* A split of a part only says so. */
	if (s->split_ns < s->dist.sum_ns - s->dist.sum_ns / 20) {
		fputs(" (of the ", out);
		html_share(out, all / (double)s->dist.sum_ns);
		fputs(" of its time that could be split)", out);
	}
	fputs("</span>", out);
}

static void put_dist_cells(FILE *out, const struct dist *d)
{
	html_cell_count(out, d->count);
	html_cell_ns(out, d->count, d->p50_ns);
	html_cell_ns(out, d->count, d->p99_ns);
	html_cell_ns(out, d->count, d->max_ns);
}

static void put_stage(FILE *out, const struct report *r, unsigned stage)
{
	const struct stage_info *s = &r->stages[stage];

	fprintf(out, "<tr><th scope=\"row\"><i class=\"swatch st%u\"></i>%s</th>"
		"<td class=\"share\">", stage, stage_name(stage));
	html_share(out, tail_share(r, stage));
	fprintf(out, "<span class=\"track\"><i class=\"st%u\" style=\"width:%s\"></i></span></td>",
		stage, html_percent(tail_share(r, stage), 1).s);
	put_dist_cells(out, &s->dist);
	fputs("<td class=\"why\">", out);
	html_text(out, stage_meaning(stage));
	put_split(out, s);
	fputs("</td></tr>\n", out);
}

static void put_after(FILE *out, const char *name, const struct dist *d)
{
	fprintf(out, "<tr class=\"after\"><th scope=\"row\">%s</th><td>–</td>", name);
	put_dist_cells(out, d);
	fputs("<td class=\"why\">after the latency, not part of it</td></tr>\n", out);
}

static void put_caveats(FILE *out, const struct report *r)
{
	struct counted_words caveats[CAVEAT_WORDS];

	caveat_words(r, caveats);
	fputs("<p class=\"note\">P50 to P99.9 are upper bounds, at most 1.6 % high; max is "
	      "exact.", out);
	for (size_t i = 0; i < CAVEAT_WORDS; i++) {
		if (!caveats[i].count)
			continue;
		fputs(" <span>", out);
		html_count(out, caveats[i].count);
		fprintf(out, " %s.</span>", caveats[i].words);
	}
	fputs("</p>\n", out);
}

void html_put_ledger(FILE *out, const struct html_page *p)
{
	static const char *const heads[] = { "Stage", "Of the tail", "Exchanges", "P50", "P99",
					     "Max", "When it is large", NULL };
	const struct report *r = p->r;

	html_section(out, "ledger", "Latency and its ledger");
	if (!r->latency.count && !r->client.count)
		fputs("<p>No exchanges.</p>\n", out);
	else
		put_latency_table(out, r);
	if (r->latency.count) {
		fputs("<h3>Where the tail’s time went</h3>\n", out);
		put_stack(out, r);
		fputs("<div class=\"stages\">\n", out);
		html_table(out, "Ledger: the eight stages", heads);
		for (unsigned i = 0; i < STAGE_COUNT; i++)
			put_stage(out, r, i);
		if (r->send.count || r->deliver.count) {
			put_after(out, "send", &r->send);
			put_after(out, "deliver", &r->deliver);
		}
		html_table_end(out);
		fputs("</div>\n", out);
		put_caveats(out, r);
	}
	html_section_end(out);
}
