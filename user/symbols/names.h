/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.h - each name once, made fit for every output, and readable. */
#ifndef EPOLLSCOPE_SYM_NAMES_H
#define EPOLLSCOPE_SYM_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sym_names;

struct sym_names *sym_names_new(void);
void sym_names_free(struct sym_names *names);

/*
 * The number of a name, for sym_name(). Bytes of invalid UTF-8 and characters that steer a terminal
 * become '?', ';' becomes ':'; what is longer than a name may be ends in "...". An empty name, or
 * one for which there is no room, is number 0: "[unknown]".
 */
uint32_t sym_intern(struct sym_names *names, const char *bytes, size_t len);
const char *sym_name(const struct sym_names *names, uint32_t number);

/* The same, readable where it is mangled: C++, Rust (both ways); without a symbol's @VERSION. */
uint32_t sym_intern_symbol(struct sym_names *names, const char *symbol);

/*
 * Writes the readable form of a mangled name, terminated. False if it is none, or if its form
 * would be longer than the room: hostile names of a hundred bytes may mean gigabytes.
 */
bool sym_demangle(const char *symbol, char *out, size_t room);

#endif
