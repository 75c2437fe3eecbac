/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* map.c - see map.h. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/map.h"

#define FIRST_ROOM 64

/* The state of SipHash, as its authors number it. */
struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32) + s->v3;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static uint64_t sip_hash(const uint64_t seed[2], const void *key, size_t len)
{
	struct sip s = {
		seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
		seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573,
	};
	const char *at = key;
	uint64_t word;

	for (size_t left = len; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sip_word(&s, le64toh(word));
	}
	word = 0;
	memcpy(&word, at, len % sizeof(word));
	sip_word(&s, le64toh(word) | (uint64_t)len << 56);
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* The half of the hash that is kept: a search begins at the slot that it gives. */
static uint32_t hash_of(const struct map *m, const void *key, size_t len)
{
	return (uint32_t)sip_hash(m->seed, key, len);
}

static uint64_t slot_make(uint32_t hash, uint32_t number)
{
	return (uint64_t)hash << 32 | (number + 1);
}

static size_t home_of(const struct map *m, uint64_t slot)
{
	return slot >> 32 & (m->room - 1);
}

static void place(struct map *m, uint64_t slot)
{
	size_t i = home_of(m, slot);

	while (m->slots[i])
		i = (i + 1) & (m->room - 1);
	m->slots[i] = slot;
}

/* At most three quarters of the slots are in use. */
int map_reserve(struct map *m, size_t n)
{
	struct map larger = { .n = m->n, .room = m->room ? m->room : FIRST_ROOM };

	if (n >= MAP_NONE)
		return -ENOMEM;
	while (n > larger.room / 4 * 3)
		larger.room *= 2;
	if (larger.room == m->room)
		return 0;
	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	/* 16 random bytes that the kernel gave to this process. */
	memcpy(larger.seed, (const void *)getauxval(AT_RANDOM), sizeof(larger.seed));
	for (size_t i = 0; i < m->room; i++)
		if (m->slots[i])
			place(&larger, m->slots[i]);
	free(m->slots);
	*m = larger;
	return 0;
}

uint32_t map_find(const struct map *m, const void *key, size_t len, map_same same,
		  const void *items)
{
	uint64_t wanted;

	if (!m->n)
		return MAP_NONE;
	wanted = slot_make(hash_of(m, key, len), 0);
	for (size_t i = home_of(m, wanted); m->slots[i]; i = (i + 1) & (m->room - 1)) {
		uint32_t number = (uint32_t)m->slots[i] - 1;

		if (m->slots[i] >> 32 == wanted >> 32 && same(items, number, key))
			return number;
	}
	return MAP_NONE;
}

int map_add(struct map *m, const void *key, size_t len, uint32_t number)
{
	if (map_reserve(m, m->n + 1))
		return -ENOMEM;
	place(m, slot_make(hash_of(m, key, len), number));
	m->n++;
	return 0;
}

/* The slots behind move up where a search would no longer reach them over the gap. */
void map_remove(struct map *m, const void *key, size_t len, uint32_t number)
{
	size_t mask = m->room - 1;
	uint64_t slot = slot_make(hash_of(m, key, len), number);
	size_t gap = home_of(m, slot);

	while (m->slots[gap] != slot)
		gap = (gap + 1) & mask;
	for (size_t i = (gap + 1) & mask; m->slots[i]; i = (i + 1) & mask)
		if (((i - home_of(m, m->slots[i])) & mask) >= ((i - gap) & mask)) {
			m->slots[gap] = m->slots[i];
			gap = i;
		}
	m->slots[gap] = 0;
	m->n--;
}

void map_free(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}
