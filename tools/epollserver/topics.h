/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * topics.h - which client gets which message of the push protocol.
 *
 * Each loop knows its own clients and their topics only; a published message is mailed to every
 * loop of the process.
 */
#ifndef TOPICS_H
#define TOPICS_H

#include "outbox.h"

/* A client's id: 6 bits of the loop, 6 that change when the slot is used again, 20 of the slot. */
#define ID_SLOT_BITS 20
#define ID_LOOP_SHIFT 26

int topics_open(struct loop *l);	/* 0 or -1 */
void topics_close(struct loop *l);

/* False: no memory. */
bool topics_subscribe(struct loop *l, struct client *p, uint32_t topic);
void topics_unsubscribe(struct loop *l, struct client *p, uint32_t topic);
void topics_leave(struct loop *l, struct client *p);	/* all of them */

/* To the clients of this loop and of the others; takes over the reference. */
void topics_post(struct loop *l, struct message *m);
/* MAIL_MESSAGE: the same for a message from another loop, to the clients of this one only. */
void topics_deliver(struct loop *l, void *message, uint64_t unused);

#endif
