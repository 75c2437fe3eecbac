/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* suffer.h - the faults that strike the handler of a request: computing, sleeping, disk, lock. */
#ifndef SUFFER_H
#define SUFFER_H

#include "loop.h"

/* Returns the bits of what struck; serial is the connection's. Only call it if faults.any. */
uint32_t suffer_request(struct loop *l, uint32_t serial);

#endif
