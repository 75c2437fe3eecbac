/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* overload.h - which requests are served now, which wait, which are refused. */
#ifndef OVERLOAD_H
#define OVERLOAD_H

#include "conn.h"

enum verdict { ADMIT, QUEUE, REFUSE };

int overload_open(struct loop *l);	/* 0 or -1 */
/* Of the next request. QUEUE: the connection is paused, and the request comes again. */
enum verdict overload_admit(struct loop *l, struct conn *c);

#endif
