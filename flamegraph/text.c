/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.c - everything in integers, so that no locale and no rounding mode changes a byte. */
#include "text.h"

#include <string.h>

size_t flame_next_unit(const char *s, size_t len, uint32_t *code, bool *escape)
{
	size_t n = utf8_decode(s, len, code);

	*escape = !n || utf8_hostile(*code);
	if (!*escape)
		return n;
	*code = 0;
	return 1;
}

static unsigned columns_of(uint32_t code, bool escape)
{
	if (escape)
		return 4;
	return code < 0x1100 ? 1 : 2;
}

static void put_unit(FILE *out, const char *s, size_t n, bool escape)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char c = (unsigned char)*s;

	if (escape) {
		char text[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

		fwrite(text, 1, sizeof(text), out);
		return;
	}
	switch (c) {
	case '&': fputs("&amp;", out); break;
	case '<': fputs("&lt;", out); break;
	case '>': fputs("&gt;", out); break;
	case '"': fputs("&quot;", out); break;
	default: fwrite(s, 1, n, out);
	}
}

/* Text that fits; all of it if that is as wide as `columns`. */
static size_t fitting(const char *s, size_t len, unsigned columns)
{
	unsigned used = 0;
	size_t at = 0, n, kept = 0;
	uint32_t code;
	bool escape;

	for (; at < len; at += n) {
		n = flame_next_unit(s + at, len - at, &code, &escape);
		used += columns_of(code, escape);
		if (used > columns)
			return kept;
		if (used < columns)
			kept = at + n;
	}
	return len;
}

void flame_put_xml(FILE *out, const char *s, size_t len, unsigned columns)
{
	size_t kept = fitting(s, len, columns), n;
	uint32_t code;
	bool escape;

	for (size_t at = 0; at < kept; at += n) {
		n = flame_next_unit(s + at, kept - at, &code, &escape);
		put_unit(out, s + at, n, escape);
	}
	if (kept < len)
		fputs("…", out);
}

/* A tree has millions of numbers: no printf. */
void flame_put_u64(FILE *out, uint64_t value)
{
	char text[24], *end = text + sizeof(text), *from = end;

	do
		*--from = (char)('0' + value % 10);
	while (value /= 10);
	fwrite(from, 1, (size_t)(end - from), out);
}

void flame_put_hundredths(FILE *out, uint64_t value)
{
	unsigned rest = (unsigned)(value % 100);

	flame_put_u64(out, value / 100);
	if (!rest)
		return;
	fputc('.', out);
	fputc('0' + (int)(rest / 10), out);
	if (rest % 10)
		fputc('0' + (int)(rest % 10), out);
}

/* Three digits, rounded; a rounding up to 1000 moves to the next unit by itself. */
struct fmt flame_format_ns(uint64_t ns)
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	struct fmt f;
	uint64_t scale = 1;
	unsigned u = 0, decimals = 0;

	while (u < 3 && (ns >= scale * 1000 - scale / 2)) {
		scale *= 1000;
		u++;
	}
	if (u && ns / scale < 100)
		decimals = ns < scale * 10 - scale / 200 ? 2 : ns < scale * 100 - scale / 20 ? 1 : 0;
	for (unsigned i = 0; i < decimals; i++)
		scale /= 10;
	ns = ns / scale + (ns % scale >= scale - scale / 2 && scale > 1);
	if (decimals == 2)
		snprintf(f.s, sizeof(f.s), "%u.%02u", (unsigned)(ns / 100), (unsigned)(ns % 100));
	else if (decimals)
		snprintf(f.s, sizeof(f.s), "%u.%u", (unsigned)(ns / 10), (unsigned)(ns % 10));
	else
		f = format_count(ns);
	strcat(f.s, " ");
	strcat(f.s, unit[u]);
	return f;
}

uint64_t flame_scale(uint64_t part, uint64_t whole, uint64_t scale)
{
	return (uint64_t)((unsigned __int128)part * scale / whole);
}

struct fmt flame_format_share(uint64_t part, uint64_t whole)
{
	struct fmt f;
	uint64_t share = whole ? (flame_scale(part, whole, 100000) + 5) / 10 : 0;

	if (!share && part)
		snprintf(f.s, sizeof(f.s), "<0.01 %%");
	else
		snprintf(f.s, sizeof(f.s), "%u.%02u %%", (unsigned)(share / 100), (unsigned)(share % 100));
	return f;
}

void flame_put_share(FILE *out, uint64_t part, uint64_t whole)
{
	struct fmt f = flame_format_share(part, whole);

	flame_put_xml(out, f.s, strlen(f.s), sizeof(f.s));
}
