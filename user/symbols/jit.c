/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* jit.c - perf maps: what a runtime says about the code that it made. */
#include <errno.h>
#include <string.h>

#include "symbols/table.h"

bool sym_hex(const char **at, const char *end, uint64_t *value)
{
	const char *p = *at;
	unsigned digits = 0;

	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	for (*value = 0; p < end; p++, digits++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			digit = (unsigned)((*p | 0x20) - 'a' + 10);
		else
			break;
		if (*value >> 60)
			return false;
		*value = *value << 4 | digit;
	}
	*at = p;
	return digits > 0;
}

static bool blank(const char **at, const char *end)
{
	const char *p = *at;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == *at)
		return false;
	*at = p;
	return true;
}

static bool parse_line(const char *at, const char *end, uint64_t *start, uint64_t *size,
		       const char **name)
{
	if (!sym_hex(&at, end, start) || !blank(&at, end) || !sym_hex(&at, end, size) || !blank(&at, end))
		return false;
	*name = at;
	return at < end && *size && *size <= UINT32_MAX && *start + *size > *start;
}

/* Code moves and its memory is used again: the later line is right. */
uint64_t sym_jit_read(const char *text, size_t len, struct sym_table *t, int *err)
{
	const char *at = text, *end = text + len, *newline;
	uint64_t refused = 0;
	uint32_t line = 0;

	t->newest_wins = true;
	*err = 0;
	while (!*err && at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		uint64_t start, size;
		const char *name;

		if (parse_line(at, newline, &start, &size, &name))
			*err = sym_table_add(t, start, size, name, (size_t)(newline - name), ++line);
		else
			refused++;
		at = newline + 1;
	}
	return refused;
}
