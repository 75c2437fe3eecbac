/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* echo.h - what comes is sent back. */
#ifndef ECHO_PROTOCOL_H
#define ECHO_PROTOCOL_H

#include "conn.h"

extern const struct protocol echo_protocol;

#endif
