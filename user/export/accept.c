/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* accept.c - what a client can read: Accept and Accept-Encoding. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "export/http.h"

/*
 * The highest quality that a list ("a/b;version=1.0.0;q=0.5, c/d") gives to a name, 0 to 1; 0 if it
 * is not in the list. An element of another version than the one wanted does not count.
 */
static double quality(const char *list, const char *name, const char *version)
{
	double best = 0;

	while (list && *list) {
		size_t len = strcspn(list, ",");
		char element[128], *word, *rest;
		double q = 1;

		snprintf(element, sizeof(element), "%.*s", (int)len, list);
		list += len + (list[len] == ',');
		word = strtok_r(element, "; \t", &rest);
		if (!word || strcasecmp(word, name))
			continue;
		while ((word = strtok_r(NULL, "; \t", &rest))) {
			if (!strncasecmp(word, "q=", 2))
				q = strtod(word + 2, NULL);
			else if (version && !strncasecmp(word, "version=", 8) &&
				 strcmp(word + 8, version))
				q = 0;
		}
		if (q > best)
			best = q < 1 ? q : 1;
	}
	return best;
}

/* Whoever asks for both alike, by name, gets OpenMetrics; a wildcard stands for text. */
enum exposition_format http_format(const char *accept)
{
	static const char *const plain[] = { "text/plain", "text/*", "*/*" };
	double open = quality(accept, "application/openmetrics-text", "1.0.0"), text = 0;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		double q = quality(accept, plain[i], NULL);

		text = q > text ? q : text;
	}
	return open > 0 && open >= text ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

bool http_wants_gzip(const char *accept_encoding)
{
	return quality(accept_encoding, "gzip", NULL) > 0;
}
