/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kernel.c - the kernel's symbols, as /proc/kallsyms lists them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "symbols/table.h"

/* No function is longer; what lies further behind the last symbol is something else. */
#define FARTHEST (1u << 20)
#define NAME_MAX_LEN 512
#define MAX_TEXT (256u << 20)

/* What a line says: an address, a letter, a name, perhaps a module. */
struct line {
	uint64_t address;
	char letter;
	const char *name;
	size_t name_len;
	const char *module;	/* with its brackets */
	size_t module_len;
};

static bool parse_line(const char *at, const char *end, struct line *l)
{
	const char *tab;

	if (!sym_hex(&at, &l->address) || end - at < 4 || at[0] != ' ' || at[2] != ' ')
		return false;
	l->letter = at[1];
	l->name = at + 3;
	tab = memchr(l->name, '\t', (size_t)(end - l->name));
	l->name_len = (size_t)((tab ? tab : end) - l->name);
	l->module = tab ? tab + 1 : end;
	l->module_len = (size_t)(end - l->module);
	return l->name_len && l->name_len + l->module_len + 1 < NAME_MAX_LEN;
}

/* Data, and the mark behind the last function, are no functions. */
static bool names_code(const struct line *l)
{
	static const char etext[] = "_etext";

	return strchr("tTwW", l->letter) && l->letter &&
	       !(l->name_len == sizeof(etext) - 1 && !memcmp(l->name, etext, l->name_len));
}

static int add_line(struct sym_table *t, const struct line *l, uint32_t rank)
{
	char name[NAME_MAX_LEN];
	size_t len = 0;

	if (names_code(l)) {
		len = l->name_len;
		memcpy(name, l->name, len);
		if (l->module_len) {
			name[len++] = '\t';
			memcpy(name + len, l->module, l->module_len);
			len += l->module_len;
		}
	}
	return sym_table_add(t, l->address, FARTHEST, name, len, rank);
}

int sym_kernel_read(const char *text, size_t len, struct sym_table *t)
{
	const char *at = text, *end = text + len, *newline;
	uint32_t rank = SYM_RANK_SIZED;
	bool hidden = false;
	int err = 0;

	while (!err && at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		struct line l;

		/* Of several names for one address the kernel itself uses the first. */
		if (parse_line(at, newline, &l)) {
			if (l.address && rank)
				err = add_line(t, &l, --rank);
			hidden = !l.address || hidden;
		}
		at = newline + 1;
	}
	return !err && hidden && !t->n ? -EACCES : err;
}

int sym_kernel_load(const char *path, struct sym_table *t)
{
	size_t len = 0, room = 0;
	char *text = NULL;
	ssize_t got = 1;
	int err = 0, fd = open(path ? path : "/proc/kallsyms", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* The file does not know its size. */
	while (!err && got > 0 && len < MAX_TEXT) {
		err = array_reserve(&text, &room, len + (1 << 20), 1);
		if (err)
			break;
		got = read(fd, text + len, room - len);
		if (got < 0)
			err = -errno;
		else
			len += (size_t)got;
	}
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
