/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * read.h - the chunks of a capture, in order, from a file or a pipe.
 *
 * The file is not trusted: what fails its check sum is skipped, and reading goes on at the next
 * chunk that can be recognized. `damage` keeps the first such place. Memory is bounded by the
 * format's limits whatever the file says.
 */
#ifndef EPOLLSCOPE_CAPTURE_READ_H
#define EPOLLSCOPE_CAPTURE_READ_H

#include "capture/format.h"
#include "capture/items.h"

struct capture_reader {
	int fd;
	uint8_t *buffer;	/* what was read and not yet taken */
	size_t at, len, room;
	uint64_t offset;	/* in the file, of buffer[at] */
	bool ended;		/* nothing more to read */
	uint8_t *plain;		/* a decoded chunk */
	size_t plain_room;
	uint32_t flags;		/* enum capture_flags */
	bool known;		/* the flags are known: the head is whole */
	bool numbered;		/* a chunk was read: next_number is that of the one behind it */
	uint32_t next_number;
	struct items items;	/* the head's, valid until the first capture_next(); none if damaged */
	uint8_t *item_bytes;
	uint64_t damaged_at;	/* offset of the first damage */
	char damage[120];	/* what it is; "" if none */
	uint64_t cut_bytes;	/* of the last, partial chunk: the end of an interrupted recording */
};

struct capture_chunk {
	uint32_t type;
	uint64_t offset;	/* in the file */
	const uint8_t *data;	/* decoded, valid until the next call */
	size_t len;
};

/*
 * Reads the head. Takes over fd, which capture_shut() closes in any case. 0, or a negative errno
 * and a line in why: -EBADMSG no capture at all, -ENOTSUP a newer format, others from reading.
 */
int capture_begin(struct capture_reader *r, int fd, char *why, size_t why_len);

/* 1 and a whole chunk, 0 at the end, or a negative errno from reading. */
int capture_next(struct capture_reader *r, struct capture_chunk *chunk);

void capture_shut(struct capture_reader *r);

#endif
