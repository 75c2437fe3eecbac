/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * map.h - finds the items of an array by their keys.
 *
 * A map holds numbers, for instance indices of an array of the caller's; the items and their keys
 * stay with the caller, who says whether a number is that of a key. Keys are bytes and may be
 * chosen by an attacker: their hash (SipHash-1-3) is keyed with random bytes of the process, so
 * nobody can choose keys that meet in one place. A map has no order that could be seen.
 */
#ifndef EPOLLSCOPE_MAP_H
#define EPOLLSCOPE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX	/* no number */

/* All zeros is an empty map. */
struct map {
	uint64_t *slots;	/* open addressing: half a hash, and a number + 1; 0: free */
	size_t n, room;		/* room is a power of two */
	uint64_t seed[2];
};

/* Whether the item of this number has the key. */
typedef bool (*map_same)(const void *items, uint32_t number, const void *key);

/* The number of a key, or MAP_NONE. `items` is for same(). */
uint32_t map_find(const struct map *m, const void *key, size_t len, map_same same,
		  const void *items);

/* Adds a number for a key that is not in the map. 0 or -ENOMEM, which changes nothing. */
int map_add(struct map *m, const void *key, size_t len, uint32_t number);

/* Forgets the number of a key, which is in the map. */
void map_remove(struct map *m, const void *key, size_t len, uint32_t number);

/* Room for n numbers in all: adding that many cannot fail. 0 or -ENOMEM. */
int map_reserve(struct map *m, size_t n);

void map_free(struct map *m);

#endif
