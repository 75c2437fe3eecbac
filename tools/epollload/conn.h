/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.h - the life of a connection, all of it counted in the worker.
 *
 *	CLOSED -> CONNECTING -> OPEN, wire.ready -> CLOSED
 *
 * A connection stands in Q_FREE while it has room for a request: it is open and owes fewer than
 * cfg->depth answers; with a connection per request, it is closed and will be opened for it.
 */
#ifndef EPOLLLOAD_CONN_H
#define EPOLLLOAD_CONN_H

#include "state.h"

/* 0, or a negative errno, which is counted, and which a retry follows. */
int conn_open(struct worker *w, struct conn *c);

/* Opens it if it is still needed. */
void conn_retry(struct worker *w, struct conn *c);

/* It could not be established: err is a positive errno. */
void conn_failed(struct worker *w, struct conn *c, int err);

/* Requests may be sent from now on. */
void conn_ready(struct worker *w, struct conn *c);

/* Its time in that queue comes so much later than now. */
void conn_wait(struct worker *w, struct conn *c, enum queue_kind kind, uint64_t delay_ns);

/* Stands in Q_FREE, or not, as it has room. */
void conn_offer(struct worker *w, struct conn *c);

/* Our own close; what it owes is lost. */
void conn_close(struct worker *w, struct conn *c, enum loss loss);

/* The connection is of no more use: its requests are lost, and it is opened again if needed. */
void conn_lost(struct worker *w, struct conn *c, enum loss loss);

#endif
