/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * array.h - arrays that grow, and searching sorted ones.
 *
 * `list` is the address of the caller's pointer to the items (struct item **), NULL at first; the
 * caller frees it. A function that fails leaves the array as it was.
 */
#ifndef EPOLLSCOPE_ARRAY_H
#define EPOLLSCOPE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* Room for `want` items; *room, which doubles, is how many fit. 0 or -ENOMEM. */
int array_reserve(void *list, size_t *room, size_t want, size_t item_size);

/*
 * Where item n of an array of n items goes, or NULL without memory. Such an array keeps no count of
 * its room, which is n rounded up to a power of two: only this function may allocate it.
 */
void *array_more(void *list, size_t n, size_t item_size);

/* Whether an item stands before the place of the key in a sorted array. */
typedef bool (*array_before)(const void *item, const void *key);

/* The index of the first item that is not before the key; n if all are. */
size_t array_lower_bound(const void *list, size_t n, size_t item_size, array_before before,
			 const void *key);

#endif
