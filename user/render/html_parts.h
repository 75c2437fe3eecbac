/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html_parts.h - words, numbers, lists and tables of the page, for the html*.c files.
 *
 * Text that is not ours goes through html_text() or html_bytes(), always. A number is a <data>
 * element whose value is the one of --json.
 */
#ifndef EPOLLSCOPE_HTML_PARTS_H
#define EPOLLSCOPE_HTML_PARTS_H

#include "render/columns.h"
#include "render/html.h"

/* Text for content and attributes: markup escaped. s is fit for a terminal already. */
void html_text(FILE *out, const char *s);

/* A name from outside, at most len raw bytes: hostile characters escaped, then markup. */
void html_bytes(FILE *out, const char *s, size_t len);

void html_ns(FILE *out, uint64_t ns);
void html_count(FILE *out, uint64_t n);

void html_share(FILE *out, double share);

/* Table cells; a dash if the value is not known. */
void html_cell_ns(FILE *out, bool known, uint64_t ns);
void html_cell_count(FILE *out, uint64_t n);

/* The same of described columns: heads, cells, and a row whose first cell is its head. */
void html_heads(FILE *out, const struct column *c);
void html_cells(FILE *out, const struct column *c, const void *row);
void html_row(FILE *out, const struct column *c, const void *row);

/* Terms of an open <dl>: a name and its value; those that are described. */
void html_pair_count(FILE *out, const char *name, uint64_t n);
void html_pair_ns(FILE *out, const char *name, uint64_t ns);
void html_pairs(FILE *out, const struct column *c, const void *row);

/* `part` of `whole` as a CSS percentage, "12.5%". */
struct fmt html_percent(double part, double whole);

/* A section with its heading; id is a word of ours. */
void html_section(FILE *out, const char *id, const char *title);
void html_section_end(FILE *out);

/*
 * A table in a box that scrolls when it is too wide: heads between begin and body, rows between
 * body and end. html_table() is begin, heads (which end with NULL) and body.
 */
void html_table_begin(FILE *out, const char *label);
void html_head(FILE *out, const char *head);
void html_table_body(FILE *out);
void html_table(FILE *out, const char *label, const char *const *heads);
void html_table_end(FILE *out);

/* The page's parts, in their order; each writes its own sections. */
int html_put_answer(FILE *out, const struct html_page *p);	/* 0 or -ENOMEM */
void html_put_ledger(FILE *out, const struct html_page *p);
void html_put_heat(FILE *out, const struct html_page *p);
void html_put_worst(FILE *out, const struct html_page *p);
int html_put_flame(FILE *out, const struct html_page *p);	/* 0, -ENOMEM or -EIO */
void html_put_details(FILE *out, const struct html_page *p);
void html_put_loss(FILE *out, const struct html_page *p);

#endif
