/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* http.h - HTTP/1.1 with keep-alive and pipelining. */
#ifndef HTTP_PROTOCOL_H
#define HTTP_PROTOCOL_H

#include "conn.h"

extern const struct protocol http_protocol;

#endif
