/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_answer.c - where the P99 went: sentence, figures, diagnosis, percentiles, stages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain/finding.h"
#include "render/html_parts.h"
#include "render/render.h"

/* The text report's sentence, as one line. */
static int put_sentence(FILE *out, const struct report *r)
{
	char *text = NULL;
	size_t len = 0, kept = 0;
	FILE *words = open_memstream(&text, &len);

	if (!words)
		return -ENOMEM;
	put_summary(words, r);
	if (fclose(words)) {
		free(text);
		return -ENOMEM;
	}
	for (size_t i = 0; i < len; i++) {
		bool blank = text[i] == ' ' || text[i] == '\n';

		if (blank && (!kept || text[kept - 1] == ' '))
			continue;
		text[kept++] = blank ? ' ' : text[i];
	}
	text[kept] = '\0';
	fputs("<p class=\"sentence\">", out);
	html_text(out, text);
	fputs("</p>\n", out);
	free(text);
	return 0;
}

static void put_figures(FILE *out, const struct report *r)
{
	uint64_t lost = columns_sum(loss_counts, r);

	fputs("<dl class=\"figures\">", out);
	if (r->latency.count) {
		html_pair_ns(out, "P50", r->latency.p50_ns);
		html_pair_ns(out, "P99", r->latency.p99_ns);
		html_pair_ns(out, "P99.9", r->latency.p999_ns);
		html_pair_ns(out, "max", r->latency.max_ns);
	}
	html_pair_count(out, "exchanges", r->latency.count);
	fputs("<div><dt>lost</dt><dd><a href=\"#loss\">", out);
	if (r->loss_unknown)
		fputs("not known", out);
	else if (lost)
		html_count(out, lost);
	else
		fputs("nothing", out);
	fputs("</a></dd></div></dl>\n", out);
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && !strcmp(s + len - n, end);
}

static void put_evidence(FILE *out, const struct finding *f)
{
	if (!f->n_evidence)
		return;
	fputs("<details><summary>Evidence</summary><dl class=\"evidence\">", out);
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];

		fputs("<div><dt>", out);
		html_text(out, e->name);
		fputs("</dt><dd>", out);
		if (e->text[0])
			html_text(out, e->text);
		else if (ends_with(e->name, "_ns") && e->value >= 0 && e->value < 1e18)
			html_text(out, format_ns((uint64_t)e->value).s);
		else if (ends_with(e->name, "share"))
			html_text(out, format_share(e->value).s);
		else if (e->value >= 0 && e->value < 1e15 &&
			 e->value - (double)(uint64_t)e->value == 0)
			html_text(out, format_count((uint64_t)e->value).s);
		else
			html_text(out, format_decimal(e->value, 2).s);
		fputs("</dd></div>", out);
	}
	fputs("</dl></details>", out);
}

static void put_finding(FILE *out, const struct finding *f)
{
	const char *severity = severity_name(f->severity);

	fprintf(out, "<li class=\"finding %s\"><h3>", severity);
	html_text(out, f->code);
	fprintf(out, " <span class=\"severity\">%s</span>", severity);
	if (f->share >= 0) {
		fputs(" <span class=\"dim\">", out);
		html_share(out, f->share > 1 ? 1 : f->share);
		fputs(" of the tail</span>", out);
	}
	fputs("</h3>\n<p>", out);
	html_text(out, f->summary);
	fputs("</p>\n", out);
	if (f->advice && f->advice[0]) {
		fputs("<p class=\"advice\">", out);
		html_text(out, f->advice);
		fputs("</p>\n", out);
	}
	put_evidence(out, f);
	fputs("</li>\n", out);
}

int html_put_answer(FILE *out, const struct html_page *p)
{
	const struct report *r = p->r;
	int err;

	html_section(out, "diagnosis", "Where the P99 went");
	err = put_sentence(out, r);
	if (err)
		return err;
	put_figures(out, r);
	if (r->n_findings) {
		fputs("<ol class=\"findings\">\n", out);
		for (size_t i = 0; i < r->n_findings; i++)
			put_finding(out, &r->findings[i]);
		fputs("</ol>\n", out);
	} else {
		fputs("<p>No rule of the diagnosis fired.</p>\n", out);
	}
	html_section_end(out);
	return 0;
}

static void put_latency_row(FILE *out, const char *name, const struct dist *d)
{
	fprintf(out, "<tr><th scope=\"row\">%s</th>", name);
	html_cells(out, latency_columns, d);
	fputs("</tr>\n", out);
}

static void put_latency_table(FILE *out, const struct report *r)
{
	html_table_begin(out, "Latency");
	html_head(out, "Latency");
	html_heads(out, latency_columns);
	html_table_body(out);
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

static void put_stage(FILE *out, const struct report *r, unsigned stage)
{
	const struct stage_info *s = &r->stages[stage];
	char split[200];

	fprintf(out, "<tr><th scope=\"row\"><i class=\"swatch st%u\"></i>%s</th>"
		"<td class=\"share\">", stage, stage_name(stage));
	html_share(out, tail_share(r, stage));
	fprintf(out, "<span class=\"track\"><i class=\"st%u\" style=\"width:%s\"></i></span></td>",
		stage, html_percent(tail_share(r, stage), 1).s);
	html_cells(out, stage_columns, &s->dist);
	fputs("<td class=\"why\">", out);
	html_text(out, stage_meaning(stage));
	if (split_words(split, sizeof(split), s)) {
		fputs("<span class=\"split\">", out);
		html_text(out, split);
		fputs("</span>", out);
	}
	fputs("</td></tr>\n", out);
}

static void put_after(FILE *out, const char *name, const struct dist *d)
{
	fprintf(out, "<tr class=\"after\"><th scope=\"row\">%s</th><td>–</td>", name);
	html_cells(out, stage_columns, d);
	fputs("<td class=\"why\">after the latency, not part of it</td></tr>\n", out);
}

static void put_caveats(FILE *out, const struct report *r)
{
	fputs("<p class=\"note\">P50 to P99.9 are upper bounds, at most 1.6 % high; max is "
	      "exact.", out);
	for (const struct column *c = caveat_counts; c->at.size; c++) {
		uint64_t n = column_number(c, r);

		if (!c->html || !n)
			continue;
		fputs(" <span>", out);
		html_count(out, n);
		fprintf(out, " %s.</span>", c->html);
	}
	fputs("</p>\n", out);
}

void html_put_ledger(FILE *out, const struct html_page *p)
{
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
		html_table_begin(out, "Ledger: the eight stages");
		html_head(out, "Stage");
		html_head(out, "Of the tail");
		html_heads(out, stage_columns);
		html_head(out, "When it is large");
		html_table_body(out);
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
