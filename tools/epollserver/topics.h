/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * topics.h - who gets which message of the push protocol: the clients of one loop.
 *
 * A message is shared by all who get it, on any loop, and freed by the last. Each loop knows its
 * own clients and their topics only; a published message is mailed to every loop of the process.
 */
#ifndef TOPICS_H
#define TOPICS_H

#include "server.h"

/* An id: 6 bits of the loop, 6 that change when the slot is used again, 20 of the slot. */
#define ID_SLOT_BITS 20
#define ID_LOOP_SHIFT 26

struct message {
	atomic_uint refs;
	uint32_t topic, to, from, bytes;	/* topic 0: only to that client */
	uint8_t data[];
};

struct subscription;

/* A connection and what the protocol must know of it even while nothing happens: 120 bytes. */
struct client {
	struct conn conn;
	uint32_t id;		/* of who was here last, until HELLO */
	uint32_t tx, rx;	/* data frames: the last sent, the last got */
	uint32_t acked, limit;	/* what the client has told: got, and would take */
	uint32_t sent_ms;
	struct subscription *subscriptions;
	struct outbox *outbox;	/* NULL: there is nothing to be said */
};

struct message *message_new(uint32_t topic, uint32_t to, uint32_t from, const uint8_t *data,
	uint32_t bytes);
void message_drop(struct message *m);
/* To this loop and the others; takes over the reference. */
void topics_post(struct loop *l, struct message *m);
bool topics_subscribe(struct loop *l, struct client *p, uint32_t topic);	/* false: no room */
void topics_unsubscribe(struct loop *l, struct client *p, uint32_t topic);
void topics_leave(struct loop *l, struct client *p);

/* push_out.c: the sending half of push */
/* One more for that client, or none if its queue is full. */
void push_enqueue(struct loop *l, struct client *p, struct message *m);
/* It is to be sent what waits with the next batch; answer: an ACK at least. False: no memory. */
bool push_due(struct loop *l, struct client *p, bool answer);
/* A frame that is not data, at once; two words as far as its type has them. */
void push_control(struct loop *l, struct client *p, uint8_t type, uint32_t a, uint32_t b);
/* What was read is an exchange, which the next send ends. False: no memory. */
bool push_owe(struct loop *l, struct client *p);
void push_suffer(struct loop *l, struct client *p);	/* the faults of a handler */
uint32_t push_told(const struct client *p);	/* the last ack that we sent */
void push_forget(struct loop *l, struct client *p);

#endif
