/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* worker.h - a loop of the server, with all that works on it. */
#ifndef WORKER_H
#define WORKER_H

#include "loop.h"

/* listener: the socket that it accepts from; -1: none. NULL: no memory or descriptors. */
struct loop *worker_new(struct server *s, unsigned index, int listener);
/* The thread: serves until MAIL_STOP has come and what was under way is done. */
void *worker_run(void *loop);

#endif
