/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* proc.c - readers of /proc. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "target/proc.h"

#define KERNEL_THREAD 0x00200000u	/* PF_KTHREAD, in the stat file's flags */

/* A task that is gone shows as a missing file or as a failed read. */
static int gone_or(int err)
{
	return err == ENOENT || err == ESRCH ? -ESRCH : -err;
}

/* Up to size - 1 bytes of a file in /proc/PID, terminated. The length, or a negative errno. */
static ssize_t read_file(uint32_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	size_t len = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return gone_or(errno);
	do {
		got = read(fd, buf + len, size - 1 - len);
		if (got > 0)
			len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0)
		got = gone_or(errno);
	close(fd);
	buf[len] = '\0';
	return got < 0 ? got : (ssize_t)len;
}

int proc_parse_stat(const char *text, size_t len, struct proc_stat *st)
{
	const char *open_paren = memchr(text, '(', len), *close_paren, *name;
	unsigned long flags, start_time;
	size_t name_len;

	*st = (struct proc_stat){ 0 };
	if (!open_paren)
		return -EINVAL;
	/* A name may hold anything, so the last parenthesis is the one that closes it. */
	close_paren = memrchr(open_paren, ')', len - (size_t)(open_paren - text));
	if (!close_paren || sscanf(text, "%" SCNu32, &st->pid) != 1)
		return -EINVAL;
	name = open_paren + 1;
	name_len = (size_t)(close_paren - name);
	if (name_len >= sizeof(st->comm))
		name_len = sizeof(st->comm) - 1;
	memcpy(st->comm, name, name_len);
	if (sscanf(close_paren + 1,
		   " %c %" SCNu32 " %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
		   " %" SCNu32 " %*d %lu",
		   &st->state, &st->ppid, &flags, &st->threads, &start_time) != 5)
		return -EINVAL;
	st->kernel = flags & KERNEL_THREAD;
	st->start_time = start_time;
	return 0;
}

int proc_stat(uint32_t pid, struct proc_stat *st)
{
	char text[1024];
	ssize_t len = read_file(pid, "stat", text, sizeof(text));

	return len < 0 ? (int)len : proc_parse_stat(text, (size_t)len, st);
}

bool proc_is_zombie(const struct proc_stat *st)
{
	return st->state == 'X' || (st->state == 'Z' && st->threads <= 1);
}

bool proc_runs(uint32_t pid)
{
	struct proc_stat st;

	return !proc_stat(pid, &st) && !proc_is_zombie(&st);
}

/* The clock that clock_getcpuclockid() gives, without its question whether the process is there. */
uint64_t proc_cpu_ns(uint32_t pid)
{
	const clockid_t clock = (clockid_t)(~pid << 3 | 2);	/* CPUCLOCK_SCHED of a process */
	struct timespec t;

	if (!pid || clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int proc_tgid(uint32_t tid, uint32_t *tgid)
{
	static const char name[] = "\nTgid:";
	char text[4096];
	const char *line;
	ssize_t len = read_file(tid, "status", text, sizeof(text));

	if (len < 0)
		return (int)len;
	/* Names have their newlines escaped there. */
	line = strstr(text, name);
	if (!line || sscanf(line + strlen(name), "%" SCNu32, tgid) != 1)
		return -EINVAL;
	return 0;
}

int proc_exe(uint32_t pid, char *path, size_t len)
{
	char link[64];
	ssize_t got;

	snprintf(link, sizeof(link), "/proc/%" PRIu32 "/exe", pid);
	got = readlink(link, path, len - 1);
	path[got < 0 ? 0 : got] = '\0';
	return got < 0 ? gone_or(errno) : 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The entries of a directory whose names are numbers. */
static int list_numbers(const char *path, uint32_t **list, size_t *n)
{
	struct dirent *entry;
	int err = 0;
	DIR *dir = opendir(path);

	*list = NULL;
	*n = 0;
	if (!dir)
		return gone_or(errno);
	while (!err && (entry = readdir(dir))) {
		char *end;
		unsigned long number = strtoul(entry->d_name, &end, 10);
		uint32_t *place;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || *end)
			continue;
		place = array_more(list, *n, sizeof(*place));
		if (place) {
			*place = (uint32_t)number;
			++*n;
		} else {
			err = -ENOMEM;
		}
	}
	closedir(dir);
	if (err) {
		free(*list);
		*list = NULL;
		*n = 0;
	} else if (*n) {
		qsort(*list, *n, sizeof(**list), by_number);
	}
	return err;
}

int proc_list(uint32_t **list, size_t *n)
{
	return list_numbers("/proc", list, n);
}

int proc_threads(uint32_t pid, uint32_t **list, size_t *n)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task", pid);
	return list_numbers(path, list, n);
}

int proc_descriptors(uint32_t pid, proc_descriptor_fn *fn, void *ctx)
{
	struct dirent *entry;
	char path[64];
	int got = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/fd", pid);
	dir = opendir(path);
	if (!dir)
		return gone_or(errno);
	while (!got && (entry = readdir(dir))) {
		char link[64];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (len < 0)
			continue;
		link[len] = '\0';
		got = fn(ctx, entry->d_name, link);
	}
	closedir(dir);
	return got;
}

uint64_t proc_listen_overflows(uint32_t pid)
{
	char path[48], names[4096], values[4096], *name, *value, *name_at, *value_at;
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/net/netstat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		name = strtok_r(names, " \n", &name_at);
		value = strtok_r(values, " \n", &value_at);
		while (name && value) {
			if (!strcmp(name, "ListenOverflows"))
				n = strtoull(value, NULL, 10);
			name = strtok_r(NULL, " \n", &name_at);
			value = strtok_r(NULL, " \n", &value_at);
		}
	}
	fclose(f);
	return n;
}

size_t proc_text(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}
