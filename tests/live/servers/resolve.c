/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * resolve.c - user/symbols/symbols.h by hand: a line in, a line out. Notes go to stderr.
 *
 *	add PID			0 or a negative errno
 *	child PARENT PID	the same
 *	user PID ADDRESS	KIND OBJECT NAME, KIND is none, kernel, user or jit
 *	kernel ADDRESS		the same
 *	place PID ADDRESS	BUILD-ID VADDR PATH
 *	heap			bytes that are allocated
 *	time PID FROM TO COUNT	nanoseconds for the first address, for COUNT more, how many had names
 *
 * SYMBOLS_DEBUG is the folder of separate debug files, SYMBOLS_BYTES the most that tables may have.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "symbols/symbols.h"

static void note(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "note: %s\n", text);
}

static void show(const struct symbol *symbol)
{
	static const char *const kinds[] = { "none", "kernel", "user", "jit" };

	printf("%s %s %s%s\n", kinds[symbol->kind], symbol->object, symbol->name,
	       symbols_suffix(symbol));
}

static void show_place(struct symbols *s, uint32_t pid, uint64_t address)
{
	struct symbol_place place;
	int err = symbols_place(s, pid, address, &place);

	if (err) {
		printf("%d\n", err);
		return;
	}
	for (unsigned i = 0; i < place.build_id_len; i++)
		printf("%02x", place.build_id[i]);
	printf("%s %" PRIx64 " %s\n", place.build_id_len ? "" : "-", place.vaddr, place.path);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Addresses all over the code of the process's program. */
static void show_time(struct symbols *s, uint32_t pid, uint64_t from, uint64_t to, unsigned count)
{
	uint64_t begin = now_ns(), loaded;
	unsigned found = 0;
	struct symbol symbol;

	symbols_user(s, pid, from, &symbol);
	loaded = now_ns();
	for (unsigned i = 0; i < count; i++)
		found += symbols_user(s, pid, from + (to - from) / count * i, &symbol);
	printf("%" PRIu64 " %" PRIu64 " %u\n", loaded - begin, now_ns() - loaded, found);
}

static void obey(struct symbols *s, const char *line)
{
	uint32_t pid, other;
	uint64_t address, to;
	unsigned count;
	struct symbol symbol;

	if (sscanf(line, "add %" SCNu32, &pid) == 1) {
		printf("%d\n", symbols_add_process(s, pid));
	} else if (sscanf(line, "child %" SCNu32 " %" SCNu32, &pid, &other) == 2) {
		printf("%d\n", symbols_add_child(s, pid, other, 0));
	} else if (sscanf(line, "user %" SCNu32 " %" SCNx64, &pid, &address) == 2) {
		symbols_user(s, pid, address, &symbol);
		show(&symbol);
	} else if (sscanf(line, "kernel %" SCNx64, &address) == 1) {
		symbols_kernel(s, address, &symbol);
		show(&symbol);
	} else if (sscanf(line, "place %" SCNu32 " %" SCNx64, &pid, &address) == 2) {
		show_place(s, pid, address);
	} else if (sscanf(line, "time %" SCNu32 " %" SCNx64 " %" SCNx64 " %u", &pid, &address, &to,
			  &count) == 4) {
		show_time(s, pid, address, to, count);
	} else if (!strcmp(line, "heap\n")) {
		printf("%zu\n", mallinfo2().uordblks);
	} else {
		printf("what? %s", line);
	}
	fflush(stdout);
}

int main(void)
{
	const char *bytes = getenv("SYMBOLS_BYTES");
	struct symbols_options options = {
		.debug_dir = getenv("SYMBOLS_DEBUG"),
		.max_bytes = bytes ? strtoull(bytes, NULL, 10) : 0,
		.note = note,
	};
	struct symbols *s = symbols_new(&options);
	char line[256];

	while (s && fgets(line, sizeof(line), stdin))
		obey(s, line);
	symbols_free(s);
	return s ? 0 : 1;
}
