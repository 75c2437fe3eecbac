/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* recorder_store.c - see recorder_store.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/recorder_store.h"

static void forget_oldest(struct store *s)
{
	struct kept *k = s->oldest;

	s->oldest = k->next;
	if (!s->oldest)
		s->newest = NULL;
	s->bytes -= k->chunk.len;
	bytes_free(&k->chunk);
	free(k);
}

/* Keeps the block in memory; drops blocks that are older than the window or beyond the limit. */
static int keep(struct store *s, const struct block *block)
{
	struct kept *k = calloc(1, sizeof(*k));
	uint8_t *shrunk;
	int err;

	if (!k)
		return -ENOMEM;
	err = capture_encode(&k->chunk, CHUNK_EVENTS, s->number++, block->data, block->len);
	if (err) {
		bytes_free(&k->chunk);
		free(k);
		return err;
	}
	shrunk = realloc(k->chunk.data, k->chunk.len);
	if (shrunk)
		k->chunk.data = shrunk;
	k->from_ns = block->from_ns;
	k->to_ns = block->to_ns;
	memcpy(k->kinds, block->kinds, sizeof(k->kinds));
	pthread_mutex_lock(&s->lock);
	if (s->newest)
		s->newest->next = k;
	else
		s->oldest = k;
	s->newest = k;
	s->bytes += k->chunk.len;
	while (s->oldest != k && (s->oldest->to_ns + s->ring_ns < k->to_ns ||
				  (s->max_bytes && s->bytes > s->max_bytes)))
		forget_oldest(s);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static int write_block(struct store *s, const struct block *block)
{
	struct capture_writer *w = s->writer;
	int err;

	w->scratch.len = 0;
	err = capture_encode(&w->scratch, CHUNK_EVENTS, w->number, block->data, block->len);
	if (!err && s->max_bytes && w->bytes + w->scratch.len > s->max_bytes)
		err = -ENOBUFS;
	return err ? err : capture_put_encoded(w, w->scratch.data, w->scratch.len);
}

static void store_one(struct store *s, struct block *block)
{
	int err = s->err;

	if (!err)
		err = s->ring_ns ? keep(s, block) : write_block(s, block);
	pthread_mutex_lock(&s->lock);
	for (unsigned kind = 0; kind < EV_KINDS; kind++) {
		if (err)
			s->dropped += block->kinds[kind];
		else if (!s->ring_ns)
			s->kinds[kind] += block->kinds[kind];
	}
	if (err && err != -ENOBUFS)
		s->err = err;
	if (!s->ring_ns)
		s->bytes = s->writer->bytes;
	block->next = s->spare;
	s->spare = block;
	pthread_cond_signal(&s->emptied);
	pthread_mutex_unlock(&s->lock);
}

static void *store_main(void *ctx)
{
	struct store *s = ctx;
	struct block *block;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		while (!s->first && !s->ending)
			pthread_cond_wait(&s->filled, &s->lock);
		block = s->first;
		if (block)
			s->first = block->next;
		pthread_mutex_unlock(&s->lock);
		if (!block)
			return NULL;
		store_one(s, block);
	}
}

int store_start(struct store *s, struct capture_writer *writer, uint64_t ring_ns,
		uint64_t max_bytes)
{
	int err;

	*s = (struct store){
		.writer = writer, .ring_ns = ring_ns, .max_bytes = max_bytes,
		.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER,
		.emptied = PTHREAD_COND_INITIALIZER,
	};
	err = pthread_create(&s->thread, NULL, store_main, s);
	s->running = !err;
	return -err;
}

struct block *store_block(struct store *s)
{
	struct block *block;

	pthread_mutex_lock(&s->lock);
	while (!s->spare && s->blocks == BLOCKS_MAX)
		pthread_cond_wait(&s->emptied, &s->lock);
	block = s->spare;
	if (block)
		s->spare = block->next;
	else
		s->blocks++;
	pthread_mutex_unlock(&s->lock);
	if (!block)
		block = malloc(sizeof(*block));
	if (block)
		memset(block, 0, offsetof(struct block, data));
	return block;
}

void store_put(struct store *s, struct block *block)
{
	pthread_mutex_lock(&s->lock);
	block->next = NULL;
	if (s->first)
		s->last->next = block;
	else
		s->first = block;
	s->last = block;
	pthread_cond_signal(&s->filled);
	pthread_mutex_unlock(&s->lock);
}

int store_error(struct store *s, uint64_t *bytes)
{
	int err;

	pthread_mutex_lock(&s->lock);
	*bytes = s->bytes;
	err = s->err;
	pthread_mutex_unlock(&s->lock);
	return err;
}

int store_stop(struct store *s)
{
	if (s->running) {
		pthread_mutex_lock(&s->lock);
		s->ending = true;
		pthread_cond_signal(&s->filled);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
		s->running = false;
	}
	return s->err;
}

int store_write_kept(struct store *s)
{
	for (struct kept *k = s->oldest; k; k = k->next) {
		int err = capture_put_encoded(s->writer, k->chunk.data, k->chunk.len);

		if (err)
			return err;
		for (unsigned kind = 0; kind < EV_KINDS; kind++)
			s->kinds[kind] += k->kinds[kind];
	}
	return 0;
}

static void free_blocks(struct block *block)
{
	while (block) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

void store_free(struct store *s)
{
	store_stop(s);
	while (s->oldest)
		forget_oldest(s);
	free_blocks(s->first);
	free_blocks(s->spare);
}
