/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.h - names, tables of symbols, and the parsers that fill them. */
#ifndef EPOLLSCOPE_SYM_TABLE_H
#define EPOLLSCOPE_SYM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

/* --- each name once, made fit for every output, and readable --- */

/* All zeros is an empty one. */
struct sym_names {
	char **list;	/* of number n at n - 1 */
	size_t n, room;
	size_t bytes;
	struct map by_text;
};

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

/* --- a sorted array of symbols over one arena of names --- */

struct sym_entry {
	uint64_t start;
	uint32_t size;
	uint32_t name;	/* offset in the arena */
	uint32_t rank;	/* the higher one wins where two start together */
	uint32_t shown;	/* the interned name's number, 0 until it was asked for */
};

struct sym_table {
	struct sym_entry *list;
	size_t n, room;
	char *names;
	size_t names_len, names_room;
	uint64_t max_bytes;	/* set before the first add; 0 is no limit */
	bool newest_wins;	/* where some overlap, the higher rank and not the nearer start */
};

/* The size runs at most to the next symbol's start. */
#define SYM_RANK_SIZED 0x80000000u

/*
 * Copies the name; an empty one marks where something begins that is no function. 0, -ENOMEM,
 * -E2BIG: the table is full.
 */
int sym_table_add(struct sym_table *t, uint64_t start, uint64_t size, const char *name,
		  size_t name_len, uint32_t rank);
/* Sorts, leaves one symbol for each start, gives back what is not needed. */
void sym_table_finish(struct sym_table *t);
void sym_table_free(struct sym_table *t);
uint64_t sym_table_bytes(const struct sym_table *t);

/* The symbol that covers an address, or NULL. Nameless ones cover nothing. */
struct sym_entry *sym_table_find(struct sym_table *t, uint64_t address);
/* Its name to be shown, by sym_intern_symbol(). */
const char *sym_table_name(const struct sym_table *t, struct sym_entry *e, struct sym_names *names);

/*
 * Go's function table, the contents of .gopclntab, as versions 1.2, 1.16, 1.18 and 1.20 write it.
 * text is where the code starts if the table does not say it (1.26, position-independent code),
 * 0 if unknown. 0, -EINVAL: malformed, -ENOTSUP: no such version or no known start, or an error of
 * sym_table_add(); what was added until then stays.
 */
struct sym_go {
	const uint8_t *data;
	size_t len;
	uint64_t text;
};
int sym_go_read(const struct sym_go *go, struct sym_table *t);
/* Whether the table's functions are relative to a text start, which is stored at GO_TEXT_OFFSET. */
#define GO_TEXT_OFFSET 24
bool sym_go_has_text(const struct sym_go *go);

/*
 * A perf map: "START SIZE NAME" lines, hexadecimal. Returns how many lines were refused; *err is an
 * error of sym_table_add(). Only whole lines are used.
 */
uint64_t sym_jit_read(const char *text, size_t len, struct sym_table *t, int *err);

/*
 * The text of kallsyms. Names of a module's symbols become "NAME\t[MODULE]". 0, -EACCES: all
 * addresses are hidden, or an error of sym_table_add().
 */
int sym_kernel_read(const char *text, size_t len, struct sym_table *t);
/* The same for a file, NULL is /proc/kallsyms; sorted. Or a negative errno of reading it. */
int sym_kernel_load(const char *path, struct sym_table *t);

/*
 * For these parsers: a hexadecimal number, "0x" allowed, before something else. Moves *at behind
 * it, or returns false.
 */
bool sym_hex(const char **at, uint64_t *value);

#endif
