/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * proc.h - what /proc says about processes. Anything may vanish between two calls: then a function
 * returns -ESRCH. Names are raw bytes, as hostile as their owner likes.
 */
#ifndef EPOLLSCOPE_PROC_H
#define EPOLLSCOPE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROC_COMM_LEN 16	/* with its NUL; longer names of kernel threads are cut */

struct proc_stat {
	uint32_t pid;		/* of the task that was asked for */
	uint32_t ppid;
	uint32_t threads;	/* 0 once it is gone */
	char state;		/* R, S, D, T, Z, X, ... */
	bool kernel;		/* a kernel thread */
	uint64_t start_time;	/* clock ticks since boot */
	char comm[PROC_COMM_LEN];
};

/* Parses the text of a stat file, up to len bytes. 0 or -EINVAL. */
int proc_parse_stat(const char *text, size_t len, struct proc_stat *st);

/* Of any task, thread or process. 0, -ESRCH, -EACCES or another negative errno. */
int proc_stat(uint32_t pid, struct proc_stat *st);

/* Ended, waiting for its parent. A process whose first thread ended while others run is not. */
bool proc_is_zombie(const struct proc_stat *st);
bool proc_runs(uint32_t pid);	/* it is there and no zombie */

/* CPU time of all its threads so far, ended ones too; 0 if it is not there. Takes no privilege. */
uint64_t proc_cpu_ns(uint32_t pid);

/* The text of a small file, terminated. Returns its length, 0 if it can't be read. */
size_t proc_text(const char *path, char *text, size_t room);

/* The process that a task belongs to. */
int proc_tgid(uint32_t tid, uint32_t *tgid);

/* Path of the executable, cut to fit, terminated; "" and a negative errno if it is not known. */
int proc_exe(uint32_t pid, char *path, size_t len);

/* All processes, the threads of one: ascending; free(*list). */
int proc_list(uint32_t **list, size_t *n);
int proc_threads(uint32_t pid, uint32_t **list, size_t *n);

/*
 * Calls fn for each open descriptor of a process, as its number and what it links to, such as
 * "socket:[4711]" or "anon_inode:[eventpoll]", cut after 63 bytes. Anything but 0 from fn ends the
 * walk and is returned; else 0, or a negative errno.
 */
typedef int proc_descriptor_fn(void *ctx, const char *fd, const char *link);
int proc_descriptors(uint32_t pid, proc_descriptor_fn *fn, void *ctx);

/*
 * Connections that the kernel dropped because an accept queue was full: ListenOverflows, of the
 * whole network namespace of the process. 0 when /proc would not tell.
 */
uint64_t proc_listen_overflows(uint32_t pid);

#endif
