/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_answer.c - where the P99 went: sentence, figures, diagnosis, percentiles, stages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain/finding.h"
#include "render/html_parts.h"

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
	fprintf(out, "<p class=\"sentence\">%s</p>\n", html_text(text).s);
	free(text);
	return 0;
}

static void put_figures(FILE *out, const struct report *r)
{
	uint64_t lost = columns_sum(loss_counts, r);

	fputs("<dl class=\"figures\">", out);
	if (r->latency.count) {
		html_pair(out, "P50", html_ns(r->latency.p50_ns).s);
		html_pair(out, "P99", html_ns(r->latency.p99_ns).s);
		html_pair(out, "P99.9", html_ns(r->latency.p999_ns).s);
		html_pair(out, "max", html_ns(r->latency.max_ns).s);
	}
	html_pair(out, "exchanges", html_count(r->latency.count).s);
	fprintf(out, "<div><dt>lost</dt><dd><a href=\"#loss\">%s</a></dd></div></dl>\n",
		r->loss_unknown ? "not known" : lost ? html_count(lost).s : "nothing");
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && !strcmp(s + len - n, end);
}

/* For people: a duration, a share, a count or what else it is. */
static struct fmt evidence_value(const struct evidence *e)
{
	if (ends_with(e->name, "_ns") && e->value >= 0 && e->value < 1e18)
		return format_ns((uint64_t)e->value);
	if (ends_with(e->name, "share"))
		return format_share(e->value);
	if (e->value >= 0 && e->value < 1e15 && e->value - (double)(uint64_t)e->value == 0)
		return format_count((uint64_t)e->value);
	return format_decimal(e->value, 2);
}

static void put_finding(FILE *out, const struct finding *f)
{
	const char *severity = severity_name(f->severity);

	fprintf(out, "<li class=\"finding %s\"><h3>%s <span class=\"severity\">%s</span>",
		severity, html_text(f->code).s, severity);
	if (f->share >= 0)
		fprintf(out, " <span class=\"dim\">%s of the tail</span>",
			html_share(f->share > 1 ? 1 : f->share).s);
	fprintf(out, "</h3>\n<p>%s</p>\n", html_text(f->summary).s);
	if (f->advice && f->advice[0])
		fprintf(out, "<p class=\"advice\">%s</p>\n", html_text(f->advice).s);
	if (f->n_evidence) {
		fputs("<details><summary>Evidence</summary><dl class=\"evidence\">", out);
		for (const struct evidence *e = f->evidence; e < f->evidence + f->n_evidence; e++)
			html_pair(out, html_text(e->name).s,
				  html_text(e->text[0] ? e->text : evidence_value(e).s).s);
		fputs("</dl></details>", out);
	}
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
		fprintf(out, "<p>No rule of the diagnosis fired. %s</p>\n", html_text(r->gates).s);
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
	html_table_begin(out, "Latency", HTML_HEAD("Latency"));
	html_heads(out, latency_columns);
	html_table_body(out);
	if (r->latency.count)
		put_latency_row(out, "server", &r->latency);
	if (r->client.count)
		put_latency_row(out, "client (upstream)", &r->client);
	html_put_open_loop(out, r);
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
	char split[SPLIT_WORDS];

	fprintf(out, "<tr><th scope=\"row\"><i class=\"swatch st%u\"></i>%s</th>"
		"<td class=\"share\">%s<span class=\"track\"><i class=\"st%u\" style=\"width:%s\">"
		"</i></span></td>", stage, stage_name(stage), html_share(tail_share(r, stage)).s,
		stage, html_percent(tail_share(r, stage), 1).s);
	html_cells(out, stage_columns, &s->dist);
	fprintf(out, "<td class=\"why\">%s", html_text(stage_meaning(stage)).s);
	if (split_words(split, s))
		fprintf(out, "<span class=\"split\">%s</span>", html_text(split).s);
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

		if (c->html && n)
			fprintf(out, " <span>%s %s.</span>", html_count(n).s, c->html);
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
		html_table_begin(out, "Ledger: the eight stages",
				 HTML_HEAD("Stage") HTML_HEAD("Of the tail"));
		html_heads(out, stage_columns);
		fputs(HTML_HEAD("When it is large"), out);
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
	html_put_holds(out, r);
	html_section_end(out);
}
