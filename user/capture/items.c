/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* items.c - see items.h. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "capture/items.h"

struct item_head {
	uint16_t id;
	uint16_t zero;
	uint32_t len;
};

/* A histogram on disk: sum, max, then these for what is not empty. */
struct bucket {
	uint64_t index;
	uint64_t count;
};

void *bytes_reserve(struct bytes *b, size_t len)
{
	if (b->failed || len > SIZE_MAX - b->len)
		return NULL;
	b->failed = array_reserve(&b->data, &b->room, b->len + len, 1);
	return b->failed ? NULL : b->data + b->len;
}

void bytes_put(struct bytes *b, const void *data, size_t len)
{
	void *to = bytes_reserve(b, len);

	if (!to || !len)
		return;
	memcpy(to, data, len);
	b->len += len;
}

void bytes_free(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

size_t item_begin(struct bytes *b, uint16_t id)
{
	struct item_head head = { .id = id };

	bytes_put(b, &head, sizeof(head));
	return b->len;
}

void item_end(struct bytes *b, size_t begun, bool stays)
{
	uint32_t len = (uint32_t)(b->len - begun);

	if (!b->failed && stays)
		memcpy(b->data + begun - sizeof(len), &len, sizeof(len));
	else if (!b->failed)
		b->len = begun - sizeof(struct item_head);
}

void item_bytes(struct bytes *b, uint16_t id, const void *data, size_t len)
{
	size_t begun = item_begin(b, id);

	bytes_put(b, data, len);
	item_end(b, begun, true);
}

void item_text(struct bytes *b, uint16_t id, const char *text)
{
	item_bytes(b, id, text, strlen(text));
}

void item_numbers(struct bytes *b, uint16_t id, const uint64_t *numbers, size_t n)
{
	item_bytes(b, id, numbers, n * sizeof(*numbers));
}

void item_number(struct bytes *b, uint16_t id, uint64_t number)
{
	item_numbers(b, id, &number, 1);
}

void item_hist(struct bytes *b, uint16_t id, const struct hist *h)
{
	uint64_t whole[] = { h->sum, h->max };
	size_t begun = item_begin(b, id), empty;

	bytes_put(b, whole, sizeof(whole));
	empty = b->len;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		struct bucket bucket = { i, h->bucket[i] };

		if (bucket.count)
			bytes_put(b, &bucket, sizeof(bucket));
	}
	item_end(b, begun, b->len > empty || h->sum || h->max);
}

bool items_next(struct items *from, struct item *it)
{
	struct item_head head;

	if (!from->len)
		return false;
	if (from->len >= sizeof(head)) {
		memcpy(&head, from->data, sizeof(head));
		if (head.len <= from->len - sizeof(head)) {
			*it = (struct item){ head.id, from->data + sizeof(head), head.len };
			from->data += sizeof(head) + head.len;
			from->len -= sizeof(head) + head.len;
			return true;
		}
	}
	from->cut = true;
	from->len = 0;
	return false;
}

struct items items_in(const struct item *it)
{
	return (struct items){ .data = it->data, .len = it->len };
}

size_t get_numbers(const struct item *it, uint64_t *to, size_t room)
{
	size_t n = it->len / sizeof(*to);

	if (n > room)
		n = room;
	if (n)
		memcpy(to, it->data, n * sizeof(*to));
	return n;
}

uint64_t get_number(const struct item *it)
{
	uint64_t number = 0;

	get_numbers(it, &number, 1);
	return number;
}

void get_text(const struct item *it, char *to, size_t size)
{
	size_t len = it->len < size - 1 ? it->len : size - 1;

	memcpy(to, it->data, len);
	memset(to + len, 0, size - len);
}

bool get_hist(const struct item *it, struct hist *h)
{
	size_t at = 2 * sizeof(uint64_t);
	uint64_t whole[2];

	if (get_numbers(it, whole, 2) != 2)
		return false;
	h->sum = whole[0];
	h->max = whole[1];
	for (; it->len - at >= sizeof(struct bucket); at += sizeof(struct bucket)) {
		struct bucket bucket;

		memcpy(&bucket, it->data + at, sizeof(bucket));
		if (bucket.index >= HIST_BUCKETS)
			return false;
		h->bucket[bucket.index] = bucket.count;
	}
	return at == it->len;
}

static void put_numbers(struct bytes *b, const struct field *f, const uint8_t *member)
{
	size_t begun = item_begin(b, f->id), n = f->size / f->width;
	uint64_t any = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t number = 0;

		memcpy(&number, member + i * f->width, f->width);
		any |= number;
		bytes_put(b, &number, sizeof(number));
	}
	item_end(b, begun, any || f->kind == FIELD_NUMBER_ALWAYS);
}

void fields_put(struct bytes *b, const struct field *table, size_t n, const void *from)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *member = (const uint8_t *)from + table[i].offset;

		if (table[i].kind == FIELD_HIST)
			item_hist(b, table[i].id, (const struct hist *)member);
		else if (table[i].kind == FIELD_TEXT)
			item_text(b, table[i].id, (const char *)member);
		else if (table[i].kind == FIELD_BYTES)
			item_bytes(b, table[i].id, member, table[i].size);
		else
			put_numbers(b, &table[i], member);
	}
}

static bool get_field(const struct item *it, const struct field *f, uint8_t *member)
{
	size_t n = f->size / f->width;

	switch (f->kind) {
	case FIELD_HIST:
		return get_hist(it, (struct hist *)member);
	case FIELD_TEXT:
		get_text(it, (char *)member, f->size);
		return true;
	case FIELD_BYTES:
		memcpy(member, it->data, it->len < f->size ? it->len : f->size);
		return true;
	case FIELD_FLAG:
		*(bool *)member = get_number(it) != 0;
		return true;
	default:
		for (size_t i = 0; i < n && i < it->len / sizeof(uint64_t); i++)
			memcpy(member + i * f->width, it->data + i * sizeof(uint64_t), f->width);
		return f->kind == FIELD_NUMBER_ALWAYS || it->len % sizeof(uint64_t) == 0;
	}
}

bool fields_get(struct items from, const struct field *table, size_t n, void *to)
{
	struct item it;

	while (items_next(&from, &it)) {
		for (size_t i = 0; i < n; i++) {
			if (table[i].id != it.id)
				continue;
			if (!get_field(&it, &table[i], (uint8_t *)to + table[i].offset))
				return false;
		}
	}
	return !from.cut;
}
