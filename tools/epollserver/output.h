/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* output.h - the sending half of a connection. Both return false if the connection is broken. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "conn.h"

/*
 * Sends, or keeps what the socket does not take. r is the exchange that this answers, whose first
 * byte is stamped in it; NULL: none. file_bytes of the server's file follow.
 */
bool output_send(struct loop *l, struct conn *c, const void *data, size_t bytes,
	off_t file_bytes, struct record *r);
/* Sends what was kept, as far as the socket takes it. */
bool output_flush(struct loop *l, struct conn *c);

#endif
