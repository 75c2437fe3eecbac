/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_parts.c - words, numbers, lists and tables, safe in a page. */
#include <inttypes.h>
#include <string.h>

#include "render/html_parts.h"

#define NAME_COLUMNS (4 * COMM_LEN)	/* of a name, all of it escaped */

void html_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*s, out);
		}
	}
}

void html_bytes(FILE *out, const char *s, size_t len)
{
	char text[1100];

	escape_text(text, sizeof(text), s, len);
	html_text(out, text);
}

void html_ns(FILE *out, uint64_t ns)
{
	fprintf(out, "<data value=\"%" PRIu64 "\">%s</data>", ns, format_ns(ns).s);
}

void html_count(FILE *out, uint64_t n)
{
	fprintf(out, "<data value=\"%" PRIu64 "\">%s</data>", n, format_count(n).s);
}

/* A small one is "<0.1 %". */
void html_share(FILE *out, double share)
{
	html_text(out, format_share(share).s);
}

void html_cell_ns(FILE *out, bool known, uint64_t ns)
{
	fputs("<td>", out);
	if (known)
		html_ns(out, ns);
	else
		fputs("–", out);
	fputs("</td>", out);
}

void html_cell_count(FILE *out, uint64_t n)
{
	fputs("<td>", out);
	html_count(out, n);
	fputs("</td>", out);
}

static void put_value(FILE *out, const struct column *c, const void *row)
{
	if (!column_known(c, row)) {
		fputs("–", out);
		return;
	}
	switch (c->unit) {
	case COLUMN_COUNT:
	case COLUMN_RARE:
		html_count(out, column_number(c, row));
		break;
	case COLUMN_NS:
	case COLUMN_MEAN:
		html_ns(out, column_number(c, row));
		break;
	default:
		html_text(out, column_format(c, row, NAME_COLUMNS).s);
	}
}

void html_heads(FILE *out, const struct column *c)
{
	for (; c->at.size; c++)
		if (c->html)
			html_head(out, c->html);
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

void html_pair_count(FILE *out, const char *name, uint64_t n)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_count(out, n);
	fputs("</dd></div>", out);
}

void html_pair_ns(FILE *out, const char *name, uint64_t ns)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_ns(out, ns);
	fputs("</dd></div>", out);
}

void html_pairs(FILE *out, const struct column *c, const void *row)
{
	for (; c->at.size; c++)
		if (c->html && column_listed(c, row))
			html_pair_count(out, c->html, column_number(c, row));
}

struct fmt html_percent(double part, double whole)
{
	struct fmt text = format_decimal(whole > 0 ? 100 * part / whole : 0, 3);
	size_t len = strlen(text.s);

	snprintf(text.s + len, sizeof(text.s) - len, "%%");
	return text;
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

void html_table_begin(FILE *out, const char *label)
{
	fprintf(out, "<div class=\"scroll\" role=\"group\" aria-label=\"%s\" tabindex=\"0\">"
		"<table>\n<thead><tr>", label);
}

void html_head(FILE *out, const char *head)
{
	fprintf(out, "<th scope=\"col\">%s</th>", head);
}

void html_table_body(FILE *out)
{
	fputs("</tr></thead>\n<tbody>\n", out);
}

void html_table(FILE *out, const char *label, const char *const *heads)
{
	html_table_begin(out, label);
	for (; *heads; heads++)
		html_head(out, *heads);
	html_table_body(out);
}

void html_table_end(FILE *out)
{
	fputs("</tbody></table></div>\n", out);
}
