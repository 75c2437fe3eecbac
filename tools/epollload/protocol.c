/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* protocol.c - the table of protocols, what they share, and echo: messages come back as sent. */
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

/* Letters from 'a' on: a byte lost or doubled on the way shows. */
static int echo_prepare(struct traffic *t)
{
	uint32_t size = t->cfg->size;
	char *message = malloc(size);
	int err;

	if (!message)
		return -ENOMEM;
	for (uint32_t i = 0; i < size; i++)
		message[i] = (char)('a' + i % 26);
	err = traffic_repeat(t, message, size);
	free(message);
	return err;
}

void open_at_once(struct wire *w, const struct traffic *t, uint32_t index)
{
	(void)t;
	(void)index;
	w->ready = true;
}

static enum parsed echo_parse(struct wire *w, const struct traffic *t, const char **data,
			      const char *end)
{
	size_t n = (size_t)(end - *data), left = t->request_size - w->echo_got;

	if (n > left)
		n = left;
	if (memcmp(*data, t->block + w->echo_got, n))
		return PARSED_GARBAGE;
	*data += n;
	w->echo_got = n == left ? 0 : w->echo_got + n;
	return n == left ? PARSED_ANSWER : PARSED_MORE;
}

static enum parsed echo_end(struct wire *w)
{
	(void)w;
	return PARSED_MORE;
}

static const struct protocol protocol_echo = {
	.name = "echo",
	.default_size = 64,
	.min_size = 1,
	.max_size = 16 << 20,
	.prepare = echo_prepare,
	.open = open_at_once,
	.parse = echo_parse,
	.end = echo_end,
	.compose = compose_block,
};

const struct protocol *protocol_find(const char *name)
{
	static const struct protocol *const all[] = { &protocol_echo, &protocol_http, &protocol_push };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
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
