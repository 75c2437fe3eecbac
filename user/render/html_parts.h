/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html_parts.h - words, numbers, lists and tables of the page, for the html*.c files.
 *
 * Text that is not ours goes through html_text() or html_bytes(), always. A number is a <data>
 * element whose value is the one of --json. As in term.h, results are structs by value.
 */
#ifndef EPOLLSCOPE_HTML_PARTS_H
#define EPOLLSCOPE_HTML_PARTS_H

#include "render/columns.h"
#include "render/render.h"

#define HTML_TEXT_MAX 1100	/* bytes of a text before its markup is escaped; the rest is cut */

struct html {
	char s[6 * HTML_TEXT_MAX + 1];
};

/* Text for content and attributes: markup escaped. s is fit for a terminal already. */
struct html html_text(const char *s);

/* A name from outside, at most len raw bytes: hostile characters escaped, then markup. */
struct html html_bytes(const char *s, size_t len);

struct fmt html_ns(uint64_t ns);
struct fmt html_count(uint64_t n);
struct html html_share(double share);

/* `part` of `whole` as a CSS percentage, "12.5%". */
struct fmt html_percent(double part, double whole);

/* Cells of described columns, and a row whose first cell is its head. */
void html_cells(FILE *out, const struct column *c, const void *row);
void html_row(FILE *out, const struct column *c, const void *row);

/* Terms of an open <dl>: a name and its value, safe in HTML; those that are described. */
void html_pair(FILE *out, const char *name, const char *value);
void html_pairs(FILE *out, const struct column *c, const void *row);

/* A section with its heading; id is a word of ours. */
void html_section(FILE *out, const char *id, const char *title);
void html_section_end(FILE *out);

/*
 * A table in a box that scrolls when it is too wide: `heads` of HTML_HEAD() and html_heads() of
 * columns before the body, rows between body and end.
 */
#define HTML_HEAD(words) "<th scope=\"col\">" words "</th>"
void html_table_begin(FILE *out, const char *label, const char *heads);
void html_heads(FILE *out, const struct column *c);
void html_table_body(FILE *out);
void html_table_end(FILE *out);

/* The page's parts, in their order; each writes its own sections. */
int html_put_answer(FILE *out, const struct html_page *p);	/* 0 or -ENOMEM */
void html_put_ledger(FILE *out, const struct html_page *p);
void html_put_open_loop(FILE *out, const struct report *r);	/* a row of the latency's table */
void html_put_holds(FILE *out, const struct report *r);
void html_put_heat(FILE *out, const struct html_page *p);
void html_put_worst(FILE *out, const struct html_page *p);
int html_put_flame(FILE *out, const struct html_page *p);	/* 0, -ENOMEM or -EIO */
void html_put_details(FILE *out, const struct html_page *p);
void html_put_loss(FILE *out, const struct html_page *p);

#endif
