/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "message.h"

#include <stdlib.h>
#include <string.h>

struct message *message_new(uint32_t topic, uint32_t to, uint32_t from, const uint8_t *data,
	uint32_t bytes)
{
	struct message *m = malloc(sizeof(*m) + bytes);

	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->topic = topic;
	m->to = to;
	m->from = from;
	m->bytes = bytes;
	memcpy(m->data, data, bytes);
	return m;
}

struct message *message_ref(struct message *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void message_drop(struct message *m)
{
	if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		free(m);
}
