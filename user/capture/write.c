/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* write.c - see write.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/stop.h"
#include "capture/write.h"

#define READER_LOOK_MS 200
#define DEFLATE_FROM 256	/* bytes; less is not worth it */

static size_t padding(size_t len)
{
	return -len % CAPTURE_ALIGN;
}

void capture_on_fd(struct capture_writer *w, int fd)
{
	struct stat st;

	*w = (struct capture_writer){ .fd = fd };
	w->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
}

int capture_create(struct capture_writer *w, const char *path)
{
	bool created, piped = !strcmp(path, "-");
	/* The file says who talked to whom: only its owner may read it. */
	int fd = piped ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) :
			 open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	created = fd >= 0 && !piped;
	*w = (struct capture_writer)CAPTURE_WRITER_INIT;
	if (fd < 0 && !piped && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	capture_on_fd(w, fd);
	w->created = created;
	w->regular = w->regular && !piped;	/* others may have written there before us */
	return 0;
}

/*
 * Waits for a pipe's reader, but not when the watch should be over for long: *len is cut to what can
 * be written without waiting again. 0 or -EAGAIN.
 */
static int await_reader(const struct capture_writer *w, size_t *len)
{
	struct pollfd out = { .fd = w->fd, .events = POLLOUT };

	if (w->regular)
		return 0;
	while (poll(&out, 1, READER_LOOK_MS) <= 0)
		if (stop_late())
			return -EAGAIN;
	if (*len > PIPE_BUF)
		*len = PIPE_BUF;
	return 0;
}

/* All of it, or nothing and the reason. */
static int write_whole(struct capture_writer *w, const uint8_t *data, size_t len)
{
	size_t done = 0, piece;
	ssize_t n;
	int err;

	if (w->max_bytes && w->bytes + len > w->max_bytes)
		return -ENOBUFS;
	while (done < len) {
		piece = len - done;
		err = await_reader(w, &piece);
		if (err)
			return err;
		n = write(w->fd, data + done, piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			/* The next piece overwrites the failed one, except in a pipe. */
			if (w->regular && !ftruncate(w->fd, (off_t)w->bytes))
				lseek(w->fd, (off_t)w->bytes, SEEK_SET);
			return err;
		}
		done += (size_t)n;
	}
	w->bytes += len;
	return 0;
}

int capture_put_head(struct capture_writer *w, const struct bytes *items, uint32_t flags)
{
	struct capture_head head = {
		.magic = CAPTURE_MAGIC, .major = CAPTURE_MAJOR, .minor = CAPTURE_MINOR,
		.items_bytes = (uint32_t)items->len,
	};
	static const uint8_t zeros[CAPTURE_ALIGN];
	uint32_t crc;

	if (items->failed)
		return -ENOMEM;
	if (sizeof(head) + items->len > CAPTURE_HEAD_MAX)
		return -EMSGSIZE;
	if (w->regular && ftruncate(w->fd, 0))
		return -errno;
	if (w->regular)
		fchmod(w->fd, 0600);	/* an existing file may have been readable by others */
	head.head_bytes = (uint32_t)(sizeof(head) + items->len + padding(items->len));
	crc = (uint32_t)crc32(crc32(0, (void *)&head, sizeof(head)), items->data,
			      (uInt)items->len);
	head.crc = crc;
	head.flags = w->flags = flags | CAPTURE_INCOMPLETE;
	head.flags_check = ~head.flags;
	w->scratch.len = 0;
	bytes_put(&w->scratch, &head, sizeof(head));
	bytes_put(&w->scratch, items->data, items->len);
	bytes_put(&w->scratch, zeros, padding(items->len));
	if (w->scratch.failed)
		return -ENOMEM;
	return write_whole(w, w->scratch.data, w->scratch.len);
}

/* The contents behind a chunk's head, in the coding that suits them. */
static size_t encode_contents(uint8_t *to, size_t room, struct capture_chunk_head *head,
			      const void *data, size_t len)
{
	uLongf deflated = room;
	size_t packed;

	if (head->type == CHUNK_EVENTS) {
		packed = pack_events(to, data, len);
		head->coding = CODING_PACKED;
		if (packed && packed < len)
			return packed;
	} else if (len >= DEFLATE_FROM && compress2(to, &deflated, data, len, 1) == Z_OK &&
		   deflated < len) {
		head->coding = CODING_DEFLATE;
		return deflated;
	}
	head->coding = CODING_PLAIN;
	if (len)
		memcpy(to, data, len);
	return len;
}

int capture_encode(struct bytes *to, uint32_t type, uint32_t number, const void *data, size_t len)
{
	struct capture_chunk_head head = {
		.magic = CAPTURE_CHUNK_MAGIC, .type = type, .plain_bytes = (uint32_t)len,
		.number = number,
	};
	size_t room = packed_bound(len) > compressBound(len) ? packed_bound(len) :
							       compressBound(len);
	uint8_t *at;

	if (len > CAPTURE_CHUNK_MAX)
		return -EMSGSIZE;
	at = bytes_reserve(to, sizeof(head) + room + CAPTURE_ALIGN);
	if (!at)
		return -ENOMEM;
	head.stored_bytes = (uint32_t)encode_contents(at + sizeof(head), room, &head, data, len);
	head.crc = (uint32_t)crc32(0, at + sizeof(head), head.stored_bytes);
	head.head_crc = (uint32_t)crc32(0, (void *)&head,
					offsetof(struct capture_chunk_head, head_crc));
	memcpy(at, &head, sizeof(head));
	memset(at + sizeof(head) + head.stored_bytes, 0, padding(head.stored_bytes));
	to->len += sizeof(head) + head.stored_bytes + padding(head.stored_bytes);
	return 0;
}

int capture_put_encoded(struct capture_writer *w, const void *chunk, size_t len)
{
	int err = write_whole(w, chunk, len);

	w->number += !err;
	return err;
}

int capture_put_chunk(struct capture_writer *w, uint32_t type, const void *data, size_t len)
{
	int err;

	w->scratch.len = 0;
	err = capture_encode(&w->scratch, type, w->number, data, len);
	return err ? err : capture_put_encoded(w, w->scratch.data, w->scratch.len);
}

int capture_end(struct capture_writer *w)
{
	uint32_t flags = w->flags & ~(uint32_t)CAPTURE_INCOMPLETE;
	uint32_t words[] = { flags, ~flags };
	ssize_t n;

	if (!w->regular)
		return 0;
	n = pwrite(w->fd, words, sizeof(words), offsetof(struct capture_head, flags));
	return n == sizeof(words) ? 0 : n < 0 ? -errno : -EIO;
}

void capture_close(struct capture_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	bytes_free(&w->scratch);
}
