/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * json.h - a streaming JSON writer.
 *
 * `key` is the member's name inside an object and NULL inside an array or at the top. The output
 * is valid whatever the strings hold and whatever the locale. Write errors are left in the
 * FILE's own error flag.
 */
#ifndef EPOLLSCOPE_JSON_H
#define EPOLLSCOPE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 32

struct json {
	FILE *out;
	unsigned depth;		/* open objects and arrays */
	unsigned pretty;	/* items at this depth or above stand on lines of their own */
	uint32_t filled;	/* bit d: something was written at depth d */
};

/* Starts a document; pretty 0 keeps it on one line. End it with a newline by json_finish(). */
void json_start(struct json *j, FILE *out, unsigned pretty);
void json_finish(struct json *j);

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

/* s ends at a NUL or after len bytes; invalid UTF-8 becomes U+FFFD; NULL becomes null. */
void json_bytes(struct json *j, const char *key, const char *s, size_t len);
void json_string(struct json *j, const char *key, const char *s);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_known(struct json *j, const char *key, bool known, uint64_t value);	/* or null */
void json_double(struct json *j, const char *key, double value);	/* null if not finite */
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
