/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process.h - what processes have mapped. */
#ifndef EPOLLSCOPE_SYM_PROCESS_H
#define EPOLLSCOPE_SYM_PROCESS_H

#include "base/map.h"
#include "symbols/files.h"

struct sym_mapping {
	uint64_t start, end;
	uint64_t offset;	/* in the file */
	uint64_t inode;		/* 0: no file */
	uint32_t path;		/* interned, "" is 0 */
	struct sym_file *file;	/* NULL: none, or it could not be opened */
	bool vdso;
	uint32_t bracketed;	/* what its addresses are called without a symbol */
};

/* --- perf maps --- */

struct sym_jit {
	int fd;
	off_t read;		/* size when it was read */
	bool stale;
	struct sym_table table;
	uint32_t pid;		/* for notes */
};

/* The perf map of a living process, NULL if it has none that can be trusted. */
struct sym_jit *sym_jit_open(struct sym_files *files, uint32_t pid);
void sym_jit_free(struct sym_jit *jit);
/* The symbol that covers the address, read when it is asked for. */
struct sym_entry *sym_jit_find(struct sym_files *files, struct sym_jit *jit, uint64_t address);

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
int sym_process_read(struct sym_files *files, uint32_t pid, const struct sym_process *old,
		     struct sym_process *fresh);
/* Adds to a fresh snapshot what an older one of the same process knew. 0 or -ENOMEM. */
int sym_process_merge(struct sym_process *fresh, const struct sym_process *old);
const struct sym_mapping *sym_process_find(const struct sym_process *p, uint64_t address);

/* One line of maps, terminated, without its newline. */
struct sym_maps_line {
	uint64_t start, end, offset, inode;
	bool code;
	const char *path;	/* in the line */
};
bool sym_maps_parse(const char *text, struct sym_maps_line *line);

/* --- all that are known --- */

struct sym_processes {
	struct sym_files *files;
	struct sym_process **list;	/* of each pid the newest */
	size_t n, room;
	struct map by_pid;
};

void sym_processes_free(struct sym_processes *s);

/* What symbols_add_process(), _refresh(), _add_child() and _add_exec() say in symbols.h. */
int sym_processes_add(struct sym_processes *s, uint32_t pid);
int sym_processes_refresh(struct sym_processes *s, uint32_t pid);
int sym_processes_fork(struct sym_processes *s, uint32_t parent, uint32_t pid, uint64_t fork_ns);
int sym_processes_exec(struct sym_processes *s, uint32_t pid, uint64_t exec_ns);

/* The process of that pid at a time (CLOCK_MONOTONIC; 0: the newest), or NULL. */
struct sym_process *sym_processes_find(const struct sym_processes *s, uint32_t pid,
				       uint64_t time_ns);

#endif
