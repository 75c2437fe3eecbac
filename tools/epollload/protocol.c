/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* protocol.c - what protocols share; and echo, where messages come back as they were sent. */
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

const struct protocol protocol_echo = {
	.name = "echo",
	.default_size = 64,
	.min_size = 1,
	.max_size = 16 << 20,
	.prepare = echo_prepare,
	.parse = echo_parse,
	.compose = compose_block,
};
