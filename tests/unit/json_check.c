/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json_check.c - see json_check.h. */
#include "json_check.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_value(const char *p, int depth);

static const char *skip_string(const char *p)
{
	if (!p || *p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\' && !strchr("\"\\/bfnrtu", *++p))
			return NULL;
	}
	return p + 1;
}

static const char *skip_blank(const char *p)
{
	return p ? p + strspn(p, " \n") : NULL;
}

static const char *skip_items(const char *p, char close, int depth)
{
	p = skip_blank(p + 1);
	if (*p == close)
		return p + 1;
	for (;;) {
		if (close == '}') {
			p = skip_blank(skip_string(p));
			if (!p || *p++ != ':')
				return NULL;
		}
		p = skip_blank(skip_value(skip_blank(p), depth + 1));
		if (!p)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p++ != ',')
			return NULL;
		p = skip_blank(p);
	}
}

static const char *skip_value(const char *p, int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	char *end;

	if (!p || depth > 20)
		return NULL;
	if (*p == '{' || *p == '[')
		return skip_items(p, *p == '{' ? '}' : ']', depth);
	if (*p == '"')
		return skip_string(p);
	for (size_t i = 0; i < 3; i++)
		if (!strncmp(p, words[i], strlen(words[i])))
			return p + strlen(words[i]);
	if (*p != '-' && !isdigit((unsigned char)*p))
		return NULL;
	strtod(p, &end);
	return end;
}

const char *json_end(const char *text)
{
	return skip_value(text, 0);
}
