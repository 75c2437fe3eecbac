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

#include "state.h"

/* At the end; moves there what is in the queue already. */
void queue_add(struct worker *w, enum queue_kind kind, struct conn *c, uint64_t due_ns);

void queue_remove(struct worker *w, enum queue_kind kind, struct conn *c);

/* NULL if nobody waits. */
struct conn *queue_first(const struct worker *w, enum queue_kind kind);

#endif
