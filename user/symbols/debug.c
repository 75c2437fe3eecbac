/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * debug.c - separate debug files: found by the build-id of the file that they belong to, or by the
 * name that an ELF file gives (.gnu_debuglink): beside it, in .debug/ there, and in its folder
 * below the debug directory. The name and all that lies there are the target's: a name with a slash
 * is none, files are looked for in its own root, only regular ones are opened, and one that has not
 * the CRC is of another build.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "symbols/process.h"

#define MAX_DEBUG_FILE (2ull << 30)	/* whose CRC is worth the time */
#define PIECE (256u << 10)
#define DEBUG_DIR "/usr/lib/debug"

/* --- by build-id --- */

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

/* Its .symtab, if it is of this build-id or none is asked for. */
static int add_symtab(int fd, const uint8_t *id, unsigned len, struct sym_table *table)
{
	struct sym_object debug = { 0 };
	Elf *handle = NULL;
	int err = sym_elf_begin(fd, &handle);

	if (!err && id)
		err = sym_elf_head(handle, &debug);
	if (!err && id && (debug.build_id_len != len || memcmp(debug.build_id, id, len)))
		err = -EINVAL;
	if (!err)
		err = sym_elf_symtab(handle, table);
	elf_end(handle);
	sym_object_free(&debug);
	return err;
}

int sym_debug_load(const char *dir, const uint8_t *id, unsigned len, struct sym_table *table)
{
	int fd, err;

	if (len < 2)
		return 0;
	fd = open_debug(dir ? dir : DEBUG_DIR, id, len);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = add_symtab(fd, id, len, table);
	close(fd);
	return err;
}

/* --- by name --- */

/* The name, NUL, zeros to a multiple of four, the CRC. */
static const char *read_link(Elf *elf, uint32_t *crc)
{
	Elf_Data *data = sym_elf_data(sym_elf_section(elf, ".gnu_debuglink"));
	const char *name = data ? data->d_buf : NULL;
	size_t len = name ? strnlen(name, data->d_size) : 0, at = (len + 4) & ~(size_t)3;

	if (!len || at + sizeof(*crc) > data->d_size || memchr(name, '/', len))
		return NULL;
	memcpy(crc, name + at, sizeof(*crc));
	return name;
}

static bool is_missing(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP;
}

/* A file may be its own debug file by name. */
static bool is_other(int fd, const struct stat *of)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_dev != of->st_dev || st.st_ino != of->st_ino);
}

/* The first that is there, in the order of gdb. Its path is left in `path`. */
static int open_link(const char *debug_dir, uint32_t pid, const char *dir, int dir_len,
		     const char *name, const struct stat *of, char path[4096])
{
	static const struct {
		const char *before, *between;
	} places[] = { { "", "/" }, { "", "/.debug/" }, { DEBUG_DIR, "/" }, { NULL, "/" } };
	int fd = -ENOENT;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && is_missing(fd); i++) {
		const char *before = places[i].before ? places[i].before :
				     debug_dir ? debug_dir : DEBUG_DIR;

		if (snprintf(path, 4096, "%s%.*s%s%s", before, dir_len, dir, places[i].between,
			     name) >= 4096)
			continue;
		/* The last is ours, and not the target's. */
		fd = places[i].before ? sym_open_in_root(pid, path) : sym_open_regular(path);
		if (fd >= 0 && !is_other(fd, of)) {
			close(fd);
			fd = -ENOENT;
		}
	}
	return fd;
}

int sym_debuglink_open(struct symbols *s, uint32_t pid, int file, const char *path,
		       uint32_t *crc)
{
	const char *name, *slash = strrchr(path, '/');
	char tried[4096] = "";
	Elf *elf = NULL;
	struct stat st;
	int fd = -ENOENT;

	if (!slash || fstat(file, &st) || sym_elf_begin(file, &elf))
		return -1;
	name = read_link(elf, crc);
	if (name)
		fd = open_link(s->options.debug_dir, pid, path, (int)(slash - path), name, &st,
			       tried);
	elf_end(elf);
	if (fd < 0 && !is_missing(fd))
		sym_skipped(s, "debug file", tried, fd);
	return fd < 0 ? -1 : fd;
}

static int check_crc(int fd, uint32_t expected)
{
	uint8_t *piece;
	uLong crc = crc32(0, NULL, 0);
	struct stat st;
	ssize_t got = 1;
	off_t at = 0;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size > (off_t)MAX_DEBUG_FILE)
		return -E2BIG;
	piece = malloc(PIECE);
	if (!piece)
		return -ENOMEM;
	/* One that grows meanwhile is not read for ever. */
	for (; got > 0 && at < (off_t)MAX_DEBUG_FILE; at += got > 0 ? got : 0) {
		got = pread(fd, piece, PIECE, at);
		if (got > 0)
			crc = crc32(crc, piece, (uInt)got);
	}
	free(piece);
	return got < 0 ? -EIO : crc != expected ? -EINVAL : 0;
}

int sym_debuglink_load(int fd, uint32_t crc, struct sym_table *table)
{
	int err = check_crc(fd, crc);

	return err ? err : add_symtab(fd, NULL, 0, table);
}
