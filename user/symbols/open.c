/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * open.c - opening files whose names somebody else chose. First without opening them (O_PATH),
 * to see what they are: opening a FIFO may wait for ever, and opening a device may do something.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "symbols/process.h"

/* Turns an O_PATH descriptor, or an errno, into one that can be read; closes the former. */
static int reopen(int fd)
{
	char path[64];
	struct stat st;
	int again;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EMEDIUMTYPE;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (again < 0)
		again = -errno;
	close(fd);
	return again;
}

int sym_open_regular(const char *path)
{
	return reopen(open(path, O_PATH | O_CLOEXEC));
}

int sym_open_below(int directory, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return reopen((int)syscall(SYS_openat2, directory, path, &how, sizeof(how)));
}

int sym_open_root(uint32_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/root", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
