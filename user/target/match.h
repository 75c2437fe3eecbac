/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* match.h - for target resolution alone: the processes there are, and who meets a condition. */
#ifndef EPOLLSCOPE_TARGET_MATCH_H
#define EPOLLSCOPE_TARGET_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "target/proc.h"

enum match {
	MATCH_PID = 1 << 0,
	MATCH_COMM = 1 << 1,
	MATCH_PORT = 1 << 2,
	MATCH_CGROUP = 1 << 3,
};

struct candidate {
	struct proc_stat stat;
	unsigned match;		/* enum match: the conditions it meets */
	bool known;		/* in the list of targets already */
};

/* Every process but our own, kernel threads and zombies; ascending pids. */
struct candidates {
	struct candidate *list;
	size_t n;
};

/* NULL if there is none. */
struct candidate *candidates_find(const struct candidates *c, uint32_t pid);

/* The first thing that went wrong: a negative errno and a line for the user. */
struct reason {
	int err;
	char *line;
	size_t len;
};

/* Keeps the error, unless there was one before. */
void reason_give(struct reason *r, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Mark the processes that own a listening socket on one of the ports, or that are in the control
 * group or below it. If a port or the group has none, that is given as the reason; whatever could
 * be found is marked even then.
 */
void match_ports(struct candidates *c, const uint32_t *ports, size_t n, struct reason *why);
void match_cgroup(struct candidates *c, const char *path, struct reason *why);

#endif
