/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html.c - the page: what its parts are made of; head, sections, the report's JSON, the script. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/html_parts.h"

#define NAME_COLUMNS (4 * COMM_LEN)	/* of a name, all of it escaped */

static const char style[] =
#include "user/render/html_page.css.h"
	;

static const char script[] =
#include "user/render/html_page.js.h"
	;

/* --- words, numbers, lists and tables --- */

struct html html_text(const char *s)
{
	static const char *const escapes[128] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
	};
	struct html text;
	size_t at = 0;

	for (size_t i = 0; s[i] && i < HTML_TEXT_MAX; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 128 && escapes[c])
			at += strlen(strcpy(text.s + at, escapes[c]));
		else
			text.s[at++] = s[i];
	}
	text.s[at] = '\0';
	return text;
}

struct html html_bytes(const char *s, size_t len)
{
	char text[HTML_TEXT_MAX];

	escape_text(text, sizeof(text), s, len);
	return html_text(text);
}

static struct fmt data_of(uint64_t n, const char *shown)
{
	struct fmt text;

	snprintf(text.s, sizeof(text.s), "<data value=\"%" PRIu64 "\">%.26s</data>", n, shown);
	return text;
}

struct fmt html_ns(uint64_t ns)
{
	return data_of(ns, format_ns(ns).s);
}

struct fmt html_count(uint64_t n)
{
	return data_of(n, format_count(n).s);
}

/* A small one is "<0.1 %". */
struct html html_share(double share)
{
	return html_text(format_share(share).s);
}

struct fmt html_percent(double part, double whole)
{
	struct fmt text = format_decimal(whole > 0 ? 100 * part / whole : 0, 3);

	strncat(text.s, "%", sizeof(text.s) - strlen(text.s) - 1);
	return text;
}

static void put_value(FILE *out, const struct column *c, const void *row)
{
	if (!column_known(c, row))
		fputs("–", out);
	else if (c->unit == COLUMN_COUNT || c->unit == COLUMN_RARE)
		fputs(html_count(column_number(c, row)).s, out);
	else if (c->unit == COLUMN_NS || c->unit == COLUMN_MEAN)
		fputs(html_ns(column_number(c, row)).s, out);
	else
		fputs(html_text(column_format(c, row, NAME_COLUMNS).s).s, out);
}

void html_cells(FILE *out, const struct column *c, const void *row)
{
	for (; c->at.size; c++) {
		if (!c->html)
			continue;
		fputs("<td>", out);
		put_value(out, c, row);
		fputs("</td>", out);
	}
}

void html_row(FILE *out, const struct column *c, const void *row)
{
	while (!c->html)
		c++;
	fputs("<tr><th scope=\"row\">", out);
	put_value(out, c, row);
	fputs("</th>", out);
	html_cells(out, c + 1, row);
	fputs("</tr>\n", out);
}

void html_pair(FILE *out, const char *name, const char *value)
{
	fprintf(out, "<div><dt>%s</dt><dd>%s</dd></div>", name, value);
}

void html_pairs(FILE *out, const struct column *c, const void *row)
{
	for (; c->at.size; c++)
		if (c->html && column_listed(c, row))
			html_pair(out, c->html, html_count(column_number(c, row)).s);
}

void html_section(FILE *out, const char *id, const char *title)
{
	fprintf(out, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n"
		"<h2 id=\"%s-title\">%s</h2>\n", id, id, id, title);
}

void html_section_end(FILE *out)
{
	fputs("</section>\n", out);
}

void html_table_begin(FILE *out, const char *label, const char *heads)
{
	fprintf(out, "<div class=\"scroll\" role=\"group\" aria-label=\"%s\" tabindex=\"0\">"
		"<table>\n<thead><tr>%s", label, heads);
}

void html_heads(FILE *out, const struct column *c)
{
	for (; c->at.size; c++)
		if (c->html)
			fprintf(out, HTML_HEAD("%s"), c->html);
}

void html_table_body(FILE *out)
{
	fputs("</tr></thead>\n<tbody>\n", out);
}

void html_table_end(FILE *out)
{
	fputs("</tbody></table></div>\n", out);
}

/* --- the page --- */

/* The page loads nothing from outside, whatever a name may contain. */
static void put_head(FILE *out, const struct report *r)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
	      "form-action 'none'\">\n<title>", out);
	if (r->n_targets)
		fputs(html_bytes(r->targets[0].comm, sizeof(r->targets[0].comm)).s, out);
	fprintf(out, " - epollscope report</title>\n<style>\n%s</style>\n</head>\n", style);
}

static void put_target(FILE *out, const struct report *r)
{
	const struct target_info *t = r->targets;

	if (!r->n_targets)
		return;
	fprintf(out, "<h1>%s <span class=\"dim\">pid %u", html_bytes(t->comm, sizeof(t->comm)).s,
		t->pid);
	if (r->n_targets > 1)
		fprintf(out, " and %zu more", r->n_targets - 1);
	fputs("</span></h1>\n", out);
}

static void put_span(FILE *out, const char *what, const char *name, size_t len)
{
	if (name[0])
		fprintf(out, "<span>%s%s</span>", what, html_bytes(name, len).s);
}

static void put_header(FILE *out, const struct report *r)
{
	static const char *const sections[][2] = {
		{ "diagnosis", "Diagnosis" }, { "ledger", "Ledger" }, { "heat", "Over time" },
		{ "worst", "Worst" }, { "flame", "Flame graph" }, { "details", "Details" },
		{ "loss", "Loss and overhead" },
	};

	fprintf(out, "<header>\n<p class=\"brand\">epollscope %s</p>\n",
		html_bytes(r->version ? r->version : "", 64).s);
	put_target(out, r);
	fprintf(out, "<p class=\"place\"><span>%s from <time>%s</time></span>",
		format_ns(r->window_ns).s, format_time(r->start_realtime_ns, 3).s);
	put_span(out, "host ", r->host, sizeof(r->host));
	put_span(out, "Linux ", r->kernel, sizeof(r->kernel));
	if (r->n_targets)
		put_span(out, "", r->targets[0].exe, sizeof(r->targets[0].exe));
	fputs("</p>\n<nav aria-label=\"Sections\">", out);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		fprintf(out, "<a href=\"#%s\">%s</a>", sections[i][0], sections[i][1]);
	fputs("</nav>\n</header>\n", out);
}

/* In JSON a `<` can only be inside a string: escaped, no name ends the element it stands in. */
static int put_json(FILE *out, const struct report *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *json = open_memstream(&text, &len);

	if (!json)
		return -ENOMEM;
	render_report_json(json, r);
	if (fclose(json)) {
		free(text);
		return -ENOMEM;
	}
	fputs("<script type=\"application/json\" id=\"report\">", out);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '<')
			fputs("\\u003c", out);
		else
			fputc(text[i], out);
	}
	fputs("</script>\n", out);
	free(text);
	return 0;
}

int html_write(FILE *out, const struct html_page *p)
{
	int err;

	put_head(out, p->r);
	fputs("<body>\n", out);
	put_header(out, p->r);
	fputs("<main>\n", out);
	err = html_put_answer(out, p);
	if (err)
		return err;
	html_put_ledger(out, p);
	html_put_heat(out, p);
	html_put_worst(out, p);
	err = html_put_flame(out, p);
	if (err)
		return err;
	html_put_details(out, p);
	html_put_loss(out, p);
	fputs("</main>\n", out);
	err = put_json(out, p->r);
	if (err)
		return err;
	fprintf(out, "<script>\n%s</script>\n</body>\n</html>\n", script);
	return ferror(out) ? -EIO : 0;
}
