/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* protocol.c - what protocols share. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "protocol.h"

int traffic_repeat(struct traffic *t, const char *request, size_t size)
{
	size_t times = size < SCRATCH_BYTES ? SCRATCH_BYTES / size : 1;

	if (times > t->cfg->depth)
		times = t->cfg->depth;
	t->request_size = size;
	t->block_size = size * times;
	t->block = malloc(t->block_size);
	if (!t->block)
		return -ENOMEM;
	for (size_t i = 0; i < times; i++)
		memcpy(t->block + i * size, request, size);
	return 0;
}

size_t compose_block(struct wire *w, const struct traffic *t, const uint64_t *times, uint64_t pos,
		     size_t limit, char *scratch, const char **from)
{
	size_t offset = pos % t->request_size, n = t->block_size - offset;

	(void)w;
	(void)times;
	(void)scratch;
	*from = t->block + offset;
	return n < limit ? n : limit;
}

void open_at_once(struct wire *w, const struct traffic *t, uint32_t index)
{
	(void)t;
	(void)index;
	w->ready = true;
}

enum parsed end_early(struct wire *w)
{
	(void)w;
	return PARSED_MORE;
}

int traffic_prepare(struct traffic *t, const struct config *cfg)
{
	*t = (struct traffic){ .cfg = cfg, .protocol = cfg->protocol };
	return cfg->protocol->prepare(t);
}

void traffic_free(struct traffic *t)
{
	free(t->block);
	t->block = NULL;
}
