/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.c - each name once, readable. */
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/term.h"
#include "symbols/symbols.h"
#include "symbols/table.h"

#define MANGLED_MAX 4096	/* the demangler's stack grows with its input */
#define MAX_BYTES (256u << 20)	/* of names: more than people or disks want */

void sym_names_free(struct sym_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
	map_free(&names->by_text);
}

const char *sym_name(const struct sym_names *names, uint32_t number)
{
	return number && number <= names->n ? names->list[number - 1] : "[unknown]";
}

static bool same_text(const void *list, uint32_t i, const void *text)
{
	return !strcmp(((char *const *)list)[i], text);
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
	char text[SYMBOLS_NAME_MAX], *copy;
	size_t n = clean(text, bytes, len);
	uint32_t i = map_find(&names->by_text, text, n, same_text, names->list);

	if (!n || i != MAP_NONE)
		return n ? i + 1 : 0;
	if (names->bytes + n > MAX_BYTES ||
	    array_reserve(&names->list, &names->room, names->n + 1, sizeof(*names->list)))
		return 0;
	copy = strdup(text);
	if (!copy || map_add(&names->by_text, text, n, (uint32_t)names->n)) {
		free(copy);
		return 0;
	}
	names->bytes += n;
	names->list[names->n++] = copy;
	return (uint32_t)names->n;
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
