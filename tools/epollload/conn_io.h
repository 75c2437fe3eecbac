/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* conn_io.h - a connection's bytes. Any of these may close the connection. */
#ifndef EPOLLLOAD_CONN_IO_H
#define EPOLLLOAD_CONN_IO_H

#include "state.h"

/* Takes as many requests as are due and fit, and sends them. */
void conn_fill(struct worker *w, struct conn *c);

/* Sends what there is to send, as far as pauses, windows and the kernel's room allow. */
void conn_flush(struct worker *w, struct conn *c);

/* Reads until nothing is left, or once if it is a slow reader. hangup: look for the end. */
void conn_read(struct worker *w, struct conn *c, bool hangup);

#endif
