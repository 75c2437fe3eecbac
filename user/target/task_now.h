/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* task_now.h - what /proc says that a thread does now, and what its process has not read. */
#ifndef EPOLLSCOPE_TASK_NOW_H
#define EPOLLSCOPE_TASK_NOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TASK_RUNS	(-1)	/* on a CPU, or waits for one */
#define TASK_SLEEPS	(-2)	/* outside any call: a page fault */
#define TASK_UNKNOWN	(-3)	/* gone, or not ours to see */

/* The kernel's number of the system call that a thread is blocked in, or one of these. */
long task_call(uint32_t pid, uint32_t tid);

/* From the text of /proc/PID/task/TID/syscall. */
long task_call_parse(const char *text);

/* Whether a call is a wait for events: epoll, poll or select. */
bool call_waits(long nr);
bool call_is_lock(long nr);

/* A process's established connections with bytes that nobody has read; whether it has an eventpoll. */
struct unread {
	uint32_t connections;
	bool eventpoll;
};

int unread_look(uint32_t pid, struct unread *u);	/* 0 or a negative errno */

#endif
