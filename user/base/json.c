/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json.c - see json.h. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/term.h"

static void put_code(FILE *out, uint32_t code)
{
	if (code >= 0x10000) {
		code -= 0x10000;
		fprintf(out, "\\u%04x\\u%04x", 0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
	} else {
		fprintf(out, "\\u%04x", code);
	}
}

static void put_text(FILE *out, const char *s, size_t len)
{
	fputc('"', out);
	for (size_t i = 0; i < len;) {
		uint32_t code = 0;
		size_t n = utf8_decode(s + i, len - i, &code);

		if (!n)
			fputs("\xef\xbf\xbd", out);
		else if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (char)code);
		else if (code == '\n')
			fputs("\\n", out);
		else if (code == '\t')
			fputs("\\t", out);
		else if (utf8_hostile(code))
			put_code(out, code);
		else
			fwrite(s + i, 1, n, out);
		i += n ? n : 1;
	}
	fputc('"', out);
}

static void new_line(struct json *j)
{
	fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
}

/* The comma and the name that come before a value. */
static void lead(struct json *j, const char *key)
{
	uint32_t bit = UINT32_C(1) << j->depth;

	if (j->filled & bit)
		fputc(',', j->out);
	if (j->depth && j->depth <= j->pretty)
		new_line(j);
	else if (j->filled & bit && j->pretty)
		fputc(' ', j->out);
	j->filled |= bit;
	if (key) {
		put_text(j->out, key, strlen(key));
		fputs(j->pretty ? ": " : ":", j->out);
	}
}

static void open_level(struct json *j, const char *key, char bracket)
{
	lead(j, key);
	fputc(bracket, j->out);
	assert(j->depth + 1 < JSON_DEPTH);
	j->depth++;
	j->filled &= ~(UINT32_C(1) << j->depth);
}

static void close_level(struct json *j, char bracket)
{
	bool filled = j->filled & UINT32_C(1) << j->depth;
	bool own_line = j->depth <= j->pretty;

	assert(j->depth);
	j->depth--;
	if (filled && own_line)
		new_line(j);
	fputc(bracket, j->out);
}

void json_start(struct json *j, FILE *out, unsigned pretty)
{
	*j = (struct json){ .out = out, .pretty = pretty };
}

void json_finish(struct json *j)
{
	assert(!j->depth);
	fputc('\n', j->out);
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, '{');
}

void json_object_end(struct json *j)
{
	close_level(j, '}');
}

void json_array(struct json *j, const char *key)
{
	open_level(j, key, '[');
}

void json_array_end(struct json *j)
{
	close_level(j, ']');
}

void json_bytes(struct json *j, const char *key, const char *s, size_t len)
{
	if (!s) {
		json_null(j, key);
		return;
	}
	lead(j, key);
	put_text(j->out, s, strnlen(s, len));
}

void json_string(struct json *j, const char *key, const char *s)
{
	json_bytes(j, key, s, s ? strlen(s) : 0);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	lead(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_known(struct json *j, const char *key, bool known, uint64_t value)
{
	if (known)
		json_u64(j, key, value);
	else
		json_null(j, key);
}

void json_double(struct json *j, const char *key, double value)
{
	char text[40];
	char *from = text, *to = text;

	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	/* The shortest that reads back the same; both calls use the same locale. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	/* The locale's decimal sign is the one run of characters that no number contains. */
	while (*from) {
		size_t other = strcspn(from, "0123456789+-eE");

		*to++ = other ? '.' : *from;
		from += other ? other : 1;
	}
	*to = '\0';
	lead(j, key);
	fputs(text, j->out);
}

void json_bool(struct json *j, const char *key, bool value)
{
	lead(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	lead(j, key);
	fputs("null", j->out);
}
