/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * message.h - a message of the push protocol: shared by all clients that get it, on any loop, and
 * freed by the last of them.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdatomic.h>
#include <stdint.h>

struct message {
	atomic_uint refs;
	uint32_t topic, to, from, bytes;	/* topic 0: only to that client */
	uint8_t data[];
};

/* With one reference, the caller's; NULL: no memory. */
struct message *message_new(uint32_t topic, uint32_t to, uint32_t from, const uint8_t *data,
	uint32_t bytes);
struct message *message_ref(struct message *m);
void message_drop(struct message *m);

#endif
