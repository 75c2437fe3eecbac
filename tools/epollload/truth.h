/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * truth.h - the file in which we say what we saw of each answered request. A line each:
 *
 *   local_port number first_before first_after last_before last_after answered
 *
 * number counts answers from 1 on its connection; before and after lie around the send of the first
 * and of the last piece; times are ns of CLOCK_MONOTONIC. One request at a time on a connection.
 */
#ifndef EPOLLLOAD_TRUTH_H
#define EPOLLLOAD_TRUTH_H

#include <sys/types.h>

#include "state.h"

/* Room for the worker's active connections: 0 or a negative errno. Freed with the worker. */
int truth_init(struct worker *w);
/* The connection is open: nothing was sent yet. */
void truth_open(struct worker *w, const struct conn *c);
/* send(), stamped. */
ssize_t truth_send(struct worker *w, const struct conn *c, const void *from, size_t n);
void truth_answered(struct worker *w, const struct conn *c);

#endif
