/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.c - each name once, readable. */
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"
#include "base/term.h"
#include "symbols/names.h"
#include "symbols/symbols.h"

#define CHUNK 65536
#define MANGLED_MAX 4096	/* the demangler's stack grows with its input */
#define MAX_CHUNKS 4096	/* 256 MiB of names: more than people or disks want */

struct chunk {
	struct chunk *next;
	size_t used;
	char bytes[CHUNK];
};

struct sym_names {
	struct chunk *chunks;	/* the first one has room, the others are full */
	size_t n_chunks;
	const char **list;	/* by number */
	size_t n, room;
	struct map by_text;
};

struct sym_names *sym_names_new(void)
{
	struct sym_names *names = calloc(1, sizeof(*names));

	if (names && array_reserve(&names->list, &names->room, 1, sizeof(*names->list))) {
		free(names);
		return NULL;
	}
	if (names)
		names->list[names->n++] = "[unknown]";
	return names;
}

void sym_names_free(struct sym_names *names)
{
	if (!names)
		return;
	while (names->chunks) {
		struct chunk *next = names->chunks->next;

		free(names->chunks);
		names->chunks = next;
	}
	free(names->list);
	map_free(&names->by_text);
	free(names);
}

const char *sym_name(const struct sym_names *names, uint32_t number)
{
	return names->list[number < names->n ? number : 0];
}

static bool same_text(const void *list, uint32_t number, const void *text)
{
	return !strcmp(((const char *const *)list)[number], text);
}

static char *store(struct sym_names *names, const char *s, size_t len)
{
	struct chunk *c = names->chunks;
	char *at;

	if (!c || CHUNK - c->used < len + 1) {
		c = names->n_chunks < MAX_CHUNKS ? malloc(sizeof(*c)) : NULL;
		if (!c)
			return NULL;
		c->next = names->chunks;
		c->used = 0;
		names->chunks = c;
		names->n_chunks++;
	}
	at = memcpy(c->bytes + c->used, s, len + 1);
	c->used += len + 1;
	return at;
}

/* What may stand in a folded line and on a terminal. Returns the length; terminates. */
static size_t clean(char *out, const char *bytes, size_t len)
{
	static const char dots[] = "...";
	const size_t most = SYMBOLS_NAME_MAX - sizeof(dots);
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		uint32_t code = 0;
		size_t take = utf8_decode(bytes + i, len - i, &code);

		if (n + (take ? take : 1) > most) {
			memcpy(out + n, dots, sizeof(dots));
			return n + sizeof(dots) - 1;
		}
		if (!take || utf8_hostile(code)) {
			out[n++] = '?';
		} else if (code == ';') {
			out[n++] = ':';
		} else {
			memcpy(out + n, bytes + i, take);
			n += take;
		}
		i += take ? take : 1;
	}
	out[n] = '\0';
	return n;
}

uint32_t sym_intern(struct sym_names *names, const char *bytes, size_t len)
{
	char text[SYMBOLS_NAME_MAX];
	size_t n = clean(text, bytes, len);
	uint32_t number = map_find(&names->by_text, text, n, same_text, names->list);
	const char *stored;

	if (!n || number != MAP_NONE)
		return n ? number : 0;
	if (array_reserve(&names->list, &names->room, names->n + 1, sizeof(*names->list)) ||
	    map_reserve(&names->by_text, names->n))
		return 0;
	stored = store(names, text, n);
	if (!stored)
		return 0;
	(void)map_add(&names->by_text, text, n, (uint32_t)names->n);
	names->list[names->n] = stored;
	return (uint32_t)names->n++;
}

/* --- readable names, by GCC's own libiberty, which knows both of Rust's manglings too --- */

struct output {
	jmp_buf full;
	char *at;
	size_t room;
};

/*
 * The way out of a name that is too long: the demangler works from its stack and has no other. At
 * worst the decoded letters of one foreign identifier are not given back.
 */
static void take(const char *bytes, size_t len, void *arg)
{
	struct output *out = arg;

	if (len >= out->room)
		longjmp(out->full, 1);
	memcpy(out->at, bytes, len);
	out->at += len;
	out->room -= len;
	*out->at = '\0';
}

bool sym_demangle(const char *symbol, char *out, size_t room)
{
	struct output output = { .at = out, .room = room };

	if (symbol[0] != '_' || (symbol[1] != 'Z' && symbol[1] != 'R') ||
	    strnlen(symbol, MANGLED_MAX) == MANGLED_MAX)
		return false;
	*out = '\0';
	if (setjmp(output.full))
		return false;
	/* Old Rust names are C++ names that end in a hash: Rust is asked first. */
	return (rust_demangle_callback(symbol, DMGL_NO_OPTS, take, &output) ||
		cplus_demangle_v3_callback(symbol, DMGL_NO_OPTS, take, &output)) && *out;
}

uint32_t sym_intern_symbol(struct sym_names *names, const char *symbol)
{
	char readable[4 * SYMBOLS_NAME_MAX];
	const char *version;

	if (sym_demangle(symbol, readable, sizeof(readable)))
		return sym_intern(names, readable, strlen(readable));
	version = strchr(symbol, '@');
	return sym_intern(names, symbol,
			  version && version != symbol ? (size_t)(version - symbol) : strlen(symbol));
}
