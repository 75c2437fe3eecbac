/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recorder_store.h - where a recorder's blocks go: a thread that packs them, into the file or into
 * the last seconds that are kept in memory.
 */
#ifndef EPOLLSCOPE_RECORDER_STORE_H
#define EPOLLSCOPE_RECORDER_STORE_H

#include <pthread.h>

#include "model/aggregate.h"
#include "capture/write.h"

#define BLOCK_BYTES (256u << 10)
#define BLOCKS_MAX  128

/* Records as they came; becomes a chunk. */
struct block {
	struct block *next;
	size_t len;
	uint64_t from_ns, to_ns;
	uint64_t kinds[EV_KINDS];	/* records in it */
	uint8_t data[BLOCK_BYTES];
};

/* A chunk that waits in memory for a trigger. */
struct kept {
	struct kept *next;
	struct bytes chunk;
	uint64_t from_ns, to_ns;
	uint64_t kinds[EV_KINDS];
};

struct store {
	struct capture_writer *writer;
	uint64_t ring_ns;		/* keep the last in memory; 0: write */
	uint64_t max_bytes;		/* of the blocks, in the file or in memory; 0: no limit */

	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	/* Under the lock: */
	struct block *first, *last;	/* wait to be stored */
	struct block *spare;
	unsigned blocks;		/* that exist */
	bool ending;
	int err;			/* why storing failed */
	uint64_t bytes;			/* stored */
	uint64_t dropped;		/* records that did not fit max_bytes, or came after an error */
	uint64_t kinds[EV_KINDS];	/* records in the file */

	/* Belongs to the thread, and to the owner once the thread has ended. */
	struct kept *oldest, *newest;
	uint32_t number;
};

/* 0 or a negative errno. */
int store_start(struct store *s, struct capture_writer *writer, uint64_t ring_ns,
		uint64_t max_bytes);

/* An empty block; waits for one when all are on their way to the disk. NULL when out of memory. */
struct block *store_block(struct store *s);
void store_put(struct store *s, struct block *block);	/* takes it over */

/* Why storing failed, or 0; and the bytes that are stored. */
int store_error(struct store *s, uint64_t *bytes);

/* Everything is stored; then the thread has ended. Returns its error. */
int store_stop(struct store *s);

/* What was kept in memory goes to the file, oldest first, as chunks. */
int store_write_kept(struct store *s);

void store_free(struct store *s);

#endif
