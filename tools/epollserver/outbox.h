/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * outbox.h - a client of the push protocol, and its sending half: messages out in batches.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "conn.h"

/* Shared by all clients that get it, on any loop, and freed by the last of them. */
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

/* A connection and what the protocol must know of it even while nothing happens: 120 bytes. */
struct client {
	struct conn conn;
	uint32_t id;		/* of the last client here, until HELLO */
	uint32_t tx, rx;	/* data frames: the last sent, the last got */
	uint32_t acked, limit;	/* what the client has told: got, and would take */
	uint32_t sent_ms;	/* the last send, loop->now / 1e6 */
	struct subscription *subscriptions;
	struct outbox *outbox;	/* NULL: there is nothing to be said */
};

int outboxes_open(struct loop *l);	/* 0 or -1 */
/* Sends the batch of all clients, if it is due. */
void outboxes_flush_due(struct loop *l);

/* One message more for the client, which takes a reference; it is lost if the queue is full. */
void outbox_add(struct loop *l, struct client *p, struct message *m);
/* What waits is to be sent with the next batch; answer: an ACK at least. False: no memory. */
bool outbox_due(struct loop *l, struct client *p, bool answer);
/* Sends what waits, as far as the client's window allows. */
void outbox_send(struct loop *l, struct client *p);
/* Sends a frame that is not data, at once, with two words as far as its type has them. */
void outbox_control(struct loop *l, struct client *p, uint8_t type, uint32_t a, uint32_t b);
/* What was read is an exchange, which the next send ends. False: no memory. */
bool outbox_owe(struct loop *l, struct client *p);
/* The faults of a handler strike the exchange that is owed. */
void outbox_suffer(struct loop *l, struct client *p);
/* The last ack that we sent. */
uint32_t outbox_told(const struct client *p);
void outbox_forget(struct loop *l, struct client *p);

#endif
