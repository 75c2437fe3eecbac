/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.h - the files that processes map: opened, kept, read. */
#ifndef EPOLLSCOPE_SYM_FILES_H
#define EPOLLSCOPE_SYM_FILES_H

#include <sys/stat.h>
#include <sys/types.h>

#include "symbols/elf.h"
#include "symbols/names.h"

struct sym_mapping;	/* process.h */

/* --- files: opened without waiting for anything, kept until their symbols were read --- */

struct sym_identity {
	dev_t dev;
	ino_t inode;
	off_t size;
	struct timespec changed;	/* an inode may be used again */
};

struct sym_file {
	struct sym_identity id;
	int fd;			/* -1 once it was read */
	int debug_fd;		/* the debug file that it names, -1: none or read */
	uint32_t debug_crc;
	bool loaded;
	uint32_t path;		/* interned */
	uint32_t object;	/* its base name, interned */
	uint32_t bracketed;	/* "[base name]" */
	struct sym_object elf;
	struct cfi *cfi;	/* NULL: not asked for yet, or it has none */
	bool cfi_asked;
};

/* All of them, and where notes go. */
struct sym_files {
	const struct symbols_options *options;
	struct sym_names *names;
	struct sym_file **list;
	size_t n, room;
	size_t held;		/* open ones */
	size_t most_held;
	uint64_t bytes;		/* of all tables, the kernel's and JITs' too */
	uint64_t skipped;	/* files and maps that were refused or could not be read */
	struct cfi *vdso;	/* our own: every 64-bit process has the same */
	bool vdso_asked;
};

int sym_files_init(struct sym_files *files, const struct symbols_options *options,
		   struct sym_names *names);
void sym_files_free(struct sym_files *files);

/*
 * The file behind a mapping of a living process, NULL if it can't be had. `path` is as maps shows
 * it. Opens it by the mapping itself, or else by its path in the process's own root, where it must
 * have the mapping's inode.
 */
struct sym_file *sym_files_open(struct sym_files *files, uint32_t pid, const struct sym_mapping *m,
				const char *path);

/* Interns the names of a file by its path in maps, which marks those that are deleted. */
void sym_file_name(struct sym_files *files, struct sym_file *file, const char *path);
/* Reads its symbols, if that was not done before, and closes it. */
void sym_file_load(struct sym_files *files, struct sym_file *file);

/* Its call-frame information, NULL if it has none. Of a file, ask before its symbols are read. */
struct cfi *sym_file_cfi(struct sym_files *files, struct sym_file *file);
struct cfi *sym_vdso_cfi(struct sym_files *files);

/* What was skipped, and why: err is a negative errno. */
void sym_skipped(struct sym_files *files, const char *what, const char *name, int err);
/* How many bytes a table may still have; not 0. */
uint64_t sym_files_budget(const struct sym_files *files);

/*
 * A regular file of this name below a directory, to be read: never a FIFO or a device, and nothing
 * outside the directory, whatever the links say. A descriptor or a negative errno.
 */
int sym_open_below(int directory, const char *path);
int sym_open_root(uint32_t pid);
/* The same for a name of our own; links are followed. */
int sym_open_regular(const char *path);

/*
 * Adds the functions of the debug file of this build-id in a directory as /usr/lib/debug (NULL).
 * 0, also if there is no such file; -EINVAL if it is of another build; or a negative errno.
 */
int sym_debug_load(const char *dir, const uint8_t *id, unsigned len, struct sym_table *table);

/*
 * The debug file that a living process's file names, opened for later: a descriptor, and the CRC
 * that it should have, or -1. `path` is as in maps.
 */
int sym_debuglink_open(struct sym_files *files, uint32_t pid, int file, const char *path,
		       uint32_t *crc);
/* Adds its functions. 0, -EINVAL: another CRC, or malformed; or a negative errno. */
int sym_debuglink_load(int fd, uint32_t crc, struct sym_table *table);

#endif
