/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * topics.h - who gets which message of the push protocol: the clients of one loop.
 *
 * A message is shared by all who get it, on any loop, and freed by the last. Each loop knows its own
 * clients and their topics only; a published message is mailed to every loop of the process.
 */
#ifndef TOPICS_H
#define TOPICS_H

#include "server.h"

/* An id: 6 bits of the loop, 6 that change when the place is used again, 20 of the place. */
#define ID_PLACE_BITS 20
#define ID_LOOP_SHIFT 26

struct message {
	atomic_uint refs;
	uint32_t topic, to, from, bytes;	/* topic 0: only to that client */
	uint8_t data[];
};

struct queued {
	struct queued *next;
	struct message *message;
};

struct subscription;

/* The state of a client, beside its connection. */
struct push {
	struct conn *conn;
	uint32_t id;
	uint32_t tx, rx;		/* data frames: the last sent, the last got */
	uint32_t acked, limit;		/* what the client has told: got, and would take */
	uint32_t told;			/* the last ack that we sent */
	uint32_t sent_ms;
	bool dirty, answer, owing;	/* in the list below; wants an ACK at least; has an exchange */
	struct push *next_dirty;
	struct queued *first, *last;	/* wait for the batch or for the window */
	uint32_t waiting;
	struct subscription *subscriptions;
	struct record *owed;		/* that exchange, which the next send ends; truth only */
};

struct message *message_new(uint32_t topic, uint32_t to, uint32_t from, const uint8_t *data,
	uint32_t bytes);
void message_drop(struct message *m);
/* To this loop and the others; takes over the reference. */
void topics_post(struct loop *l, struct message *m);
bool topics_join(struct loop *l, struct push *p);	/* gives it an id; false: no room */
void topics_leave(struct loop *l, struct push *p);
bool topics_subscribe(struct loop *l, struct push *p, uint32_t topic);
void topics_unsubscribe(struct loop *l, struct push *p, uint32_t topic);

/* push.c: one more for that client, or none if its queue is full */
void push_enqueue(struct loop *l, struct push *p, struct message *m);

#endif
