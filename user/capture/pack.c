/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pack.c - records made small by what they have in common with the last of their kind.
 *
 * A packed record is a control byte and what follows it:
 *   0	    u32 length, the record as it is
 *   1..63  the difference (exclusive or, 64-bit words) to the last record under the same control
 *	    byte: a bit for each word that is not 0, low first, in as many bytes as it takes; a
 *	    nibble for each of those words, low first: its bytes less one; then these bytes
 * The control byte is the record's kind, 63 for ticks. Kinds from 63, records of another length
 * than the last of their kind, or longer than PACK_MAX, are written as they are. Every chunk
 * begins anew.
 */
#include <string.h>

#include "capture/write.h"
#include "bpf/events.h"

#define PACK_MAX   512	/* bytes: a bit for each word in 64 */
#define PACK_KINDS 64
#define TICK_KIND  63

/* The last record of each kind: where it is in the plain bytes, and how long. */
struct last {
	const uint8_t *record;
	size_t len;
};

static unsigned control_of(unsigned kind)
{
	return kind == CAPTURE_TICK ? TICK_KIND : kind < TICK_KIND ? kind : 0;
}

size_t packed_bound(size_t len)
{
	return 2 * len + 64;
}

static uint8_t *put_plain(uint8_t *to, const uint8_t *record, size_t len)
{
	uint32_t bytes = (uint32_t)len;

	*to++ = 0;
	memcpy(to, &bytes, sizeof(bytes));
	memcpy(to + sizeof(bytes), record, len);
	return to + sizeof(bytes) + len;
}

static uint8_t *put_difference(uint8_t *to, unsigned control, const uint8_t *record,
			       const uint8_t *last, size_t len)
{
	uint64_t changed[PACK_MAX / 8], mask = 0, a, b;
	unsigned n = 0, words = (unsigned)(len / 8);
	uint8_t *nibbles, *data;

	for (unsigned i = 0; i < words; i++) {
		memcpy(&a, record + 8 * i, 8);
		memcpy(&b, last + 8 * i, 8);
		changed[n] = a ^ b;
		mask |= (uint64_t)(a != b) << i;
		n += a != b;
	}
	*to++ = (uint8_t)control;
	memcpy(to, &mask, 8);
	nibbles = to + (words + 7) / 8;
	data = nibbles + (n + 1) / 2;
	memset(nibbles, 0, (n + 1) / 2);
	for (unsigned i = 0; i < n; i++) {
		unsigned more = (63u - (unsigned)__builtin_clzll(changed[i])) / 8;

		nibbles[i / 2] |= (uint8_t)(more << (i % 2 * 4));
		memcpy(data, &changed[i], 8);
		data += more + 1;
	}
	return data;
}

size_t pack_events(uint8_t *to, const uint8_t *from, size_t len)
{
	struct last last[PACK_KINDS] = { 0 };
	const uint8_t *end = from + len;
	uint8_t *begin = to;

	while (from < end) {
		struct event_head head;
		unsigned control;
		struct last *l;

		if ((size_t)(end - from) < sizeof(head))
			return 0;
		memcpy(&head, from, sizeof(head));
		if (head.size < sizeof(head) || head.size > (size_t)(end - from))
			return 0;
		control = head.size <= PACK_MAX && head.size % 8 == 0 ? control_of(head.kind) : 0;
		l = &last[control];
		if (control && l->len == head.size)
			to = put_difference(to, control, from, l->record, head.size);
		else
			to = put_plain(to, from, head.size);
		*l = (struct last){ from, control ? head.size : 0 };
		from += head.size;
	}
	return (size_t)(to - begin);
}

/* Returns the place behind what was read, or NULL. */
static const uint8_t *get_difference(uint8_t *to, const struct last *last, const uint8_t *from,
				     const uint8_t *end)
{
	unsigned words = (unsigned)(last->len / 8), at = 0, n;
	uint64_t mask = 0, word, was;
	const uint8_t *nibbles;

	if ((size_t)(end - from) < (words + 7) / 8)
		return NULL;
	memcpy(&mask, from, (words + 7) / 8);
	if (words < 64 && mask >> words)
		return NULL;
	nibbles = from + (words + 7) / 8;
	n = (unsigned)__builtin_popcountll(mask);
	if ((size_t)(end - nibbles) < (n + 1) / 2)
		return NULL;
	from = nibbles + (n + 1) / 2;
	memcpy(to, last->record, last->len);
	for (; mask; mask &= mask - 1, at++) {
		unsigned i = (unsigned)__builtin_ctzll(mask);
		unsigned bytes = (nibbles[at / 2] >> (at % 2 * 4) & 7) + 1;

		if ((size_t)(end - from) >= 8) {
			memcpy(&word, from, 8);
			word &= ~0ULL >> (64 - 8 * bytes);
		} else if (bytes <= (size_t)(end - from)) {
			word = 0;
			memcpy(&word, from, bytes);
		} else {
			return NULL;
		}
		from += bytes;
		memcpy(&was, to + 8 * i, 8);
		word ^= was;
		memcpy(to + 8 * i, &word, 8);
	}
	return from;
}

static const uint8_t *get_plain(uint8_t *to, size_t room, size_t *len, const uint8_t *from,
				const uint8_t *end)
{
	uint32_t bytes;

	if ((size_t)(end - from) < sizeof(bytes))
		return NULL;
	memcpy(&bytes, from, sizeof(bytes));
	from += sizeof(bytes);
	if (bytes > room || bytes > (size_t)(end - from) || bytes < sizeof(struct event_head))
		return NULL;
	memcpy(to, from, bytes);
	*len = bytes;
	return from + bytes;
}

bool unpack_events(uint8_t *to, size_t plain_bytes, const uint8_t *from, size_t len)
{
	struct last last[PACK_KINDS] = { 0 };
	const uint8_t *end = from + len;

	while (from < end) {
		unsigned control = *from++;
		size_t bytes;

		if (control >= PACK_KINDS)
			return false;
		if (control) {
			bytes = last[control].len;
			if (!bytes || bytes > plain_bytes)
				return false;
			from = get_difference(to, &last[control], from, end);
		} else {
			struct event_head head;

			from = get_plain(to, plain_bytes, &bytes, from, end);
			if (!from)
				return false;
			memcpy(&head, to, sizeof(head));
			if (bytes <= PACK_MAX && bytes % 8 == 0)
				control = control_of(head.kind);
		}
		if (!from)
			return false;
		if (control)
			last[control] = (struct last){ to, bytes };
		to += bytes;
		plain_bytes -= bytes;
	}
	return plain_bytes == 0;
}
