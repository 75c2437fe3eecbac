/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* protocol_push.h - the push protocol of tools/push.h. */
#ifndef EPOLLLOAD_PROTOCOL_PUSH_H
#define EPOLLLOAD_PROTOCOL_PUSH_H

#include "protocol.h"

extern const struct protocol protocol_push;

/* Has a heartbeat sent. */
void push_heartbeat(struct wire *w);

/* Of what was parsed last: the number of the refused request, the stamp of the delivery. */
uint64_t push_refused(const struct wire *w);
uint64_t push_stamp(const struct wire *w);

#endif
