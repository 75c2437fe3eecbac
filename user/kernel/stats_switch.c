/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stats_switch.c - switches the kernel's statistics for a process that gives up CAP_SYS_ADMIN, which
 * that takes: a child keeps this one capability, reads single bytes and does nothing else.
 *
 *   '+' they are wanted, once more    '-' once less    answered by the same byte, or by '!': refused
 */
#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/private.h"

static void keep_one_capability(void)
{
	bool had = !capng_get_caps_process() &&
		   capng_have_capability(CAPNG_PERMITTED, CAP_SYS_ADMIN);

	capng_clear(CAPNG_SELECT_ALL);
	if (had)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SYS_ADMIN);
	capng_apply(CAPNG_SELECT_CAPS);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static char answer(char wish, unsigned *wanted, int *stats_fd)
{
	if (wish == '+' && (*wanted)++ == 0)
		*stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (wish == '-' && *wanted && --*wanted == 0 && *stats_fd >= 0) {
		close(*stats_fd);
		*stats_fd = -1;
	}
	if (wish == '+' && *stats_fd < 0) {
		--*wanted;
		return '!';
	}
	return wish;
}

/* Until the other end is closed, by whatever ends that process. An interrupt is for that one. */
static void __attribute__((noreturn)) serve(int fd)
{
	unsigned wanted = 0;
	int stats_fd = -1;
	char byte;

	prctl(PR_SET_NAME, "epollscope-stat");
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	dup2(fd, 0);
	close_range(1, ~0U, 0);
	keep_one_capability();
	while (read(0, &byte, 1) == 1) {
		byte = answer(byte, &wanted, &stats_fd);
		if (write(0, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

int stats_switch_start(struct stats_switch *w)
{
	const struct timeval patience = { .tv_sec = 1 };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	w->pid = fork();
	if (w->pid < 0) {
		int err = -errno;

		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!w->pid)
		serve(fds[1]);
	close(fds[1]);
	w->fd = fds[0];
	/* A child that somebody stopped must not stop us. */
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

void stats_switch_stop(struct stats_switch *w)
{
	if (!w->pid)
		return;
	close(w->fd);
	waitpid(w->pid, NULL, 0);
	w->pid = 0;
}

bool stats_switch_set(const struct stats_switch *w, bool on)
{
	char byte = on ? '+' : '-', back = '!';

	if (send(w->fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(w->fd, &back, 1, 0) == 1 && back == byte)
		return true;
	/* It ends, and with it what it may have switched on. */
	shutdown(w->fd, SHUT_RDWR);
	return false;
}
