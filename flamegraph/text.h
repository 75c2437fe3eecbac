/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.h - foreign bytes, and numbers for people, on their way out; for this folder only. */
#ifndef FLAMEGRAPH_TEXT_H
#define FLAMEGRAPH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Decodes one UTF-8 character of s[0..len). Returns its length, or 0 for a byte that starts no
 * valid character.
 */
size_t flame_utf8(const char *s, size_t len, uint32_t *code);

/* Must not go out as it is: controls, what steers or hides text, what XML forbids. */
bool flame_hostile(uint32_t code);

/*
 * How much of s[0..len) goes out as one unit, at least 1: a character, or a byte to be written as
 * \xNN, for which *escape is set. code is 0 for such a byte.
 */
size_t flame_next_unit(const char *s, size_t len, uint32_t *code, bool *escape);

/* Writes s for XML text and attributes, at most `columns` columns wide; cut with an ellipsis. */
void flame_put_xml(FILE *out, const char *s, size_t len, unsigned columns);
void flame_put_u64(FILE *out, uint64_t value);

/* Hundredths: 123 as "1.23", 120 as "1.2", 100 as "1". */
void flame_put_hundredths(FILE *out, uint64_t value);

struct flame_text {
	char s[40];
};

struct flame_text flame_format_count(uint64_t n);	/* "1,234,567" */
struct flame_text flame_format_ns(uint64_t ns);		/* "0 ns", "1.23 ms", "12.3 s" */
struct flame_text flame_format_share(uint64_t part, uint64_t whole); /* "12.34 %", "<0.01 %" */
void flame_put_share(FILE *out, uint64_t part, uint64_t whole);	/* the same, as XML */

/* part * scale / whole, rounded down; whole must not be 0, part not above it. */
uint64_t flame_scale(uint64_t part, uint64_t whole, uint64_t scale);

#endif
