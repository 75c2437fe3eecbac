/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* input.h - the reading half of a connection, and what goes on when it may be read again. */
#ifndef INPUT_H
#define INPUT_H

#include "conn.h"

#define INPUT_BYTES 65536	/* that a loop reads at once; the longest request */

int input_open(struct loop *l);		/* 0 or -1 */
/* events happened to the connection that is watched by w. */
void input_ready(struct loop *l, struct watch *w, uint32_t events);
/* After a pause: sends what waits, then serves what waits in its buffer. */
void input_resume(struct loop *l, struct conn *c);
/* The pause of fault slow-drain is over; see struct conns. */
void input_drained(struct loop *l, struct timer *t);

#endif
