/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * jit.c - perf maps, by which a runtime names the code that it made: /tmp/perf-PID.map of its own root
 * and its own pid namespace, written by its own user. /tmp is everybody's: a file of somebody else, or
 * one that others may write, could put any words into a report.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols/process.h"

#define MAX_MAP (64u << 20)

static bool blank(const char **at, const char *end)
{
	const char *p = *at;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == *at)
		return false;
	*at = p;
	return true;
}

static bool parse_line(const char *at, const char *end, uint64_t *start, uint64_t *size,
		       const char **name)
{
	if (!sym_hex(&at, start) || !blank(&at, end) || !sym_hex(&at, size) || !blank(&at, end))
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

		if (parse_line(at, newline, &start, &size, &name))
			*err = sym_table_add(t, start, size, name, (size_t)(newline - name), ++line);
		else
			refused++;
		at = newline + 1;
	}
	return refused;
}

/* --- the map of a process --- */

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

/* The first len bytes of a file, or fewer; free() it. NULL without memory or if it can't be read. */
static char *read_start(int fd, size_t *len)
{
	char *text = malloc(*len ? *len : 1);
	size_t have = 0;
	ssize_t got = 1;

	while (text && have < *len && got > 0) {
		got = pread(fd, text + have, *len - have, (off_t)have);
		if (got > 0)
			have += (size_t)got;
	}
	*len = have;
	if (got >= 0)
		return text;
	free(text);
	return NULL;
}

/* Reads the whole map again: runtimes add lines for as long as they live. */
static void read_map(struct symbols *s, struct sym_jit *jit, off_t size)
{
	size_t len = size > MAX_MAP ? MAX_MAP : (size_t)size;
	uint64_t refused;
	char name[64], *text = read_start(jit->fd, &len);
	int err;

	snprintf(name, sizeof(name), "/tmp/perf-%" PRIu32 ".map", jit->pid);
	jit->read = size;
	if (!text) {
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
	if (err || refused || size > MAX_MAP)
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
