/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_answer.c - the sentence, the figures, the diagnosis. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain/finding.h"
#include "render/html_private.h"
#include "render/render.h"
#include "base/term.h"

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

static void put_figure(FILE *out, const char *name, uint64_t ns)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_ns(out, ns);
	fputs("</dd></div>", out);
}

static void put_figures(FILE *out, const struct report *r)
{
	uint64_t lost = r->loss.ring + r->loss.map_full + r->loss.missed + r->loss.unmatched +
			r->loss.clock + r->loss.stacks;

	fputs("<dl class=\"figures\">", out);
	if (r->latency.count) {
		put_figure(out, "P50", r->latency.p50_ns);
		put_figure(out, "P99", r->latency.p99_ns);
		put_figure(out, "P99.9", r->latency.p999_ns);
		put_figure(out, "max", r->latency.max_ns);
	}
	fputs("<div><dt>exchanges</dt><dd>", out);
	html_count(out, r->latency.count);
	fputs("</dd></div><div><dt>lost</dt><dd><a href=\"#loss\">", out);
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
