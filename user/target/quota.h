/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * quota.h - how often the CPU quota of control groups ran out, of every group that some processes
 * are in and of those above it, which bind them too. Versions 1 and 2.
 */
#ifndef EPOLLSCOPE_QUOTA_H
#define EPOLLSCOPE_QUOTA_H

#include <stddef.h>
#include <stdint.h>

#define QUOTA_GROUPS 64

/* Plain data. */
struct quota_group {
	char path[128];		/* as /proc/PID/cgroup says it; longer ones are left out */
	uint32_t version;	/* of the hierarchy: 1 or 2 */
	uint32_t pad;
	uint64_t periods;	/* in which the quota ran out */
	uint64_t ns;		/* that its tasks stood still */
};

struct quotas {
	uint32_t n;
	uint32_t left_out;	/* groups that found no room */
	struct quota_group group[QUOTA_GROUPS];
};

/* Remembers what the groups of the processes count by now. */
void quotas_begin(struct quotas *q, const uint32_t *pids, size_t n);

/*
 * What they count since: group[] holds the differences then. Returns the group that stood still
 * longest; NULL if none did.
 */
const struct quota_group *quotas_end(struct quotas *q);

/* The parts, for tests: the lines of a /proc/PID/cgroup, and a group's counts from its cpu.stat. */
void quotas_add(struct quotas *q, char *lines);
void quota_parse(const char *stat, struct quota_group *counts);

#endif
