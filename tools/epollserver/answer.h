/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* answer.h - an exchange's answer: composed, stamped, struck by the faults of answers, sent. */
#ifndef ANSWER_H
#define ANSWER_H

#include "conn.h"

/* Behind what the loop's reply holds already; false: no memory. Who begins a reply empties it. */
bool reply_add(struct loop *l, const void *data, size_t bytes);

/* Answers the loop's exchange, of so many messages; a piece of the file follows if file_bytes. */
void answer_exchange(struct loop *l, struct conn *c, const void *data, size_t bytes,
	uint32_t messages, off_t file_bytes);
/* The same in two steps. First: the exchange whose stamps are in r is the connection's next one. */
void answer_next(struct conn *c, struct record *r, uint32_t messages);
/* Then sends what ends exchange r; NULL: it ends none, and no fault strikes it. */
void answer_send(struct loop *l, struct conn *c, const void *data, size_t bytes, off_t file_bytes,
	struct record *r);

#endif
