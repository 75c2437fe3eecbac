/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* protocol_http.h - HTTP/1.1. */
#ifndef EPOLLLOAD_PROTOCOL_HTTP_H
#define EPOLLLOAD_PROTOCOL_HTTP_H

#include "protocol.h"

extern const struct protocol protocol_http;

#endif
