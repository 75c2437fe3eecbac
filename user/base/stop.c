/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stop.c - signals that end the watching. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/stop.h"

/* One Ctrl-C may come twice: timeout(1), for one, signals the process and then its group. */
#define ECHO_MS 20

static void leave(int signal)
{
	_exit(128 + signal);
}

static void stopping_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

int stop_open(struct stop *s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;
	int err;

	*s = (struct stop)STOP_INIT;
	stopping_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, &s->old_mask))
		return -errno;
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd < 0) {
		err = -errno;
		sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
		return err;
	}
	sigaction(SIGPIPE, &ignore, &s->old_pipe);
	return 0;
}

static int next_signal(const struct stop *s)
{
	struct signalfd_siginfo info;

	return read(s->fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

int stop_take(struct stop *s)
{
	struct sigaction at_once = { .sa_handler = leave };
	struct pollfd echo = { .fd = s->fd, .events = POLLIN };
	sigset_t set;

	if (s->fd < 0 || s->signal)
		return s->signal;
	s->signal = next_signal(s);
	if (!s->signal)
		return 0;
	while (poll(&echo, 1, ECHO_MS) > 0 && next_signal(s))
		;
	stopping_signals(&set);
	sigaction(SIGINT, &at_once, NULL);
	sigaction(SIGTERM, &at_once, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return s->signal;
}

void stop_restore(const struct stop *s)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };

	if (s->fd < 0)
		return;
	if (s->signal) {
		sigaction(SIGINT, &normal, NULL);
		sigaction(SIGTERM, &normal, NULL);
	}
	sigaction(SIGPIPE, &s->old_pipe, NULL);
	sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
}

void stop_close(struct stop *s)
{
	if (s->fd < 0)
		return;
	stop_restore(s);
	close(s->fd);
	s->fd = -1;
}
