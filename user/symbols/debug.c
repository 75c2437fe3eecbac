/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* debug.c - separate debug files, found by the build-id of the file that they belong to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "symbols/process.h"

/* DIR/.build-id/12/3456789.debug, or without the ending: a file with its symbols. */
static int open_debug(const char *dir, const uint8_t *id, unsigned len)
{
	static const char *const endings[] = { ".debug", "" };
	char path[4096], hex[2 * BUILD_ID_MAX + 1];
	int fd = -ENOENT;

	for (unsigned i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	for (unsigned i = 0; i < 2 && fd == -ENOENT; i++) {
		snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s%s", dir, hex, hex + 2,
			 endings[i]);
		fd = sym_open_regular(path);
	}
	return fd;
}

int sym_debug_load(const char *dir, const uint8_t *id, unsigned len, struct sym_table *table)
{
	struct sym_object debug = { 0 };
	Elf *handle = NULL;
	bool found;
	int fd, err;

	if (len < 2)
		return 0;
	fd = open_debug(dir ? dir : "/usr/lib/debug", id, len);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = sym_elf_begin(fd, &handle);
	if (!err)
		err = sym_elf_head(handle, &debug);
	if (!err && (debug.build_id_len != len || memcmp(debug.build_id, id, len)))
		err = -EINVAL;
	if (!err)
		err = sym_elf_symtab(handle, table, &found);
	elf_end(handle);
	sym_object_free(&debug);
	close(fd);
	return err;
}
