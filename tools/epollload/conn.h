/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.h - one connection: open, send, receive, fail. All of it is counted in the worker.
 *
 *	CLOSED -> CONNECTING -> OPEN, wire.ready -> CLOSED
 *
 * A connection stands in Q_FREE while it has room for a request: it is open and owes fewer than
 * cfg->depth answers; with a connection per request, it is closed and will be opened for it.
 */
#ifndef EPOLLLOAD_CONN_H
#define EPOLLLOAD_CONN_H

#include <stdint.h>

#include "worker.h"

/* 0, or a negative errno, which is counted, and which a retry follows. */
int conn_open(struct worker *w, struct conn *c);

void conn_event(struct worker *w, struct conn *c, uint32_t events);

/* Its time has come in that queue, which it has left. */
void conn_timer(struct worker *w, struct conn *c, enum queue_kind kind);

/* Stands in Q_FREE, or not, as it has room. */
void conn_offer(struct worker *w, struct conn *c);

/* Takes as many requests as are due and fit, and sends them. */
void conn_fill(struct worker *w, struct conn *c);

/* Our own close; what it owes is lost. */
void conn_close(struct worker *w, struct conn *c, enum loss loss);

#endif
