/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* quantity.c - parsing of numbers, durations and shares. */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"

#define FRACTION_ONE 1000000000u

/* A decimal number: whole + fraction / FRACTION_ONE. */
struct decimal {
	uint64_t whole;
	uint64_t fraction;
};

/* Reads digits[.digits] and leaves *text behind them; digits past the ninth place are dropped. */
static int parse_decimal(const char **text, struct decimal *d)
{
	const char *p = *text;
	uint64_t place = FRACTION_ONE / 10;

	*d = (struct decimal){ 0 };
	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	errno = 0;
	d->whole = strtoull(p, (char **)&p, 10);
	if (errno)
		return -ERANGE;
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return -EINVAL;
		for (; isdigit((unsigned char)*p); p++, place /= 10)
			d->fraction += place * (uint64_t)(*p - '0');
	}
	*text = p;
	return 0;
}

int quantity_u32(const char *text, uint32_t min, uint32_t max, uint32_t *n)
{
	struct decimal d;
	int err;

	if (strspn(text, "0123456789") != strlen(text))
		return -EINVAL;
	err = parse_decimal(&text, &d);
	if (err)
		return err;
	if (d.whole < min || d.whole > max)
		return -ERANGE;
	*n = (uint32_t)d.whole;
	return 0;
}

/* Nanoseconds in a unit; 0 if it is none. */
static uint64_t unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", 60000000000 },
		{ "h", 3600000000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(unit, units[i].name))
			return units[i].ns;
	}
	return 0;
}

int quantity_duration(const char *text, bool bare_seconds, uint64_t *ns)
{
	unsigned __int128 total;
	struct decimal d;
	uint64_t unit;
	int err = parse_decimal(&text, &d);

	if (err)
		return err;
	unit = unit_ns(*text || !bare_seconds ? text : "s");
	if (!unit && (*text || d.whole || d.fraction))
		return -EINVAL;
	total = (unsigned __int128)d.whole * unit +
		(unsigned __int128)d.fraction * unit / FRACTION_ONE;
	if (total > QUANTITY_DURATION_MAX_NS)
		return -ERANGE;
	*ns = (uint64_t)total;
	return 0;
}

int quantity_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	struct decimal d;
	int err;

	if (strchr(text, '.'))
		return -EINVAL;
	err = parse_decimal(&text, &d);
	if (err)
		return err;
	*bytes = d.whole;
	if (!*text)
		return 0;
	unit = strchr(units, *text);
	if (!unit || text[1])
		return -EINVAL;
	for (ptrdiff_t i = unit - units; i >= 0; i--)
		if (__builtin_mul_overflow(*bytes, 1024, bytes))
			return -ERANGE;
	return 0;
}

int quantity_share(const char *text, double *share)
{
	struct decimal d;
	double value;
	int err = parse_decimal(&text, &d);

	if (err)
		return err;
	value = (double)d.whole + (double)d.fraction / FRACTION_ONE;
	if (!strcmp(text, "%"))
		value /= 100;
	else if (*text)
		return -EINVAL;
	if (value > 1)
		return -ERANGE;
	*share = value;
	return 0;
}
