/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process.c - what a process has mapped executable, read from its maps. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/process.h"

#define MAX_MAPPINGS 65536

const char *sym_maps_parse(const char *text, struct sym_mapping *m, bool *code)
{
	char perms[5];
	int path = 0;

	if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64 " %n",
		   &m->start, &m->end, perms, &m->offset, &m->inode, &path) < 5 ||
	    strlen(perms) != 4 || m->start >= m->end)
		return NULL;
	*code = perms[2] == 'x';
	return path ? text + path : "";
}

static int add(struct sym_process *p, size_t *room, const struct sym_mapping *m)
{
	if (array_reserve(&p->maps, room, p->n + 1, sizeof(*m)))
		return -ENOMEM;
	p->maps[p->n++] = *m;
	return 0;
}

/* The same mapping in the snapshot before: its file need not be opened again. */
static const struct sym_mapping *known(const struct sym_process *old, const struct sym_mapping *m)
{
	const struct sym_mapping *o = old ? sym_process_find(old, m->start) : NULL;

	return o && o->start == m->start && o->end == m->end && o->offset == m->offset &&
	       o->inode == m->inode && o->path == m->path ? o : NULL;
}

static void fill(struct symbols *s, uint32_t pid, const struct sym_process *old,
		 const char *path, struct sym_mapping *m)
{
	const struct sym_mapping *o;

	m->path = *path ? sym_intern(&s->names, path, strlen(path)) : 0;
	if (!*path)
		m->bracketed = sym_intern(&s->names, "[anon]", 6);
	else if (*path == '[')	/* [vdso], [vsyscall], [heap], ... */
		m->bracketed = m->path;
	if (*path != '/' || !m->inode)
		return;
	o = known(old, m);
	m->file = o ? o->file : sym_files_open(s, pid, m, path);
	if (o || m->file) {
		m->bracketed = o ? o->bracketed : m->file->bracketed;
	} else {
		struct sym_file nobody = { .fd = -1, .debug_fd = -1 };

		sym_file_name(s, &nobody, path);
		m->bracketed = nobody.bracketed;
		sym_skipped(s, "mapped file", sym_name(&s->names, m->path), -ENOENT);
	}
}

static int read_maps(struct symbols *s, FILE *in, const struct sym_process *old,
		     struct sym_process *fresh)
{
	size_t room = 0, line_room = 0;
	char *text = NULL;
	ssize_t len;
	int err = 0;

	while (!err && (len = getline(&text, &line_room, in)) > 0) {
		struct sym_mapping m = { 0 };
		const char *path;
		bool code;

		if (text[len - 1] == '\n')
			text[len - 1] = '\0';
		path = sym_maps_parse(text, &m, &code);
		if (!path || !code)
			continue;
		if (fresh->n == MAX_MAPPINGS) {
			sym_skipped(s, "mappings of a process beyond", "65536", -E2BIG);
			break;
		}
		m.vdso = !strcmp(path, "[vdso]");
		if (m.vdso)
			fresh->vdso = m.start;
		fill(s, fresh->pid, old, path, &m);
		err = add(fresh, &room, &m);
	}
	if (!err && ferror(in))
		err = errno == ESRCH || errno == EACCES || errno == ENOMEM ? -errno : -ESRCH;
	free(text);
	return err;
}

int sym_process_read(struct symbols *s, uint32_t pid, const struct sym_process *old,
		     struct sym_process *fresh)
{
	char path[64];
	struct stat exe;
	FILE *in;
	int err;

	*fresh = (struct sym_process){ .pid = pid };
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", pid);
	if (!stat(path, &exe)) {
		fresh->exe_dev = exe.st_dev;
		fresh->exe_inode = exe.st_ino;
	}
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", pid);
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT ? -ESRCH : -errno;
	err = read_maps(s, in, old, fresh);
	fclose(in);
	/* A process that has ended shows an empty file. */
	if (!err && !fresh->n)
		err = -ESRCH;
	if (err)
		free(fresh->maps);
	return err;
}

static bool ends_before(const void *mapping, const void *address)
{
	return ((const struct sym_mapping *)mapping)->end <= *(const uint64_t *)address;
}

/* The first mapping that ends behind the address. */
static size_t first_behind(const struct sym_process *p, uint64_t address)
{
	return array_lower_bound(p->maps, p->n, sizeof(*p->maps), ends_before, &address);
}

const struct sym_mapping *sym_process_find(const struct sym_process *p, uint64_t address)
{
	size_t i = first_behind(p, address);

	return i < p->n && p->maps[i].start <= address ? &p->maps[i] : NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct sym_mapping *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

int sym_process_merge(struct sym_process *fresh, const struct sym_process *old)
{
	size_t n = fresh->n, room = fresh->n;
	struct sym_process now = { .maps = fresh->maps, .n = n };

	for (size_t i = 0; i < old->n && fresh->n < MAX_MAPPINGS; i++) {
		const struct sym_mapping *m = &old->maps[i];
		size_t next = first_behind(&now, m->start);

		/* Nameless memory has nothing to tell. */
		if (!m->file || (next < n && now.maps[next].start < m->end))
			continue;
		if (add(fresh, &room, m))
			return -ENOMEM;
		now.maps = fresh->maps;
	}
	if (fresh->n > n)
		qsort(fresh->maps, fresh->n, sizeof(*fresh->maps), by_start);
	return 0;
}
