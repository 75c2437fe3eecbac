/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stop.h - Ctrl-C and SIGTERM: the first asks for the result of what was seen so far, the second
 * leaves at once with status 128 + signal, whatever the program is doing then, a write to a pipe that
 * nobody reads included.
 *
 * When the watch should be over, by a signal or its duration, its writes have a few seconds of grace:
 * one that makes no progress after them fails with EINTR. There can be one of these at a time.
 */
#ifndef EPOLLSCOPE_STOP_H
#define EPOLLSCOPE_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define STOP_SIGNALS 4

struct stop {
	int fd;			/* readable, for poll, when a signal has come */
	int signal;		/* the first one; 0 while nobody asked to stop */
	sigset_t old_mask;
	struct sigaction old[STOP_SIGNALS];
};

#define STOP_INIT { .fd = -1 }

/* Takes over SIGINT, SIGTERM, SIGALRM; ignores SIGPIPE: writing then fails with EPIPE. 0 or -errno. */
int stop_open(struct stop *s);

/* The watch should be over so long from now. */
void stop_after(const struct stop *s, uint64_t duration_ns);

/* The grace is over too: for threads that wait for a reader, whom the signal does not meet. */
bool stop_late(void);

/*
 * Call when s->fd is readable: sets s->signal, and from then on the next SIGINT or SIGTERM ends
 * the process. Returns s->signal, 0 if none has come.
 */
int stop_take(struct stop *s);

/* Puts back the mask and the dispositions of before: for a child that will execute a program. */
void stop_restore(const struct stop *s);

/* Closes and restores; STOP_INIT and closed ones are fine. */
void stop_close(struct stop *s);

#endif
