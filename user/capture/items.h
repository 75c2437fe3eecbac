/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * items.h - typed pieces of a capture's head and chunks: { u16 id, u16 0, u32 length },
 * then the bytes. Numbers are arrays of u64, histograms sparse, items may hold items.
 */
#ifndef EPOLLSCOPE_CAPTURE_ITEMS_H
#define EPOLLSCOPE_CAPTURE_ITEMS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hist.h"

/* Bytes that grow; after memory has run out nothing more is added. */
struct bytes {
	uint8_t *data;
	size_t len, room;
	bool failed;
};

/* Room for len more bytes behind data + len, or NULL. */
void *bytes_reserve(struct bytes *b, size_t len);
void bytes_put(struct bytes *b, const void *data, size_t len);
void bytes_free(struct bytes *b);

/* An item that holds items: put them between these two. It is taken back unless it is to stay. */
size_t item_begin(struct bytes *b, uint16_t id);
void item_end(struct bytes *b, size_t begun, bool stays);

void item_bytes(struct bytes *b, uint16_t id, const void *data, size_t len);
void item_text(struct bytes *b, uint16_t id, const char *text);
void item_number(struct bytes *b, uint16_t id, uint64_t number);
void item_numbers(struct bytes *b, uint16_t id, const uint64_t *numbers, size_t n);
void item_hist(struct bytes *b, uint16_t id, const struct hist *h);	/* nothing if empty */

struct item {
	uint16_t id;
	const uint8_t *data;
	size_t len;
};

/* The items in a stretch of bytes; an incomplete last one is passed over and reported. */
struct items {
	const uint8_t *data;
	size_t len;
	bool cut;
};

bool items_next(struct items *from, struct item *it);
struct items items_in(const struct item *it);

uint64_t get_number(const struct item *it);			/* 0 if there is none */
size_t get_numbers(const struct item *it, uint64_t *to, size_t room);	/* how many */
void get_text(const struct item *it, char *to, size_t size);	/* terminated, cut to fit */
bool get_hist(const struct item *it, struct hist *h);		/* false if it makes no sense */

/*
 * A struct as a table of its members: what the writer had and the reader does not know is passed
 * over, what the writer did not have stays as it was. Numbers, flags and histograms that are 0 are
 * not written.
 */
enum field_kind {
	FIELD_NUMBERS,
	FIELD_NUMBER_ALWAYS,	/* 0 too */
	FIELD_FLAG,		/* bool: any number but 0 is true */
	FIELD_TEXT,		/* terminated */
	FIELD_BYTES,
	FIELD_HIST,
};

struct field {
	uint16_t id;
	uint8_t kind;		/* enum field_kind */
	uint8_t width;		/* of a number in the struct: 1, 2, 4 or 8 bytes */
	uint32_t size;		/* of the member, bytes */
	uint32_t offset;
};

#define FIELD_OF(id, kind, width, type, member)					\
	{ id, kind, width, sizeof(((type *)0)->member), offsetof(type, member) }
#define NUMBER(id, type, member)						\
	FIELD_OF(id, FIELD_NUMBERS, sizeof(((type *)0)->member), type, member)
#define NUMBER_ALWAYS(id, type, member)						\
	FIELD_OF(id, FIELD_NUMBER_ALWAYS, sizeof(((type *)0)->member), type, member)
#define FLAG(id, type, member)		FIELD_OF(id, FIELD_FLAG, 1, type, member)
#define TEXT(id, type, member)		FIELD_OF(id, FIELD_TEXT, 1, type, member)
#define NUMBERS(id, type, member)	/* an array, or a struct, of u64 */	\
	FIELD_OF(id, FIELD_NUMBERS, 8, type, member)
#define BYTES(id, type, member)		FIELD_OF(id, FIELD_BYTES, 1, type, member)
#define HISTOGRAM(id, type, member)	FIELD_OF(id, FIELD_HIST, 8, type, member)

void fields_put(struct bytes *b, const struct field *table, size_t n, const void *from);
bool fields_get(struct items from, const struct field *table, size_t n, void *to);

#endif
