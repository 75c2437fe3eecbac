/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* push.h - the push protocol of tools/push.h. */
#ifndef PUSH_PROTOCOL_H
#define PUSH_PROTOCOL_H

#include "conn.h"

extern const struct protocol push_protocol;

#endif
