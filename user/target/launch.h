/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * launch.h - a program under epollscope: forked first, so that its pid can be watched, and started
 * only when it is released.
 *
 * If epollscope ends before the release, however it ends, the child exits without having run
 * anything. After the release the program outlives epollscope.
 */
#ifndef EPOLLSCOPE_LAUNCH_H
#define EPOLLSCOPE_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stop;

struct launch {
	const char *program;	/* argv[0] */
	pid_t pid;		/* 0 if nothing was launched */
	int pidfd;
	int gate_fd;		/* our end: sends the release, receives why exec failed */
	bool released;
	bool reaped;
	int status;		/* exit status or 128 + signal, once reaped */
};

#define LAUNCH_INIT { .pidfd = -1, .gate_fd = -1 }

/*
 * Forks the child, which waits. argv ends with NULL. The child gets the signal mask and
 * dispositions that epollscope was started with: stop holds them, NULL if nothing was changed.
 * Call while single-threaded. 0 or a negative errno.
 */
int launch_start(struct launch *l, char *const argv[], const struct stop *stop);

/*
 * Lets the child execute the program and waits until it does. 0, or a negative errno with a line
 * for fail_line in why: -ENOENT (66) for every program that cannot be executed, else a fault.
 */
int launch_release(struct launch *l, char *why, size_t why_len);

/* Readable, for poll, once the program has ended. */
int launch_wait_fd(const struct launch *l);

/* The exit status, or 128 + signal; -EAGAIN while it runs; -ECHILD if nothing was launched. */
int launch_status(struct launch *l);

/* Ends and reaps a child that was not released; lets go of one that was. Any state, any number. */
void launch_end(struct launch *l);

#endif
