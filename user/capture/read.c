/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* read.c - see read.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/array.h"
#include "capture/read.h"
#include "capture/write.h"

#define READ_AT_LEAST (256u << 10)

static void __attribute__((format(printf, 3, 4)))
damaged(struct capture_reader *r, uint64_t offset, const char *fmt, ...)
{
	va_list args;

	if (r->damage[0])
		return;
	r->damaged_at = offset;
	va_start(args, fmt);
	vsnprintf(r->damage, sizeof(r->damage), fmt, args);
	va_end(args);
}

/* Makes `need` bytes ready at buffer[at], fewer at the end. 0 or a negative errno. */
static int fill(struct capture_reader *r, size_t need)
{
	size_t have = r->len - r->at, room = need > READ_AT_LEAST ? need : READ_AT_LEAST;

	if (have >= need || r->ended)
		return 0;
	if (have)
		memmove(r->buffer, r->buffer + r->at, have);
	r->at = 0;
	r->len = have;
	if (array_reserve(&r->buffer, &r->room, room, 1))
		return -ENOMEM;
	while (r->len < need) {
		ssize_t n = read(r->fd, r->buffer + r->len, r->room - r->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			r->ended = true;
			break;
		}
		r->len += (size_t)n;
	}
	return 0;
}

static size_t ready(const struct capture_reader *r)
{
	return r->len - r->at;
}

static void take(struct capture_reader *r, size_t len)
{
	if (len > ready(r))
		len = ready(r);
	r->at += len;
	r->offset += len;
}

static uint32_t crc_of(const void *data, size_t len)
{
	return (uint32_t)crc32(0, data, (uInt)len);
}

static bool head_matches(const struct capture_head *head, const uint8_t *items)
{
	struct capture_head sealed = *head;

	sealed.flags = sealed.flags_check = sealed.crc = 0;
	return crc32(crc_of(&sealed, sizeof(sealed)), items, head->items_bytes) == head->crc;
}

static bool head_makes_sense(const struct capture_head *head)
{
	return head->head_bytes <= CAPTURE_HEAD_MAX && head->head_bytes % CAPTURE_ALIGN == 0 &&
	       head->head_bytes >= sizeof(*head) &&
	       head->items_bytes <= head->head_bytes - sizeof(*head);
}

/* The items are kept apart: chunks will overwrite the buffer. */
static int read_items(struct capture_reader *r, const struct capture_head *head)
{
	bool sense = head_makes_sense(head);
	int err = sense ? fill(r, head->head_bytes) : 0;
	const uint8_t *items = r->buffer + r->at + sizeof(*head);

	if (err)
		return err;
	if (!sense)
		damaged(r, offsetof(struct capture_head, head_bytes), "the head makes no sense");
	else if (ready(r) < head->head_bytes)
		damaged(r, r->offset + ready(r), "the file ends within its head");
	else if (!head_matches(head, items))
		damaged(r, 0, "the head is not what was written");
	if (r->damage[0]) {
		take(r, sizeof(*head));
		return 0;
	}
	r->item_bytes = malloc(head->items_bytes + 1);
	if (!r->item_bytes)
		return -ENOMEM;
	memcpy(r->item_bytes, items, head->items_bytes);
	r->items = (struct items){ .data = r->item_bytes, .len = head->items_bytes };
	r->known = head->flags == ~head->flags_check;
	if (r->known)
		r->flags = head->flags;
	else
		damaged(r, offsetof(struct capture_head, flags), "the flags are not what was written");
	take(r, head->head_bytes);
	return 0;
}

int capture_begin(struct capture_reader *r, int fd, char *why, size_t why_len)
{
	struct capture_head head;
	int err;

	*r = (struct capture_reader){ .fd = fd };
	err = fill(r, sizeof(head));
	if (err) {
		snprintf(why, why_len, "%s", strerror(-err));
		return err;
	}
	if (ready(r) < sizeof(head)) {
		snprintf(why, why_len, "not an epollscope capture: it ends at offset %zu", ready(r));
		return -EBADMSG;
	}
	memcpy(&head, r->buffer, sizeof(head));
	if (memcmp(head.magic, CAPTURE_MAGIC, sizeof(head.magic)) != 0) {
		snprintf(why, why_len, "not an epollscope capture: other bytes at offset 0");
		return -EBADMSG;
	}
	if (head.major != CAPTURE_MAJOR) {
		snprintf(why, why_len, "format %u.%u at offset 8, this epollscope reads %u.x: use a "
			 "newer one", head.major, head.minor, CAPTURE_MAJOR);
		return -ENOTSUP;
	}
	err = read_items(r, &head);
	if (err)
		snprintf(why, why_len, "%s", strerror(-err));
	return err;
}

