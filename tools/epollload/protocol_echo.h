/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* protocol_echo.h - messages come back as they were sent. */
#ifndef EPOLLLOAD_PROTOCOL_ECHO_H
#define EPOLLLOAD_PROTOCOL_ECHO_H

#include "protocol.h"

extern const struct protocol protocol_echo;

#endif
