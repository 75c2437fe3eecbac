/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.c - everything in integers, so that no locale and no rounding mode changes a byte. */
#include "text.h"

#include <string.h>

size_t flame_utf8(const char *s, size_t len, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)s[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (!n || n > len)
		return 0;
	*code = n == 1 ? c : c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return n;
}

bool flame_hostile(uint32_t code)
{
	static const struct { uint32_t from, to; } ranges[] = {
		{ 0x00, 0x1f },		/* controls */
		{ 0x7f, 0x9f },		/* and those of C1 */
		{ 0xad, 0xad },		/* soft hyphen */
		{ 0x61c, 0x61c },	/* directions */
		{ 0x180e, 0x180e },
		{ 0x200b, 0x200f },	/* zero width, directions */
		{ 0x2028, 0x202e },	/* line ends, overrides */
		{ 0x2060, 0x206f },
		{ 0xfdd0, 0xfdef },	/* no characters */
		{ 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb },
		{ 0xe0000, 0xe0fff },	/* tags */
	};

	if ((code & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (code >= ranges[i].from && code <= ranges[i].to)
			return true;
	}
	return false;
}

size_t flame_next_unit(const char *s, size_t len, uint32_t *code, bool *escape)
{
	size_t n = flame_utf8(s, len, code);

	*escape = !n || flame_hostile(*code);
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

/* Digits backwards into the end of a buffer; returns where they begin. */
static char *digits(char *end, uint64_t n, unsigned group)
{
	unsigned done = 0;

	do {
		if (group && done && done % group == 0)
			*--end = ',';
		*--end = (char)('0' + n % 10);
		done++;
	} while (n /= 10);
	return end;
}

void flame_put_u64(FILE *out, uint64_t value)
{
	char text[24], *from = digits(text + sizeof(text), value, 0);

	fwrite(from, 1, (size_t)(text + sizeof(text) - from), out);
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

struct flame_text flame_format_count(uint64_t n)
{
	struct flame_text f = { "" };
	char text[32], *from = digits(text + sizeof(text), n, 3);

	memcpy(f.s, from, (size_t)(text + sizeof(text) - from));
	return f;
}

/* Three digits, rounded; a rounding up to 1000 moves to the next unit by itself. */
struct flame_text flame_format_ns(uint64_t ns)
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	struct flame_text f;
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
		f = flame_format_count(ns);
	strcat(f.s, " ");
	strcat(f.s, unit[u]);
	return f;
}

uint64_t flame_scale(uint64_t part, uint64_t whole, uint64_t scale)
{
	return (uint64_t)((unsigned __int128)part * scale / whole);
}

struct flame_text flame_format_share(uint64_t part, uint64_t whole)
{
	struct flame_text f;
	uint64_t share = whole ? (flame_scale(part, whole, 100000) + 5) / 10 : 0;

	if (!share && part)
		snprintf(f.s, sizeof(f.s), "<0.01 %%");
	else
		snprintf(f.s, sizeof(f.s), "%u.%02u %%", (unsigned)(share / 100), (unsigned)(share % 100));
	return f;
}

void flame_put_share(FILE *out, uint64_t part, uint64_t whole)
{
	struct flame_text f = flame_format_share(part, whole);

	flame_put_xml(out, f.s, strlen(f.s), sizeof(f.s));
}
