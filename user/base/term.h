/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * term.h - numbers, addresses and foreign bytes made fit for people and terminals.
 *
 * Nothing here looks at the locale: the decimal sign is always '.', the thousands separator ','.
 * The format_ functions return small structs by value, so that a result can be used in a call:
 *	fprintf(out, "%s", format_ns(ns).s);
 */
#ifndef EPOLLSCOPE_TERM_H
#define EPOLLSCOPE_TERM_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/hist.h"
#include "bpf/events.h"

#define TEXT_COLUMNS 100

struct style {
	bool color;
};

enum ink { INK_BOLD, INK_DIM, INK_RED };

/* The escape code that turns an ink on, or every ink off; "" without colour. */
const char *ink_on(const struct style *style, enum ink ink);
const char *ink_off(const struct style *style);

struct fmt {
	char s[72];
};

struct fmt format_ns(uint64_t ns);			/* "0 ns", "1.23 ms", "16.7 min" */
struct fmt format_count(uint64_t n);			/* "1,234,567" */
struct fmt format_short(uint64_t n);			/* at most 5 columns: "999", "1.23M" */
struct fmt format_fit(uint64_t n, unsigned columns);	/* as exact as fits, from 5 columns up */
struct fmt format_share(double share);			/* 0.824 -> "82 %", 0.0042 -> "0.4 %" */
struct fmt format_decimal(double value, unsigned decimals); /* "1234.5"; "-" if not finite */
struct fmt format_time(uint64_t realtime_ns, unsigned digits); /* ISO 8601 UTC; digits 0, 3, 6 */
struct fmt format_clock(uint64_t realtime_ns, unsigned digits); /* the same without the date */

enum flow_end { END_LOCAL, END_REMOTE };

struct fmt format_addr(const struct flow *flow, enum flow_end end);	/* "127.0.0.1", "::1" */
struct fmt format_end(const struct flow *flow, enum flow_end end);	/* "[::1]:80" */

/*
 * Decodes one UTF-8 character of s[0..len). Returns its length and stores its code point, or
 * returns 0 for a byte that starts no valid character (overlong, surrogate, cut, above U+10FFFF).
 */
size_t utf8_decode(const char *s, size_t len, uint32_t *code);

/*
 * Characters that steer a terminal or hide text, or that XML forbids: controls, direction marks,
 * invisible characters and noncharacters.
 */
bool utf8_hostile(uint32_t code);

/*
 * Copies s, which ends at len bytes or at a NUL, with every hostile or invalid byte and every
 * backslash written as \xNN. The result is always terminated and never ends inside an escape or
 * a character; what does not fit is left out. Returns the length written; cap must not be 0.
 */
size_t escape_text(char *out, size_t cap, const char *s, size_t len);

/* A name (raw bytes, unterminated if full), escaped, in at most `columns` columns. */
struct fmt format_comm(const char *comm, size_t len, unsigned columns);

/* Columns that escaped text takes on a terminal. */
unsigned text_columns(const char *s);

/* Writes text in exactly |width| columns, cut with '~' if longer: left if width < 0, else right. */
void put_cell(FILE *out, const char *text, int width);

/* A paragraph: a bold label, then items that wrap within TEXT_COLUMNS, indented. */
struct para {
	FILE *out;
	unsigned indent;
	unsigned column;
	bool fresh;	/* nothing on this line yet */
};

void para_begin(struct para *p, FILE *out, const struct style *style, const char *label,
		unsigned indent);
/* One unbreakable item; sep goes between it and the one before on the same line. */
void para_item(struct para *p, const char *sep, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prose, broken at its spaces. */
void para_words(struct para *p, const char *text);
void para_end(struct para *p);

#endif
