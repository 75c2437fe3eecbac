/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* term.c - layout and foreign bytes; numbers are in format.c. */
#include <stdarg.h>
#include <string.h>

#include "base/term.h"

const char *ink_on(const struct style *style, enum ink ink)
{
	static const char *const codes[] = {
		[INK_BOLD] = "\033[1m",
		[INK_DIM] = "\033[2m",
		[INK_RED] = "\033[31m",
	};

	return style && style->color ? codes[ink] : "";
}

const char *ink_off(const struct style *style)
{
	return style && style->color ? "\033[0m" : "";
}

size_t utf8_decode(const char *s, size_t len, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *b = (const unsigned char *)s;
	uint32_t c;
	size_t n;

	if (!len)
		return 0;
	n = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 :
	    b[0] < 0xf5 ? 4 : 0;
	if (!n || n > len)
		return 0;
	c = n == 1 ? b[0] : b[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (b[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return n;
}

bool utf8_hostile(uint32_t code)
{
	static const struct { uint32_t from, to; } ranges[] = {
		{ 0x00, 0x1f },		/* controls */
		{ 0x7f, 0x9f },		/* delete, and the controls of C1 */
		{ 0xad, 0xad },		/* soft hyphen */
		{ 0x61c, 0x61c },	/* a direction mark */
		{ 0x180e, 0x180e },	/* an invisible separator */
		{ 0x200b, 0x200f },	/* zero width, direction marks */
		{ 0x2028, 0x202e },	/* line ends, direction overrides */
		{ 0x2060, 0x206f },	/* invisible operators, direction isolates */
		{ 0xfdd0, 0xfdef },	/* noncharacters */
		{ 0xfeff, 0xfeff },	/* byte order mark */
		{ 0xfff0, 0xfffb },	/* unassigned, and marks of annotations */
		{ 0xe0000, 0xe0fff },	/* tags */
	};

	/* The last two of each plane are noncharacters; XML forbids the first plane's. */
	if ((code & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].from && code <= ranges[i].to)
			return true;
	return false;
}

/* Combining marks take none, East Asian wide characters and pictures two. */
static unsigned code_columns(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (c <= 0x36f || (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x20d0 && c <= 0x20ff) ||
	    (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xfe20 && c <= 0xfe2f))
		return 0;
	if ((c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
	    (c >= 0x20000 && c <= 0x3fffd))
		return 2;
	return 1;
}

/* One character or bad byte of s as it is shown, in piece[17]; returns the bytes it took. */
static size_t escape_one(char *piece, const char *s, size_t len)
{
	uint32_t code = 0;
	size_t n = utf8_decode(s, len, &code);

	if (n && !utf8_hostile(code) && code != '\\') {
		memcpy(piece, s, n);
		piece[n] = '\0';
		return n;
	}
	if (!n)
		n = 1;
	for (size_t i = 0; i < n; i++)
		snprintf(piece + 4 * i, 5, "\\x%02x", (unsigned char)s[i]);
	return n;
}

size_t escape_text(char *out, size_t cap, const char *s, size_t len)
{
	size_t used = 0;
	char piece[17];

	len = strnlen(s, len);
	while (len) {
		size_t n = escape_one(piece, s, len);
		size_t add = strlen(piece);

		if (used + add >= cap)
			break;
		memcpy(out + used, piece, add);
		used += add;
		s += n;
		len -= n;
	}
	out[used] = '\0';
	return used;
}

/* Length of the longest prefix of valid text that fits; stores the columns it takes. */
static size_t fit_columns(const char *s, unsigned most, unsigned *columns)
{
	size_t len = strlen(s), at = 0;
	unsigned used = 0;

	while (at < len) {
		uint32_t code = '?';
		size_t n = utf8_decode(s + at, len - at, &code);
		unsigned add = code_columns(code);

		if (add > most - used)
			break;
		used += add;
		at += n ? n : 1;
	}
	*columns = used;
	return at;
}

unsigned text_columns(const char *s)
{
	unsigned columns;

	fit_columns(s, ~0u, &columns);
	return columns;
}

struct fmt format_comm(const char *comm, size_t len, unsigned columns)
{
	char text[4 * 64 + 1];
	struct fmt f;
	unsigned used;
	size_t n;

	escape_text(text, sizeof(text), comm, len);
	n = fit_columns(text, columns, &used);
	if (text[n] && columns) {
		n = fit_columns(text, columns - 1, &used);
		text[n++] = '~';
	}
	text[n] = '\0';
	/* Combining marks take bytes but no columns: cut by bytes as well. */
	for (n = 0; text[n];) {
		uint32_t code;
		size_t add = utf8_decode(text + n, strlen(text + n), &code);

		if (n + add >= sizeof(f.s))
			break;
		n += add;
	}
	memcpy(f.s, text, n);
	f.s[n] = '\0';
	return f;
}

void put_cell(FILE *out, const char *text, int width)
{
	unsigned want = (unsigned)(width < 0 ? -width : width);
	unsigned columns = text_columns(text);
	size_t n = strlen(text);
	bool cut = columns > want;

	if (cut) {
		n = fit_columns(text, want ? want - 1 : 0, &columns);
		columns += want ? 1 : 0;
	}
	if (width > 0)
		fprintf(out, "%*s", (int)(want - columns), "");
	fprintf(out, "%.*s%s", (int)n, text, cut && want ? "~" : "");
	if (width < 0)
		fprintf(out, "%*s", (int)(want - columns), "");
}

static void para_break(struct para *p)
{
	fprintf(p->out, "\n%*s", (int)p->indent, "");
	p->column = p->indent;
	p->fresh = true;
}

void para_begin(struct para *p, FILE *out, const struct style *style, const char *label,
		unsigned indent)
{
	unsigned columns = text_columns(label);

	*p = (struct para){ .out = out, .indent = indent, .column = indent, .fresh = true };
	if (columns)
		fprintf(out, "%s%s%s", ink_on(style, INK_BOLD), label, ink_off(style));
	if (columns < indent)
		fprintf(out, "%*s", (int)(indent - columns), "");
	else if (columns)
		para_break(p);
}

static void para_put(struct para *p, const char *sep, const char *text)
{
	unsigned columns = text_columns(text);
	unsigned gap = text_columns(sep);

	/* Without a separator the item follows at once; the column kept free is for a full stop. */
	if (!p->fresh && gap && p->column + gap + columns > TEXT_COLUMNS - 1) {
		/* The separator's visible part stays with the item it follows. */
		fprintf(p->out, "%.*s", (int)strcspn(sep, " "), sep);
		para_break(p);
	}
	if (!p->fresh) {
		fputs(sep, p->out);
		p->column += gap;
	}
	fputs(text, p->out);
	p->column += columns;
	p->fresh = false;
}

void para_item(struct para *p, const char *sep, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	para_put(p, sep, text);
}

void para_words(struct para *p, const char *text)
{
	char word[TEXT_COLUMNS + 1];

	while (*text) {
		size_t n = strcspn(text, " ");

		if (n >= sizeof(word))
			n = sizeof(word) - 1;
		memcpy(word, text, n);
		word[n] = '\0';
		if (n)
			para_put(p, " ", word);
		text += n;
		text += strspn(text, " ");
	}
}

void para_end(struct para *p)
{
	fputc('\n', p->out);
}
