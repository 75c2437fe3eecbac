/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * story.h - what the threads did while one exchange waited: its stages, and in each the absences
 * from the CPU and the handlers that fell into it.
 *
 * Pure: remembers the last turns and absences, and looks among them when asked.
 */
#ifndef EPOLLSCOPE_STORY_H
#define EPOLLSCOPE_STORY_H

#include "model/model.h"

#define STORY_PARTS 16

enum story_what {
	STORY_BLOCKED,	/* asleep in a system call */
	STORY_RUNNABLE,	/* waited for a CPU */
	STORY_HELD,	/* served another connection */
};

struct story_part {
	unsigned stage;
	enum story_what what;
	uint64_t ns;		/* of the stage */
	uint32_t kind;		/* blocked: enum offcpu_kind, and the kernel's number of the call */
	uint32_t nr;
	uint32_t pid;		/* runnable: who had the CPU; blocked: who woke it; 0: not known */
	uint64_t conn;		/* held: its cookie */
	char comm[COMM_LEN + 1];
};

struct story {
	struct story_part part[STORY_PARTS];	/* by stage, in the order of time */
	size_t n;
	size_t left_out;	/* parts that found no room */
};

struct story_store;

struct story_store *story_new(void);	/* NULL when out of memory */
void story_free(struct story_store *s);	/* NULL is fine */
void story_turn(struct story_store *s, const struct ev_turn *t);
void story_offcpu(struct story_store *s, const struct ev_offcpu *o);

void story_tell(const struct story_store *s, const struct ev_exchange *x, struct story *out);

#endif
