/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * target.h - which processes are meant: from -p, -c, -P and --cgroup to a list of processes.
 *
 * Values of one condition are alternatives, conditions of different kind must all hold. A process
 * meets a condition if it, or a process that it descends from, does: so the list holds children
 * and their children too. Never in it: epollscope itself, kernel threads, zombies.
 */
#ifndef EPOLLSCOPE_TARGET_H
#define EPOLLSCOPE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the user wrote. Strings belong to argv, the arrays to the spec. */
struct target_spec {
	uint32_t *pids;
	size_t n_pids;
	const char **comms;	/* globs, over the process's comm; compared up to its 15 bytes */
	size_t n_comms;
	uint32_t *ports;	/* local, of listening TCP sockets; no condition with a program */
	size_t n_ports;
	const char *cgroup;	/* NULL if not given */
	char *const *program;	/* to launch; NULL if none */
};

void target_spec_free(struct target_spec *spec);

/* Whether it holds a condition; a program is none. */
bool target_spec_given(const struct target_spec *spec);

/* A process. A pid that is used again has another start time. */
struct target {
	uint32_t pid;		/* of the thread group */
	uint64_t start_time;	/* clock ticks (10 ms) since boot: start_boottime / 10,000,000 ns */
	char comm[16];		/* raw bytes, terminated */
	char exe[256];		/* raw bytes, terminated; "" when /proc would not tell */
};

struct targets {
	struct target *list;	/* ascending pids */
	size_t n;
	char note[160];		/* what the user should know, for warn_line; "" if nothing */
};

/*
 * Looks the processes up. 0 with at least one in out; else a negative errno and a line for
 * fail_line in why: -ESRCH or -ENOENT (no such target), -EACCES (not allowed to look), or another
 * (a fault). out is valid in any case; targets_free() releases it. For a launched program add its
 * pid to the spec; then ports are no condition. Every pid, comm and port must match something.
 */
int targets_resolve(const struct target_spec *spec, struct targets *out, char *why, size_t why_len);

/*
 * Looks again and appends the processes that are new: they match, or descend from one that is
 * known and still the same process. Nothing is removed; comm and exe of those that run are read
 * again, for they may have executed another program. Returns how many were appended, from
 * known->list[old n] on, or a negative errno. Not finding anything is no error here.
 */
int targets_refresh(const struct target_spec *spec, struct targets *known);

/* Takes out the processes that have ended, whoever has their pid now. */
void targets_forget_ended(struct targets *known);

void targets_free(struct targets *t);

#endif
