/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.h - foreign bytes and numbers for people as a picture shows them; the rest is base/term.h's. For
 * this folder only.
 */
#ifndef FLAMEGRAPH_TEXT_H
#define FLAMEGRAPH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/term.h"

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

struct fmt flame_format_ns(uint64_t ns);	/* "1.23 ms", "12.3 s"; seconds have no end: "1,234 s" */
struct fmt flame_format_share(uint64_t part, uint64_t whole);	/* "12.34 %", "<0.01 %" */
void flame_put_share(FILE *out, uint64_t part, uint64_t whole);	/* the same, as XML */

/* part * scale / whole, rounded down; whole must not be 0, part not above it. */
uint64_t flame_scale(uint64_t part, uint64_t whole, uint64_t scale);

#endif
