/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * queue.h - connections in a row: those with room for a request, and those that wait for a time.
 *
 * A timer kind has one delay for all, so who came last is due last: a queue is a sorted list, and
 * arming, disarming and finding the next are one step each. Connections are named by their place
 * among the thread's, counted from 1, since most of a million of them only wait.
 */
#ifndef EPOLLLOAD_QUEUE_H
#define EPOLLLOAD_QUEUE_H

#include <stdint.h>

struct worker;
struct conn;

/* What a connection may wait for. All but FREE are timers. */
enum queue_kind {
	Q_FREE,		/* has room for a request */
	Q_PROGRESS,	/* owes a greeting or an answer: the time-out */
	Q_PIECE,	/* slow sender: the next piece */
	Q_READ,		/* slow reader: the next read */
	Q_RETRY,	/* could not be opened */
	Q_BEAT,		/* push: the heartbeat */
	QUEUES
};

struct node {
	uint32_t next, prev;	/* 0: none */
	uint64_t due_ns : 63, queued : 1;
};

struct queue {
	uint32_t first, last;
};

/* At the end; moves there what is in the queue already. */
void queue_add(struct worker *w, enum queue_kind kind, struct conn *c, uint64_t due_ns);

void queue_remove(struct worker *w, enum queue_kind kind, struct conn *c);

/* NULL if nobody waits. */
struct conn *queue_first(const struct worker *w, enum queue_kind kind);

#endif
