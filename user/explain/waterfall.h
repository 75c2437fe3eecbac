/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * waterfall.h - what the threads did while one exchange waited: for each of its stages the off-CPU
 * intervals and the handlers that fell into it. And the slowest exchanges of a watch.
 */
#ifndef EPOLLSCOPE_EXPLAIN_WATERFALL_H
#define EPOLLSCOPE_EXPLAIN_WATERFALL_H

#include "explain/history.h"

#define WATERFALL_PARTS 16

enum waterfall_what {
	WATERFALL_BLOCKED,	/* asleep in a system call */
	WATERFALL_RUNNABLE,	/* waited for a CPU */
	WATERFALL_HELD,		/* served another connection */
	WATERFALL_UNARMED,	/* nobody watched the descriptor */
	WATERFALL_IDLE,		/* asynchronous: its loop had nothing to do */
	WATERFALL_OTHERS,	/* asynchronous: its loop worked for others */
};

struct waterfall_part {
	unsigned stage;
	enum waterfall_what what;
	uint64_t ns;		/* of the stage */
	uint32_t kind;		/* blocked: enum offcpu_kind, and the kernel's number of the call */
	uint32_t nr;
	uint32_t pid;		/* runnable: who had the CPU; blocked: who woke it; 0: not known */
	uint64_t conn;		/* held: its cookie */
	char comm[COMM_LEN + 1];
};

struct waterfall {
	struct waterfall_part part[WATERFALL_PARTS];	/* by stage, in the order of time */
	size_t n;
	size_t left_out;	/* parts that found no room */
};

/* Parts shorter than least_ns are left out. Call it while the history remembers that time. */
void waterfall_fill(struct waterfall *out, const struct history *h, const struct ev_exchange *x,
		    uint64_t least_ns);

/* A part of a waterfall that is shorter than this fraction of the exchange is left out. */
#define WORST_PART 200

/* To be read. */
struct worst {
	struct exchange_info *list;	/* slowest first */
	struct waterfall *waterfalls;	/* of each; NULL: not wanted */
	size_t n, room;
};

int worst_init(struct worst *w, size_t room, bool waterfalls);	/* 0 or -ENOMEM */
void worst_free(struct worst *w);

/*
 * Keeps the exchange if it is among the slowest. Its waterfall is made at once: the history may
 * forget later what it rests on.
 */
void worst_add(struct worst *w, const struct exchange_info *x, const struct history *h);

#endif