static bool is_chunk_head(const uint8_t *at, struct capture_chunk_head *head)
{
	memcpy(head, at, sizeof(*head));
	return head->magic == CAPTURE_CHUNK_MAGIC &&
	       head->head_crc == crc_of(head, offsetof(struct capture_chunk_head, head_crc)) &&
	       head->stored_bytes <= 2 * CAPTURE_CHUNK_MAX && head->plain_bytes <= CAPTURE_CHUNK_MAX;
}

/* The next head of a chunk, here or behind damage. 1 if there is one, 0 at the end. */
static int find_chunk(struct capture_reader *r, struct capture_chunk_head *head)
{
	uint64_t first = r->offset;
	int err;

	for (;; take(r, CAPTURE_ALIGN)) {
		err = fill(r, sizeof(*head));
		if (err)
			return err;
		if (ready(r) < sizeof(*head))
			break;
		if (is_chunk_head(r->buffer + r->at, head)) {
			if (r->offset != first)
				damaged(r, first, "%llu bytes are no chunk",
					(unsigned long long)(r->offset - first));
			return 1;
		}
	}
	take(r, ready(r));
	if (r->offset - first < sizeof(*head))
		r->cut_bytes = r->offset - first;
	else
		damaged(r, first, "%llu bytes up to the end are no chunk",
			(unsigned long long)(r->offset - first));
	return 0;
}

/* The chunk's contents at `stored`, decoded. */
static bool decode(struct capture_reader *r, const struct capture_chunk_head *head,
		   const uint8_t *stored, struct capture_chunk *chunk)
{
	uLongf plain = head->plain_bytes;

	chunk->data = head->coding == CODING_PLAIN ? stored : r->plain;
	chunk->len = head->plain_bytes;
	if (head->coding == CODING_PLAIN)
		return head->plain_bytes == head->stored_bytes;
	if (head->coding == CODING_DEFLATE)
		return uncompress(r->plain, &plain, stored, head->stored_bytes) == Z_OK &&
		       plain == head->plain_bytes;
	return head->coding == CODING_PACKED &&
	       unpack_events(r->plain, head->plain_bytes, stored, head->stored_bytes);
}

/*
 * A chunk that was taken out, or put elsewhere, leaves no other trace. What follows the events of
 * a WINDOW is numbered as if it began with chunk 0. False: this one was read just now.
 */
static bool in_sequence(struct capture_reader *r, const struct capture_chunk_head *head)
{
	bool any = !r->known || r->flags & CAPTURE_WINDOW, first = !r->numbered;
	uint32_t expected = r->next_number;

	if (any && head->type != CHUNK_EVENTS)
		return true;
	r->numbered = true;
	r->next_number = head->number + 1;
	if (head->number == expected || (any && first))
		return true;
	damaged(r, r->offset, "chunk %u stands where chunk %u should", head->number, expected);
	return first || head->number + 1 != expected;
}

int capture_next(struct capture_reader *r, struct capture_chunk *chunk)
{
	struct capture_chunk_head head;
	int err;

	for (;;) {
		size_t whole, padded;
		const uint8_t *stored;

		err = find_chunk(r, &head);
		if (err <= 0)
			return err;
		whole = sizeof(head) + head.stored_bytes;
		padded = whole + -whole % CAPTURE_ALIGN;
		err = fill(r, padded);
		err = err ? err : array_reserve(&r->plain, &r->plain_room,
					       (size_t)head.plain_bytes + 1, 1);
		if (err)
			return err;
		stored = r->buffer + r->at + sizeof(head);
		*chunk = (struct capture_chunk){ .type = head.type, .offset = r->offset };
		/* A piece of the padding may be missing at the very end. */
		if (!in_sequence(r, &head)) {
			take(r, padded);
			continue;
		}
		if (ready(r) < whole && r->flags & CAPTURE_INCOMPLETE) {
			r->cut_bytes = ready(r);
			take(r, ready(r));
			return 0;
		}
		if (ready(r) < whole) {
			damaged(r, r->offset, "the file ends within chunk %u", head.number);
		} else if (head.crc != crc_of(stored, head.stored_bytes)) {
			damaged(r, r->offset, "chunk %u is not what was written", head.number);
		} else if (!decode(r, &head, stored, chunk)) {
			damaged(r, r->offset, "chunk %u is coded in a way that is not known",
				head.number);
		} else {
			take(r, padded);
			return 1;
		}
		/* Its length has a check sum of its own; a later chunk can't begin inside it. */
		take(r, padded);
	}
}

void capture_shut(struct capture_reader *r)
{
	if (r->fd > 0)
		close(r->fd);
	free(r->buffer);
	free(r->plain);
	free(r->item_bytes);
	*r = (struct capture_reader){ .fd = -1 };
}
