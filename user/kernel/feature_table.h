/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * feature_table.h - one table: what we can see, the programs and kernel hooks it takes, what stands in
 * for a missing one, and what is lost without. The loader, the report's notes and `doctor` read it.
 */
#ifndef EPOLLSCOPE_FEATURE_TABLE_H
#define EPOLLSCOPE_FEATURE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum feature {
	FEATURE_CONNECTIONS,
	FEATURE_SYSCALLS,
	FEATURE_WAITS,
	FEATURE_CALLS,
	FEATURE_WINDOWS,
	FEATURE_SCHED,
	FEATURE_SOCKET,
	FEATURE_SOCKET_OLD,
	FEATURE_RETRANSMITS,
	FEATURE_RESETS,
	FEATURE_PROCESS,
	FEATURE_SNAPSHOT,
	FEATURE_STACKS,
	FEATURE_COUNT,
};

struct feature_info {
	const char *name;
	const char *gives;	/* in plain words */
	const char *without;	/* what a report lacks when the kernel does not have it */
	bool essential;		/* no report without it */
	int substitute;		/* feature to use instead; -1: none */
	bool cheaper;		/* it costs less and tells the same: no report lacks it */
};

/* A BPF program and the tracepoint or iterator it needs. */
struct hook {
	enum feature feature;
	const char *program;
	const char *type;	/* kernel BTF type that exists when the hook does */
	bool manual;		/* attached by our own code, not by libbpf's */
	bool function;		/* the type is a function, at whose entry or exit it is */
};

extern const struct feature_info feature_table[FEATURE_COUNT];
extern const struct hook hook_table[];
extern const size_t hook_count;

/* What a kernel offers, as found by asking for each hook; substitutes decided. */
struct feature_set {
	bool available[FEATURE_COUNT];	/* all of its hooks exist */
	bool used[FEATURE_COUNT];
	const char *missing[FEATURE_COUNT];	/* type of the first hook that does not, or NULL */
};

/* Looks each hook up in the kernel's types and decides what is used. */
void features_decide(struct feature_set *set, bool (*has_type)(const char *type, bool function, void *ctx),
		     void *ctx);

/* The kernel has all that a feature takes and does not let us: `what` is a static string. */
void features_refuse(struct feature_set *set, enum feature f, const char *what);

/* The first essential feature that can't be had, or -1. */
int features_lacking(const struct feature_set *set);

#endif
