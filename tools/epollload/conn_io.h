/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* conn_io.h - between the two halves of a connection: its life (conn.c), its bytes (conn_io.c). */
#ifndef EPOLLLOAD_CONN_IO_H
#define EPOLLLOAD_CONN_IO_H

#include <stdbool.h>

#include "worker.h"

/* Sends what there is to send, as far as pauses, windows and the kernel's room allow. */
void conn_flush(struct worker *w, struct conn *c);

/* Reads until nothing is left, or once if it is a slow reader. hangup: look for the end. */
void conn_read(struct worker *w, struct conn *c, bool hangup);

void conn_ready(struct worker *w, struct conn *c);

/* The connection is of no more use: its requests are lost, and it is opened again if needed. */
void conn_lost(struct worker *w, struct conn *c, enum loss loss);

#endif
