/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* array.c - see array.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define FIRST_ROOM 16

/* The pointer is copied as bytes: it has the caller's type and must not be read as a void *. */
static int resize(void *list, size_t n, size_t item_size)
{
	void *old, *grown;
	size_t bytes;

	if (__builtin_mul_overflow(n, item_size, &bytes))
		return -ENOMEM;
	memcpy(&old, list, sizeof(old));
	grown = realloc(old, bytes);
	if (!grown)
		return -ENOMEM;
	memcpy(list, &grown, sizeof(grown));
	return 0;
}

int array_reserve(void *list, size_t *room, size_t want, size_t item_size)
{
	size_t more = *room ? *room : FIRST_ROOM;

	if (want <= *room)
		return 0;
	while (more < want && !__builtin_mul_overflow(more, 2, &more))
		;
	if (more < want || resize(list, more, item_size))
		return -ENOMEM;
	*room = more;
	return 0;
}

void *array_more(void *list, size_t n, size_t item_size)
{
	void *items;

	if (!(n & (n - 1)) && resize(list, n ? 2 * n : 1, item_size))
		return NULL;
	memcpy(&items, list, sizeof(items));
	return (char *)items + n * item_size;
}

size_t array_lower_bound(const void *list, size_t n, size_t item_size, array_before before,
			 const void *key)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (before((const char *)list + middle * item_size, key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
