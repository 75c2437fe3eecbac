/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * write.h - a capture file, piece by piece: head, chunks, end.
 *
 * A chunk is written whole or not at all: one that fails is cut off again. Until capture_end()
 * the file says that it is INCOMPLETE. Errors are negative errno.
 */
#ifndef EPOLLSCOPE_CAPTURE_WRITE_H
#define EPOLLSCOPE_CAPTURE_WRITE_H

#include "capture/format.h"
#include "capture/items.h"

struct capture_writer {
	int fd;			/* -1: closed */
	bool regular;		/* can be written again at its beginning, and cut */
	bool created;		/* was not there before us */
	uint32_t flags;
	uint32_t number;	/* of the next chunk */
	uint64_t bytes;		/* written */
	uint64_t max_bytes;	/* a chunk beyond that is refused with -ENOBUFS; 0: no limit */
	struct bytes scratch;
};

#define CAPTURE_WRITER_INIT { .fd = -1 }

/* Opens without changing what is there: the first write does. "-" is standard output. */
int capture_create(struct capture_writer *w, const char *path);
void capture_on_fd(struct capture_writer *w, int fd);

int capture_put_head(struct capture_writer *w, const struct bytes *items, uint32_t flags);

/* data as a chunk. Events are packed, larger pieces of other types deflated. */
int capture_put_chunk(struct capture_writer *w, uint32_t type, const void *data, size_t len);

/* The same in two steps: encode now, at the end of `to`, write later. */
int capture_encode(struct bytes *to, uint32_t type, uint32_t number, const void *data, size_t len);
int capture_put_encoded(struct capture_writer *w, const void *chunk, size_t len);

/* All is written: the file is complete. Then capture_close() in any case. */
int capture_end(struct capture_writer *w);
void capture_close(struct capture_writer *w);

/*
 * Packs the records into `to`, which has packed_bound(len) of room: returns the length. 0 if the
 * data is not a sequence of records.
 */
size_t packed_bound(size_t len);
size_t pack_events(uint8_t *to, const uint8_t *from, size_t len);

/* Unpacks; true if the result has exactly plain_bytes. */
bool unpack_events(uint8_t *to, size_t plain_bytes, const uint8_t *from, size_t len);

#endif
