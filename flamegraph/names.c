/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.c - each name once, found by its bytes. */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t word(const char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof(w));
	return w;
}

/* The last 1 to 8 bytes. */
static uint64_t tail(const char *s, size_t len)
{
	uint32_t first, last;

	if (len == 8)
		return word(s);
	if (len < 4)
		return (uint64_t)(uint8_t)s[0] << 16 | (uint64_t)(uint8_t)s[len / 2] << 8 |
		       (uint8_t)s[len - 1];
	memcpy(&first, s, 4);
	memcpy(&last, s + len - 4, 4);
	return (uint64_t)first << 32 | last;
}

static uint32_t hash_bytes(const char *s, size_t len)
{
	uint64_t h = len * 0x9e3779b97f4a7c15u;

	for (; len > 8; s += 8, len -= 8) {
		h = (h ^ word(s)) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return (uint32_t)flame_mix(h ^ tail(s, len));
}

/* Twice as many slots; keeps them at most half full. */
static int grow_slots(struct flame_names *t)
{
	uint32_t n = t->cap_slots ? t->cap_slots * 2 : 256, *slots;

	if (2 * (t->n + 1) <= t->cap_slots)
		return 0;
	slots = n ? calloc(n, sizeof(*slots)) : NULL;
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t at = t->at[i].hash & (n - 1);

		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = i + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->cap_slots = n;
	return 0;
}

static int store(struct flame_names *t, const char *s, size_t len, uint32_t hash)
{
	int err = flame_grow(&t->at, &t->cap, (uint64_t)t->n + 1, sizeof(*t->at));

	if (!err)
		err = flame_grow(&t->bytes, &t->cap_bytes, (uint64_t)t->used_bytes + len, 1);
	if (err)
		return err;
	memcpy(t->bytes + t->used_bytes, s, len);
	t->at[t->n++] = (struct name){ t->used_bytes, (uint32_t)len, hash };
	t->used_bytes += (uint32_t)len;
	return 0;
}

int flame_names_find(struct flame_names *t, const char *s, size_t len, uint32_t *name)
{
	static const char unnamed[] = "[unnamed]";
	uint32_t hash, at, mask;
	int err = grow_slots(t);

	if (err)
		return err;
	if (!len) {
		s = unnamed;
		len = strlen(unnamed);
	}
	hash = hash_bytes(s, len);
	mask = t->cap_slots - 1;
	for (at = hash & mask; t->slots[at]; at = (at + 1) & mask) {
		const struct name *known = &t->at[t->slots[at] - 1];

		if (known->hash == hash && known->len == len &&
		    !memcmp(t->bytes + known->offset, s, len)) {
			*name = t->slots[at] - 1;
			return 0;
		}
	}
	err = store(t, s, len, hash);
	if (err)
		return err;
	t->slots[at] = t->n;
	*name = t->n - 1;
	return 0;
}

void flame_names_free(struct flame_names *t)
{
	free(t->at);
	free(t->bytes);
	free(t->slots);
}
