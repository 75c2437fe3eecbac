/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process.h - what stands behind symbols.h: processes, what they have mapped, the mapped files. */
#ifndef EPOLLSCOPE_SYM_PROCESS_H
#define EPOLLSCOPE_SYM_PROCESS_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/map.h"
#include "symbols/elf.h"

struct symbols {
	struct symbols_options options;
	struct sym_names names;
	struct sym_table kernel;
	bool kernel_read;
	uint64_t at_ns;		/* symbols_at() */
	uint64_t bytes;		/* of all tables, the kernel's and JITs' too */
	uint64_t skipped;	/* files and maps that were refused or could not be read */

	struct sym_file **files;
	size_t n_files, files_room;
	size_t held, most_held;	/* open ones */
	struct cfi *vdso;	/* our own: every 64-bit process has the same */
	bool vdso_asked;

	struct sym_process **processes;	/* of each pid the newest */
	size_t n_processes, processes_room;
	struct map by_pid;
};

/* What was skipped, and why: err is a negative errno. */
void sym_skipped(struct symbols *s, const char *what, const char *name, int err);
/* How many bytes a table may still have; not 0. */
uint64_t sym_budget(const struct symbols *s);

/* --- files: opened without waiting for anything, kept until their symbols were read --- */

struct sym_file {
	dev_t dev;
	ino_t inode;
	off_t size;
	struct timespec changed;	/* an inode may be used again */
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

struct sym_mapping {
	uint64_t start, end;
	uint64_t offset;	/* in the file */
	uint64_t inode;		/* 0: no file */
	uint32_t path;		/* interned, "" is 0 */
	struct sym_file *file;	/* NULL: none, or it could not be opened */
	bool vdso;
	uint32_t bracketed;	/* what its addresses are called without a symbol */
};

/*
 * The file behind a mapping of a living process, NULL if it can't be had. `path` is as maps shows
 * it. Opens it by the mapping itself, or else by its path in the process's own root, where it must
 * have the mapping's inode.
 */
struct sym_file *sym_files_open(struct symbols *s, uint32_t pid, const struct sym_mapping *m,
				const char *path);

void sym_files_free(struct symbols *s);

/* Interns the names of a file by its path in maps, which marks those that are deleted. */
void sym_file_name(struct symbols *s, struct sym_file *file, const char *path);
/* Reads its symbols, if that was not done before, and closes it. */
void sym_file_load(struct symbols *s, struct sym_file *file);

/* Its call-frame information, NULL if it has none. Of a file, ask before its symbols are read. */
struct cfi *sym_file_cfi(struct symbols *s, struct sym_file *file);
struct cfi *sym_vdso_cfi(struct symbols *s);

/*
 * A regular file of this name in the root of a process, to be read: never a FIFO or a device, and
 * nothing outside that root, whatever the links say. A descriptor or a negative errno.
 */
int sym_open_in_root(uint32_t pid, const char *path);
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
int sym_debuglink_open(struct symbols *s, uint32_t pid, int file, const char *path,
		       uint32_t *crc);
/* Adds its functions. 0, -EINVAL: another CRC, or malformed; or a negative errno. */
int sym_debuglink_load(int fd, uint32_t crc, struct sym_table *table);

/* --- perf maps --- */

struct sym_jit {
	int fd;
	off_t read;		/* size when it was read */
	bool stale;
	struct sym_table table;
	uint32_t pid;		/* for notes */
};

/* The perf map of a living process, NULL if it has none that can be trusted. */
struct sym_jit *sym_jit_open(struct symbols *s, uint32_t pid);
void sym_jit_free(struct sym_jit *jit);
/* The symbol that covers the address, read when it is asked for. */
struct sym_entry *sym_jit_find(struct symbols *s, struct sym_jit *jit, uint64_t address);

/* --- a process --- */

struct sym_process {
	struct sym_process *older;	/* that had the same pid */
	uint32_t pid;
	uint64_t start_time;	/* 0: not known, it ended too early */
	uint64_t since_ns;	/* CLOCK_MONOTONIC; 0: as long as it is known */
	struct sym_mapping *maps;	/* executable ones, by start, none overlaps another */
	size_t n;
	dev_t exe_dev;
	ino_t exe_inode;
	uint64_t vdso;		/* where it is: moves with every exec */
	struct sym_jit *jit;	/* NULL without one */
	bool jit_refused;	/* it was looked at, and noted */
};

/* Reads the mappings of a process into a new snapshot. 0, -ESRCH, -EACCES, -ENOMEM. */
int sym_process_read(struct symbols *s, uint32_t pid, const struct sym_process *old,
		     struct sym_process *fresh);
/* Adds to a fresh snapshot what an older one of the same process knew. 0 or -ENOMEM. */
int sym_process_merge(struct sym_process *fresh, const struct sym_process *old);
const struct sym_mapping *sym_process_find(const struct sym_process *p, uint64_t address);

/*
 * One line of maps, terminated, without its newline: its path, "" without one; NULL if it is
 * malformed. Of *m it fills the numbers.
 */
const char *sym_maps_parse(const char *text, struct sym_mapping *m, bool *code);

void sym_processes_free(struct symbols *s);

/* The process of that pid at a time (CLOCK_MONOTONIC; 0: the newest), or NULL. */
struct sym_process *sym_processes_find(const struct symbols *s, uint32_t pid, uint64_t time_ns);

#endif
