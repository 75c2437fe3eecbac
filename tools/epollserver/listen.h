/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listen.h - listeners, accept4 until nobody is left, and which loop gets the connection. */
#ifndef LISTEN_H
#define LISTEN_H

#include "loop.h"

/* A listening socket, or a negative errno; sets cfg->port if it was 0. */
int listen_socket(struct config *cfg);
/* fd: of the listening socket; -1: another loop accepts and hands over. 0 or -1. */
int listen_open(struct loop *l, int fd);
void listen_watch(struct loop *l, bool on);
void listen_ready(struct loop *l, struct watch *w, uint32_t events);
/* MAIL_CONN: a connection that the acceptor has handed over. */
void listen_handed(struct loop *l, void *accept_ns, uint64_t word);

#endif
