/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * status.h - how epollscope ends and what it says when it fails: one line, one status.
 */
#ifndef EPOLLSCOPE_STATUS_H
#define EPOLLSCOPE_STATUS_H

#include <stddef.h>

/* 64 and above as in sysexits(3). After `-- PROGRAM` a success is that program's own status. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAULT = 1,			/* something broke at run time */
	EXIT_LOST = 3,			/* done, but more was lost than --max-loss allows */
	EXIT_USAGE_ERROR = 64,
	EXIT_NOTARGET = 66,		/* no such process, port, control group, program or file */
	EXIT_NOKERNEL = 69,		/* the kernel lacks something essential */
	EXIT_NOPERM_ERROR = 77,
};

/*
 * One line on stderr: "epollscope: ", the prefix and the message, without its newline. What would
 * steer the terminal is escaped (escape_text), so names from outside may be passed as they are.
 * Messages longer than 700 bytes are cut: limit what may be long with a precision.
 */
void status_line(const char *prefix, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define fail_line(...) status_line("", __VA_ARGS__)		/* why it ends */
#define say_line(...) status_line("", __VA_ARGS__)		/* progress */
#define warn_line(...) status_line("note: ", __VA_ARGS__)	/* what the user should know */

/* The status that a negative errno from target or launch stands for. */
int exit_status_of(int err);

/*
 * Opens whatever of descriptors 0, 1 and 2 is closed in such a way that its use fails: no file
 * that is opened later can take its place. Call first in main.
 */
void guard_standard_files(void);

/*
 * Hands everything printed so far to the kernel. 0, or a negative errno if any of it could not be
 * written since the start; -EPIPE when the reader has gone, which deserves no message. A command
 * that prints line by line calls it now and then and stops on an error, without a message of its
 * own: main calls finish_stdout() after every command and reports.
 */
int flush_stdout(void);

/*
 * Why an earlier write to the file failed, which stdio does not keep: a negative errno. It tries
 * once more, with a newline.
 */
int write_failure(int fd);

/* An errno of a write in words: strerror's, but for a reader that lets us wait (stop.h). */
const char *write_reason(int err);

/* The same, and closes stdout: some file systems report an error only then. */
int finish_stdout(void);

#endif
