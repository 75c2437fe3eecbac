/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_text.c - words, numbers and tables, safe in a page. */
#include <inttypes.h>
#include <string.h>

#include "render/html_private.h"
#include "base/term.h"

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

/* A small one is "<0.1 %". */
void html_share(FILE *out, double share)
{
	html_text(out, format_share(share).s);
}

void html_cell_share(FILE *out, double share)
{
	fputs("<td>", out);
	html_share(out, share);
	fputs("</td>", out);
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

void html_table(FILE *out, const char *label, const char *const *heads)
{
	fprintf(out, "<div class=\"scroll\" role=\"group\" aria-label=\"%s\" tabindex=\"0\">"
		"<table>\n<thead><tr>", label);
	for (; *heads; heads++)
		fprintf(out, "<th scope=\"col\">%s</th>", *heads);
	fputs("</tr></thead>\n<tbody>\n", out);
}

void html_table_end(FILE *out)
{
	fputs("</tbody></table></div>\n", out);
}
