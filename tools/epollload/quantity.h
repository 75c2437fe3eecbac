/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * quantity.h - numbers as users write them: no sign, no blank, nothing behind. Each returns 0 or
 * -EINVAL. `end` may be NULL: then the text must end with the quantity; otherwise it may go on with
 * a `/` or `-`, where *end is left.
 */
#ifndef EPOLLLOAD_QUANTITY_H
#define EPOLLLOAD_QUANTITY_H

#include <stdint.h>

/* A whole number, min..max; k and m stand for thousands and millions. */
int quantity_count(const char *text, uint64_t min, uint64_t max, uint64_t *n, const char **end);

/* A time with its unit, ns us ms s m h; at most a day. */
int quantity_time(const char *text, uint64_t *ns);

#endif
