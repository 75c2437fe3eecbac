/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* launch.c - fork, wait at the gate, exec. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/launch.h"
#include "base/stop.h"

/* The exit status that shells use for this; the parent learns the reason through the gate. */
#define STATUS_NOT_EXECUTED 127

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int reap(struct launch *l, int options)
{
	siginfo_t info = { 0 };
	int got;

	if (l->reaped)
		return l->status;
	if (l->pid <= 0)
		return -ECHILD;
	do
		got = waitid(P_PID, (id_t)l->pid, &info, WEXITED | options);
	while (got && errno == EINTR);
	if (got)
		return -errno;
	if (!info.si_pid)
		return -EAGAIN;
	l->reaped = true;
	l->status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return l->status;
}

static ssize_t receive(int fd, void *buf, size_t len)
{
	ssize_t got;

	do
		got = recv(fd, buf, len, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

/* The child: one byte opens the gate, end of file means that epollscope has gone. */
static _Noreturn void child(char *const argv[], const struct stop *stop, int gate)
{
	char go;
	int err;

	if (stop)
		stop_restore(stop);
	if (receive(gate, &go, 1) != 1)
		_exit(STATUS_NOT_EXECUTED);
	execvp(argv[0], argv);
	err = errno;
	send(gate, &err, sizeof(err), MSG_NOSIGNAL);
	_exit(STATUS_NOT_EXECUTED);
}

int launch_start(struct launch *l, char *const argv[], const struct stop *stop)
{
	int gate[2], err = 0;

	*l = (struct launch)LAUNCH_INIT;
	l->program = argv[0];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate))
		return -errno;
	l->gate_fd = gate[0];
	l->pid = fork();
	if (l->pid == 0) {
		close(gate[0]);
		child(argv, stop, gate[1]);
	}
	if (l->pid > 0)
		l->pidfd = (int)syscall(SYS_pidfd_open, l->pid, 0);
	if (l->pidfd < 0)
		err = -errno;
	close(gate[1]);
	if (err)
		launch_end(l);
	return err;
}

int launch_release(struct launch *l, char *why, size_t why_len)
{
	ssize_t got = -1;
	int err;

	if (send(l->gate_fd, "", 1, MSG_NOSIGNAL) == 1) {
		l->released = true;
		got = receive(l->gate_fd, &err, sizeof(err));
		close_fd(&l->gate_fd);
		if (got == 0)
			return 0;
		reap(l, 0);
	}
	if (got != sizeof(err)) {
		snprintf(why, why_len, "'%.80s' was ended before it started", l->program);
		return -EPIPE;
	}
	snprintf(why, why_len, "cannot run '%.80s': %s; check the name and its permissions",
		 l->program, strerror(err));
	return -ENOENT;
}

int launch_wait_fd(const struct launch *l)
{
	return l->pidfd;
}

int launch_status(struct launch *l)
{
	return reap(l, WNOHANG);
}

void launch_end(struct launch *l)
{
	close_fd(&l->gate_fd);
	if (l->pid > 0 && !l->released && !l->reaped) {
		kill(l->pid, SIGKILL);
		reap(l, 0);
	}
	close_fd(&l->pidfd);
	l->pid = 0;
}
