/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* quantity.c - see quantity.h. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "quantity.h"

#define DAY_NS (86400 * NS_PER_S)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digits(const char **text, uint64_t *n)
{
	const char *p = *text;

	if (!is_digit(*p))
		return -EINVAL;
	for (*n = 0; is_digit(*p); p++)
		if (__builtin_mul_overflow(*n, 10, n) ||
		    __builtin_add_overflow(*n, (uint64_t)(*p - '0'), n))
			return -EINVAL;
	*text = p;
	return 0;
}

int quantity_count(const char *text, uint64_t min, uint64_t max, uint64_t *n, const char **end)
{
	uint64_t scale = 1, value;

	if (digits(&text, &value))
		return -EINVAL;
	if (*text == 'k')
		scale = 1000;
	else if (*text == 'm')
		scale = 1000000;
	text += scale > 1;
	if (end ? *text != '/' && *text != '-' : *text != '\0')
		return -EINVAL;
	if (__builtin_mul_overflow(value, scale, &value) || value < min || value > max)
		return -EINVAL;
	if (end)
		*end = text;
	*n = value;
	return 0;
}

static uint64_t unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", NS_PER_S },
		{ "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(unit, units[i].name))
			return units[i].ns;
	return 0;
}

int quantity_time(const char *text, uint64_t *ns)
{
	uint64_t whole, tenths = 0, place = 1, unit;

	if (digits(&text, &whole))
		return -EINVAL;
	if (*text == '.') {
		const char *from = ++text;

		if (digits(&text, &tenths) || text - from > 9)
			return -EINVAL;
		for (const char *p = from; p < text; p++)
			place *= 10;
	}
	unit = unit_ns(text);
	if (!unit || whole > DAY_NS / unit)
		return -EINVAL;
	*ns = whole * unit + (uint64_t)((__uint128_t)tenths * unit / place);
	return *ns > DAY_NS ? -EINVAL : 0;
}
