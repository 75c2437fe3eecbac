/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* status.c - messages on stderr and the end of stdout. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "base/term.h"

#define MESSAGE_MAX 700

/* Writes the whole line at once, so that lines of several writers do not mix. */
void status_line(const char *prefix, const char *fmt, ...)
{
	char message[MESSAGE_MAX], line[4 * MESSAGE_MAX + 64];
	va_list args;
	size_t len;

	va_start(args, fmt);
	if (vsnprintf(message, sizeof(message), fmt, args) < 0)
		*message = '\0';
	va_end(args);
	len = (size_t)snprintf(line, sizeof(line), "epollscope: %s", prefix);
	len += escape_text(line + len, sizeof(line) - len - 1, message, strlen(message));
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody is left to tell */
}

int exit_status_of(int err)
{
	switch (err) {
	case 0:
		return EXIT_OK;
	case -ESRCH:
	case -ENOENT:
	case -ENOTDIR:
		return EXIT_NOTARGET;
	case -EPERM:
	case -EACCES:
		return EXIT_NOPERM_ERROR;
	default:
		return EXIT_FAULT;
	}
}

void guard_standard_files(void)
{
	/* Opened the wrong way round: reading 0 and writing 1 or 2 still fail with EBADF. */
	static const int mode[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode[fd]) < 0)
			return;
	}
}

const char *write_reason(int err)
{
	return err == EINTR || err == EAGAIN ? "nobody reads it" : strerror(err);
}

int write_failure(int fd)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };

	/* Writing to a pipe without a reader could end us, to one that is full hold us up. */
	if (poll(&out, 1, 0) == 0)
		return -EAGAIN;
	if (out.revents & POLLERR)
		return -EPIPE;
	return write(fd, "\n", 1) < 0 ? -errno : -EIO;
}

static int stdout_error;	/* the first one: what is printed since goes nowhere */

/* What stdio still holds would be tried again and again, and may hold us up each time. */
static void leave_stdout(int err)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	stdout_error = err;
	if (nowhere < 0)
		return;
	dup2(nowhere, STDOUT_FILENO);
	close(nowhere);
}

int flush_stdout(void)
{
	int err = 0;

	if (stdout_error)
		return stdout_error;
	if (fflush(stdout))
		err = -errno;
	else if (ferror(stdout))
		err = write_failure(STDOUT_FILENO);
	if (err)
		leave_stdout(err);
	return err;
}

int finish_stdout(void)
{
	int err = flush_stdout();

	if (close(STDOUT_FILENO) && !err)
		err = -errno;
	return err;
}
