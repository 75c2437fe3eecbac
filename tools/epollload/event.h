/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event.h - what happens to a connection: the events of its socket, and its timers. */
#ifndef EPOLLLOAD_EVENT_H
#define EPOLLLOAD_EVENT_H

#include "state.h"

void event_socket(struct worker *w, struct conn *c, uint32_t events);

/* Its time has come in that queue, which it has left. */
void event_timer(struct worker *w, struct conn *c, enum queue_kind kind);

#endif
