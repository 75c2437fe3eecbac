/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stop.c - signals and time that end the watching.
 *
 * Handlers, not a signalfd: they act also while a write waits for a reader. What they share with the
 * rest of the program is below, since a handler is given nothing.
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"

/* One Ctrl-C may come twice: timeout(1), for one, signals the process and then its group. */
#define ECHO_NS 20000000ULL

/* How long a reader may let the program wait for it when the watch should be over. */
#define GRACE_NS 3000000000ULL

static _Atomic int first_signal;	/* 0: none yet */
static _Atomic uint64_t first_ns;	/* when it came */
static _Atomic int wake_fd = -1;	/* readable since */
static _Atomic bool late;		/* the grace is over */

/* Once the grace is over, and each second after: a write that has begun by then gives up. */
static void arm_grace(uint64_t in_ns)
{
	struct itimerval t = { .it_interval.tv_sec = 1 };

	in_ns += GRACE_NS;
	t.it_value.tv_sec = (time_t)(in_ns / 1000000000);
	t.it_value.tv_usec = (suseconds_t)(in_ns % 1000000000 / 1000);
	setitimer(ITIMER_REAL, &t, NULL);
}

static void on_signal(int signal)
{
	uint64_t one = 1, now = monotonic_ns();
	int err = errno, none = 0;

	if (atomic_compare_exchange_strong(&first_signal, &none, signal)) {
		first_ns = now;
		arm_grace(0);
		if (write(wake_fd, &one, sizeof(one)) < 0)
			_exit(128 + signal);
	} else if (first_ns && now - first_ns > ECHO_NS) {
		_exit(128 + signal);
	}
	errno = err;
}

/* Its purpose is the EINTR of a write in the thread that prints. */
static void on_grace_over(int signal)
{
	(void)signal;
	late = true;
}

static const struct {
	int signal;
	void (*handler)(int);
	int flags;
} taken_over[STOP_SIGNALS] = {
	{ SIGINT, on_signal, SA_RESTART },
	{ SIGTERM, on_signal, SA_RESTART },
	{ SIGALRM, on_grace_over, 0 },
	{ SIGPIPE, SIG_IGN, 0 },
};

int stop_open(struct stop *s)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigset_t set;

	*s = (struct stop)STOP_INIT;
	if (fd < 0)
		return -errno;
	s->fd = fd;
	first_signal = 0;
	first_ns = 0;
	late = false;
	wake_fd = fd;
	sigemptyset(&set);
	for (size_t i = 0; i < STOP_SIGNALS; i++) {
		struct sigaction action = { .sa_handler = taken_over[i].handler,
					    .sa_flags = taken_over[i].flags };

		sigaction(taken_over[i].signal, &action, &s->old[i]);
		sigaddset(&set, taken_over[i].signal);
	}
	sigprocmask(SIG_UNBLOCK, &set, &s->old_mask);
	return 0;
}

void stop_after(const struct stop *s, uint64_t duration_ns)
{
	if (s->fd >= 0 && !first_signal)
		arm_grace(duration_ns);
}

bool stop_late(void)
{
	return late;
}

int stop_take(struct stop *s)
{
	if (s->fd < 0 || s->signal || !first_signal)
		return s->signal;
	while (!first_ns || monotonic_ns() - first_ns <= ECHO_NS)
		poll(NULL, 0, 1);
	s->signal = first_signal;
	return s->signal;
}

void stop_restore(const struct stop *s)
{
	if (s->fd < 0)
		return;
	for (size_t i = 0; i < STOP_SIGNALS; i++)
		sigaction(taken_over[i].signal, &s->old[i], NULL);
	sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
}

void stop_close(struct stop *s)
{
	struct sigaction harmless = { .sa_handler = on_grace_over, .sa_flags = SA_RESTART };

	if (s->fd < 0)
		return;
	stop_restore(s);
	/* A result may wait for its reader as long as it takes, unless its writer asks stop_late(). */
	sigaction(SIGALRM, &harmless, NULL);
	wake_fd = -1;
	close(s->fd);
	s->fd = -1;
}
