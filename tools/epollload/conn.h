/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.h - the life of a connection and what happens to it, all of it counted in the worker.
 *
 *	CLOSED -> CONNECTING -> OPEN, wire.ready -> CLOSED
 *
 * A connection stands in Q_FREE while it has room for a request: it is open and owes fewer than
 * cfg->depth answers; with a connection per request, it is closed and will be opened for it.
 */
#ifndef EPOLLLOAD_CONN_H
#define EPOLLLOAD_CONN_H

#include "state.h"

/* 0, or a negative errno, which is counted, and which a retry follows; what it owes is lost. */
int conn_open(struct worker *w, struct conn *c);

/* Opens it if it is still needed. */
void conn_retry(struct worker *w, struct conn *c);

/* It could not be established: err is a positive errno. */
void conn_failed(struct worker *w, struct conn *c, int err);

/* Requests may be sent from now on. */
void conn_ready(struct worker *w, struct conn *c);

/* Stands in Q_FREE, or not, as it has room. */
void conn_offer(struct worker *w, struct conn *c);

/* Our own close; what it owes is lost. */
void conn_close(struct worker *w, struct conn *c, enum loss loss);

/* The connection is of no more use: its requests are lost, and it is opened again if needed. */
void conn_lost(struct worker *w, struct conn *c, enum loss loss);

/*
 * Where it says when the connection's n-th request, from 0, was meant to be sent; 0 once it was
 * refused out of turn. No more than a ring of cfg->depth are under way.
 */
uint64_t *owed_time(const struct worker *w, const struct conn *c, uint64_t n);

/*
 * Connections in a row. A timer kind has one delay for all, so who came last is due last: a queue
 * is a sorted list, and arming, disarming and finding the next are one step each. Connections are
 * named by their place among the thread's, from 1, since most of a million of them only wait.
 */

/* At the end; moves there what is in the queue already. */
void queue_add(struct worker *w, enum queue_kind kind, struct conn *c, uint64_t due_ns);
void queue_remove(struct worker *w, enum queue_kind kind, struct conn *c);
struct conn *queue_first(const struct worker *w, enum queue_kind kind);	/* NULL: nobody waits */

/* conn_io.c; any of these may close the connection. */

/* Takes as many requests as are due and fit, and sends them. */
void conn_fill(struct worker *w, struct conn *c);

/* Events of its socket. */
void conn_event(struct worker *w, struct conn *c, uint32_t events);

/* Its time has come in that queue, which it has left. */
void conn_timer(struct worker *w, struct conn *c, enum queue_kind kind);

#endif
