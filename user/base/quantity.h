/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * quantity.h - numbers as users write them: decimal, without sign, blank or exponent, whatever the
 * locale. Each returns 0, -EINVAL when the text is not exactly one such quantity, or -ERANGE.
 */
#ifndef EPOLLSCOPE_QUANTITY_H
#define EPOLLSCOPE_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#define QUANTITY_DURATION_MAX_NS (365ull * 86400 * 1000000000)

/* A whole number, min <= n <= max. */
int quantity_u32(const char *text, uint32_t min, uint32_t max, uint32_t *n);

/*
 * A time with its unit ns, us, ms, s, m or h, at most 365 days; fractions of a nanosecond are
 * dropped. A number alone is seconds if bare_seconds, else only "0" needs no unit.
 */
int quantity_duration(const char *text, bool bare_seconds, uint64_t *ns);

/* Bytes: a whole number with its unit K, M, G or T (1024, ...), or without one. */
int quantity_bytes(const char *text, uint64_t *bytes);

/* A share: "0.01" or "1%"; 0 <= share <= 1. */
int quantity_share(const char *text, double *share);

#endif
