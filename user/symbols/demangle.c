/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * demangle.c - readable names of C++ and Rust functions, by GCC's own libiberty, which knows
 * both of Rust's manglings too.
 */
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <string.h>

#include "symbols/names.h"

#define MANGLED_MAX 4096	/* the demangler's stack grows with its input */

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
