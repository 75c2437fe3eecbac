/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * listings.c - lists of symbols that are text: the kernel's, and perf maps, by which a runtime
 * names the code that it made: /tmp/perf-PID.map of its own root and its own pid namespace, written
 * by its own user. /tmp is everybody's: a file of somebody else, or one that others may write,
 * could put any words into a report.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "symbols/process.h"

/* No function is longer; what lies further behind the last symbol is something else. */
#define FARTHEST (1u << 20)
#define NAME_MAX_LEN 512
#define MAX_KALLSYMS (256u << 20)
#define MAX_PERF_MAP (64u << 20)

/*
 * What a file has from its start, at most `most` bytes: files in /proc do not know their size.
 * free() *text, also when it fails. 0 or a negative errno.
 */
static int read_text(int fd, size_t most, char **text, size_t *len)
{
	size_t room = 0;
	ssize_t got = 1;

	*text = NULL;
	*len = 0;
	while (got > 0 && *len < most) {
		if (array_reserve(text, &room, *len + (64 << 10), 1))
			return -ENOMEM;
		got = pread(fd, *text + *len, room - *len < most - *len ? room - *len : most - *len,
			    (off_t)*len);
		if (got > 0)
			*len += (size_t)got;
	}
	return got < 0 ? -errno : 0;
}

/* --- the kernel's --- */

/* Data, and the mark behind the last function, are no functions. */
static bool is_function(char letter, const char *name, size_t len)
{
	static const char etext[] = "_etext";

	return letter && strchr("tTwW", letter) &&
	       (len != strlen(etext) || memcmp(name, etext, len));
}

/* An address, a letter, a name, perhaps a tab and a module in brackets: so they are kept. */
static int add_symbol(struct sym_table *t, const char *at, const char *end, uint32_t *rank,
		      bool *hidden)
{
	uint64_t address;
	const char *name;
	size_t len;

	if (!sym_hex(&at, &address) || end - at < 4 || at[0] != ' ' || at[2] != ' ')
		return 0;
	name = at + 3;
	len = (size_t)(end - name);
	*hidden |= !address;
	if (len >= NAME_MAX_LEN || !address || !*rank)
		return 0;
	/* Of several names for one address the kernel itself uses the first. */
	return sym_table_add(t, address, FARTHEST, name, is_function(at[1], name, len) ? len : 0,
			     --*rank);
}

int sym_kernel_read(const char *text, size_t len, struct sym_table *t)
{
	const char *at = text, *end = text + len, *newline;
	uint32_t rank = SYM_RANK_SIZED;
	bool hidden = false;
	int err = 0;

	while (!err && at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		err = add_symbol(t, at, newline, &rank, &hidden);
		at = newline + 1;
	}
	return !err && hidden && !t->n ? -EACCES : err;
}

