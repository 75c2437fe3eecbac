/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* syscall_word.c - names of the system calls that a thread may block in. */
#include <stdio.h>

#include "explain/finding.h"
#include "bpf/syscalls.h"

#if defined(__x86_64__)
#define NUMBER(x86, arm) (x86)
#else
#define NUMBER(x86, arm) (arm)
#endif

#define WORD(id, name, x86, arm) { NUMBER(x86, arm), name },

static const struct {
	int nr;
	const char *name;
} words[] = {
	SYSCALLS(WORD)
	{ NUMBER(35, 101), "nanosleep" },
	{ NUMBER(230, 115), "clock_nanosleep" },
	{ NUMBER(34, -1), "pause" },
	{ NUMBER(74, 82), "fsync" },
	{ NUMBER(75, 83), "fdatasync" },
	{ NUMBER(26, 227), "msync" },
	{ NUMBER(162, 81), "sync" },
	{ NUMBER(277, 84), "sync_file_range" },
	{ NUMBER(306, 267), "syncfs" },
	{ NUMBER(17, 67), "pread64" },
	{ NUMBER(18, 68), "pwrite64" },
	{ NUMBER(257, 56), "openat" },
	{ NUMBER(2, -1), "open" },
	{ NUMBER(262, 79), "newfstatat" },
	{ NUMBER(217, 61), "getdents64" },
	{ NUMBER(87, -1), "unlink" },
	{ NUMBER(263, 35), "unlinkat" },
	{ NUMBER(82, -1), "rename" },
	{ NUMBER(61, 260), "wait4" },
	{ NUMBER(247, 95), "waitid" },
	{ NUMBER(9, 222), "mmap" },
	{ NUMBER(11, 215), "munmap" },
	{ NUMBER(73, 32), "flock" },
	{ NUMBER(72, 25), "fcntl" },
	{ NUMBER(426, 426), "io_uring_enter" },
};

const char *syscall_word(uint32_t nr, char *room, size_t len)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].nr >= 0 && (uint32_t)words[i].nr == nr)
			return words[i].name;
	snprintf(room, len, "call %u", nr);
	return room;
}
