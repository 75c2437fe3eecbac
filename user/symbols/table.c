/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.c - a sorted array of symbols. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/table.h"

/* How far back a symbol is looked for that began earlier and covers the address all the same. */
#define LOOK_BACK 64

int sym_table_add(struct sym_table *t, uint64_t start, uint64_t size, const char *name,
		  size_t name_len, uint32_t rank)
{
	uint64_t bytes = (t->n + 1) * sizeof(*t->list) + t->names_len + name_len + 1;

	if ((t->max_bytes && bytes > t->max_bytes) || t->n >= INT32_MAX ||
	    t->names_len + name_len + 1 >= UINT32_MAX)
		return -E2BIG;
	if (array_reserve(&t->list, &t->room, t->n + 1, sizeof(*t->list)) ||
	    array_reserve(&t->names, &t->names_room, t->names_len + name_len + 1, 1))
		return -ENOMEM;
	t->list[t->n++] = (struct sym_entry){
		.start = start,
		.size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size,
		.name = (uint32_t)t->names_len,
		.rank = rank,
	};
	if (name_len)
		memcpy(t->names + t->names_len, name, name_len);
	t->names[t->names_len + name_len] = '\0';
	t->names_len += name_len + 1;
	return 0;
}

/* By start, the best first. Ends with the place in the arena, which makes it stable. */
static int by_start(const void *a, const void *b, void *names)
{
	const struct sym_entry *x = a, *y = b;
	size_t x_len, y_len;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	x_len = strlen((char *)names + x->name);
	y_len = strlen((char *)names + y->name);
	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

void sym_table_finish(struct sym_table *t)
{
	size_t kept = 0;
	void *less;

	if (!t->n)
		return;
	qsort_r(t->list, t->n, sizeof(*t->list), by_start, t->names);
	for (size_t i = 0; i < t->n; i++)
		if (!kept || t->list[kept - 1].start != t->list[i].start)
			t->list[kept++] = t->list[i];
	t->n = kept;
	for (size_t i = 0; i + 1 < t->n; i++) {
		struct sym_entry *e = &t->list[i];
		uint64_t gap = t->list[i + 1].start - e->start;

		if (!t->newest_wins && !(e->rank & SYM_RANK_SIZED) && e->size > gap)
			e->size = (uint32_t)gap;
	}
	less = reallocarray(t->list, t->n, sizeof(*t->list));
	if (less) {
		t->list = less;
		t->room = t->n;
	}
	less = realloc(t->names, t->names_len);
	if (less) {
		t->names = less;
		t->names_room = t->names_len;
	}
}

void sym_table_free(struct sym_table *t)
{
	free(t->list);
	free(t->names);
	*t = (struct sym_table){ 0 };
}

uint64_t sym_table_bytes(const struct sym_table *t)
{
	return t->room * sizeof(*t->list) + t->names_room;
}

static bool begins_by(const void *entry, const void *address)
{
	return ((const struct sym_entry *)entry)->start <= *(const uint64_t *)address;
}

struct sym_entry *sym_table_find(struct sym_table *t, uint64_t address)
{
	struct sym_entry *best = NULL;
	size_t i = array_lower_bound(t->list, t->n, sizeof(*t->list), begins_by, &address);

	for (size_t back = 0; i-- && back < LOOK_BACK; back++) {
		struct sym_entry *e = &t->list[i];

		if (address - e->start >= e->size || !t->names[e->name])
			continue;
		if (!t->newest_wins)
			return e;
		if (!best || e->rank > best->rank)
			best = e;
	}
	return best;
}

const char *sym_table_name(const struct sym_table *t, struct sym_entry *e, struct sym_names *names)
{
	if (!e->shown)
		e->shown = sym_intern_symbol(names, t->names + e->name);
	return sym_name(names, e->shown);
}

bool sym_hex(const char **at, uint64_t *value)
{
	char *end;

	if (!isxdigit((unsigned char)**at))
		return false;
	errno = 0;
	*value = strtoull(*at, &end, 16);
	*at = end;
	return !errno;
}