int sym_kernel_load(const char *path, struct sym_table *t)
{
	int err, fd = open(path ? path : "/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	char *text;
	size_t len;

	if (fd < 0)
		return -errno;
	err = read_text(fd, MAX_KALLSYMS, &text, &len);
	close(fd);
	if (!err)
		err = sym_kernel_read(text, len, t);
	free(text);
	/* In half a table one function would reach over others. */
	if (err)
		sym_table_free(t);
	sym_table_finish(t);
	return err;
}

/* --- perf maps --- */

static bool blank(const char **at)
{
	size_t n = strspn(*at, " \t");

	*at += n;
	return n;
}

static bool parse_code(const char *at, const char *end, uint64_t *start, uint64_t *size,
		       const char **name)
{
	if (!sym_hex(&at, start) || !blank(&at) || !sym_hex(&at, size) || !blank(&at))
		return false;
	*name = at;
	return at < end && *size && *size <= UINT32_MAX && *start + *size > *start;
}

/* Code moves and its memory is used again: the later line is right. */
uint64_t sym_jit_read(const char *text, size_t len, struct sym_table *t, int *err)
{
	const char *at = text, *end = text + len, *newline;
	uint64_t refused = 0;
	uint32_t line = 0;

	t->newest_wins = true;
	*err = 0;
	while (!*err && at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		uint64_t start, size;
		const char *name;

		if (parse_code(at, newline, &start, &size, &name))
			*err = sym_table_add(t, start, size, name, (size_t)(newline - name),
					     ++line);
		else
			refused++;
		at = newline + 1;
	}
	return refused;
}

struct owner {
	uint32_t real, effective;	/* users */
	uint32_t pid;			/* in its innermost namespace */
};

/* A failed read of a status file looks like one that lacks the lines. */
static int read_owner(uint32_t pid, struct owner *owner)
{
	char path[64], line[1024];
	bool uid = false;
	FILE *in;

	*owner = (struct owner){ .pid = pid };
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/status", pid);
	in = fopen(path, "re");
	if (!in)
		return -ESRCH;
	/* Names have their newlines escaped there: a line is what it says. */
	while (fgets(line, sizeof(line), in)) {
		const char *last;

		if (sscanf(line, "Uid: %" SCNu32 " %" SCNu32, &owner->real, &owner->effective) == 2)
			uid = true;
		last = strrchr(line, '\t');
		if (!strncmp(line, "NSpid:", 6) && last)
			owner->pid = (uint32_t)strtoul(last + 1, NULL, 10);
	}
	fclose(in);
	return uid ? 0 : -ESRCH;
}

static int check_owner(int fd, const struct owner *owner)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_uid && st.st_uid != owner->real && st.st_uid != owner->effective)
		return -EPERM;
	return st.st_mode & S_IWOTH ? -EPERM : 0;
}

struct sym_jit *sym_jit_open(struct symbols *s, uint32_t pid)
{
	struct sym_jit *jit = NULL;
	struct owner owner;
	char name[64];
	int fd, err;

	if (read_owner(pid, &owner))
		return NULL;
	snprintf(name, sizeof(name), "/tmp/perf-%" PRIu32 ".map", owner.pid);
	fd = sym_open_in_root(pid, name);
	err = fd < 0 ? fd : check_owner(fd, &owner);
	if (!err)
		jit = calloc(1, sizeof(*jit));
	if (jit) {
		jit->fd = fd;
		jit->pid = owner.pid;
		jit->stale = true;
		return jit;
	}
	if (fd >= 0)
		close(fd);
	if (err && err != -ENOENT && err != -ENOTDIR && err != -ESRCH)
		sym_skipped(s, "perf map", name, err == -ELOOP ? -EMEDIUMTYPE : err);
	return NULL;
}

void sym_jit_free(struct sym_jit *jit)
{
	if (!jit)
		return;
	close(jit->fd);
	sym_table_free(&jit->table);
	free(jit);
}

/* Reads the whole map again: runtimes add lines for as long as they live. */
static void read_map(struct symbols *s, struct sym_jit *jit, off_t size)
{
	uint64_t refused;
	char name[64], *text;
	size_t len;
	int err;

	snprintf(name, sizeof(name), "/tmp/perf-%" PRIu32 ".map", jit->pid);
	jit->read = size;
	if (read_text(jit->fd, size > MAX_PERF_MAP ? MAX_PERF_MAP : (size_t)size, &text, &len)) {
		free(text);
		sym_skipped(s, "perf map", name, -EIO);
		return;
	}
	s->bytes -= sym_table_bytes(&jit->table);
	sym_table_free(&jit->table);
	jit->table.max_bytes = sym_budget(s);
	refused = sym_jit_read(text, len, &jit->table, &err);
	free(text);
	sym_table_finish(&jit->table);
	s->bytes += sym_table_bytes(&jit->table);
	if (err || refused || size > MAX_PERF_MAP)
		sym_skipped(s, "a part of perf map", name,
			    err ? err : refused ? -EINVAL : -E2BIG);
}

struct sym_entry *sym_jit_find(struct symbols *s, struct sym_jit *jit, uint64_t address)
{
	struct stat st;

	if (jit->stale) {
		jit->stale = false;
		if (!fstat(jit->fd, &st) && st.st_size != jit->read)
			read_map(s, jit, st.st_size);
	}
	return sym_table_find(&jit->table, address);
}
