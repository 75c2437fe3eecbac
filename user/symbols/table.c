/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.c - names, each once and readable, and sorted arrays of symbols. */
#include <ctype.h>
#include <errno.h>
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

/* How far back a symbol is looked for that began earlier and covers the address all the same. */
#define LOOK_BACK 64

/* --- names --- */

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
	if (!version || version == symbol)
		version = symbol + strlen(symbol);
	return sym_intern(names, symbol, (size_t)(version - symbol));
}

/* --- tables --- */

int sym_table_add(struct sym_table *t, uint64_t start, uint64_t size, const char *name,
		  size_t name_len, uint32_t rank)
{
	uint64_t bytes = (t->n + 1) * sizeof(*t->list) + t->names_len + name_len + 1;

	if ((t->max_bytes && bytes > t->max_bytes) || t->n >= INT32_MAX ||
	    t->names_len + name_len + 1 >= UINT32_MAX)
		return -E2BIG;
	if (array_reserve(&t->list, &t->room, t->n + 1, sizeof(*t->list)) ||
	    array_reserve(&t->names, &t->names_room, t->names_len + name_len + 1, 1))
		return -ENOMEM;
	t->list[t->n++] = (struct sym_entry){
		.start = start,
		.size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size,
		.name = (uint32_t)t->names_len,
		.rank = rank,
	};
	if (name_len)
		memcpy(t->names + t->names_len, name, name_len);
	t->names[t->names_len + name_len] = '\0';
	t->names_len += name_len + 1;
	return 0;
}

/* By start, the best first. Ends with the place in the arena, which makes it stable. */
static int by_start(const void *a, const void *b, void *names)
{
	const struct sym_entry *x = a, *y = b;
	size_t x_len, y_len;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	x_len = strlen((char *)names + x->name);
	y_len = strlen((char *)names + y->name);
	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

void sym_table_finish(struct sym_table *t)
{
	size_t kept = 0;
	void *less;

	if (!t->n)
		return;
	qsort_r(t->list, t->n, sizeof(*t->list), by_start, t->names);
	for (size_t i = 0; i < t->n; i++)
		if (!kept || t->list[kept - 1].start != t->list[i].start)
			t->list[kept++] = t->list[i];
	t->n = kept;
	for (size_t i = 0; i + 1 < t->n; i++) {
		struct sym_entry *e = &t->list[i];
		uint64_t gap = t->list[i + 1].start - e->start;

		if (!t->newest_wins && !(e->rank & SYM_RANK_SIZED) && e->size > gap)
			e->size = (uint32_t)gap;
	}
	less = reallocarray(t->list, t->n, sizeof(*t->list));
	if (less) {
		t->list = less;
		t->room = t->n;
	}
	less = realloc(t->names, t->names_len);
	if (less) {
		t->names = less;
		t->names_room = t->names_len;
	}
}

void sym_table_free(struct sym_table *t)
{
	free(t->list);
	free(t->names);
	*t = (struct sym_table){ 0 };
}

uint64_t sym_table_bytes(const struct sym_table *t)
{
	return t->room * sizeof(*t->list) + t->names_room;
}

static bool begins_by(const void *entry, const void *address)
{
	return ((const struct sym_entry *)entry)->start <= *(const uint64_t *)address;
}

struct sym_entry *sym_table_find(struct sym_table *t, uint64_t address)
{
	struct sym_entry *best = NULL;
	size_t i = array_lower_bound(t->list, t->n, sizeof(*t->list), begins_by, &address);

	for (size_t back = 0; i-- && back < LOOK_BACK; back++) {
		struct sym_entry *e = &t->list[i];

		if (address - e->start >= e->size || !t->names[e->name])
			continue;
		if (!t->newest_wins)
			return e;
		if (!best || e->rank > best->rank)
			best = e;
	}
	return best;
}

const char *sym_table_name(const struct sym_table *t, struct sym_entry *e, struct sym_names *names)
{
	if (!e->shown)
		e->shown = sym_intern_symbol(names, t->names + e->name);
	return sym_name(names, e->shown);
}

bool sym_hex(const char **at, uint64_t *value)
{
	char *end;

	if (!isxdigit((unsigned char)**at))
		return false;
	errno = 0;
	*value = strtoull(*at, &end, 16);
	*at = end;
	return !errno;
}
