// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* accept.c - what a client can read: Accept and Accept-Encoding. */
#include <string.h>
#include <strings.h>

#include "export/http.h"

/* One element of a list: "type/sub;version=1.0.0;q=0.5", without blanks around its parts. */
struct element {
	char name[64];
	char version[16];
	unsigned q;	/* thousandths */
};

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* Copies up to one of `ends`, without blanks before it; what does not fit is cut. */
static const char *copy_word(char *to, size_t room, const char *s, const char *ends)
{
	size_t len = strcspn(s, ends), keep = len;

	while (keep && strchr(" \t", s[keep - 1]))
		keep--;
	if (keep > room - 1)
		keep = room - 1;
	memcpy(to, s, keep);
	to[keep] = '\0';
	return s + len;
}

/* "0.5" -> 500; what is no quality is 1000. */
static unsigned quality(const char *s)
{
	unsigned q = 0, place = 100;

	if (*s != '0' && *s != '1')
		return 1000;
	q = *s++ == '1' ? 1000 : 0;
	if (*s++ != '.')
		return q;
	for (; *s >= '0' && *s <= '9' && place; s++, place /= 10)
		q += (unsigned)(*s - '0') * place;
	return q > 1000 ? 1000 : q;
}

/* The next element; NULL at the end. */
static const char *next_element(const char *s, struct element *e)
{
	char name[16], value[16];

	*e = (struct element){ .q = 1000 };
	s = skip_blanks(s + strspn(s, ", \t"));
	if (!*s)
		return NULL;
	s = copy_word(e->name, sizeof(e->name), s, ";,");
	while (*s == ';') {
		s = copy_word(name, sizeof(name), skip_blanks(s + 1), "=;,");
		value[0] = '\0';
		if (*s == '=')
			s = copy_word(value, sizeof(value), skip_blanks(s + 1), ";,");
		if (!strcasecmp(name, "q"))
			e->q = quality(value);
		else if (!strcasecmp(name, "version"))
			strcpy(e->version, value);
	}
	return s;
}

/* Whoever asks for both alike, by name, gets OpenMetrics; a wildcard stands for text. */
enum text_format http_format(const char *accept)
{
	unsigned open = 0, text = 0;
	struct element e;

	while (accept && (accept = next_element(accept, &e))) {
		if (!strcasecmp(e.name, "application/openmetrics-text")) {
			if ((!e.version[0] || !strcmp(e.version, "1.0.0")) && e.q > open)
				open = e.q;
		} else if (!strcasecmp(e.name, "text/plain") || !strcmp(e.name, "text/*") ||
			   !strcmp(e.name, "*/*")) {
			if (e.q > text)
				text = e.q;
		}
	}
	return open && open >= text ? TEXT_OPENMETRICS : TEXT_PROMETHEUS;
}

bool http_wants_gzip(const char *accept_encoding)
{
	struct element e;

	while (accept_encoding && (accept_encoding = next_element(accept_encoding, &e)))
		if (!strcasecmp(e.name, "gzip"))
			return e.q > 0;
	return false;
}
