/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stop.h - Ctrl-C and SIGTERM: the first asks for the result of what was seen so far, the second
 * leaves at once with status 128 + signal, whatever the program is doing then.
 */
#ifndef EPOLLSCOPE_STOP_H
#define EPOLLSCOPE_STOP_H

#include <signal.h>

struct stop {
	int fd;			/* signalfd; readable, for poll, when a signal has come */
	int signal;		/* the first one; 0 while nobody asked to stop */
	sigset_t old_mask;
	struct sigaction old_pipe;
};

#define STOP_INIT { .fd = -1 }

/* Takes over SIGINT and SIGTERM and ignores SIGPIPE: writing then fails with EPIPE. 0 or -errno. */
int stop_open(struct stop *s);

/*
 * Call when s->fd is readable: sets s->signal, and from then on the next SIGINT or SIGTERM ends
 * the process. Returns s->signal, 0 if none has come. s->fd never is readable again.
 */
int stop_take(struct stop *s);

/* Puts back the mask and the dispositions of before: for a child that will execute a program. */
void stop_restore(const struct stop *s);

/* Closes and restores; STOP_INIT and closed ones are fine. */
void stop_close(struct stop *s);

#endif
