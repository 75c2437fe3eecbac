/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* guard.h - what privileges an exporter keeps. */
#ifndef EPOLLSCOPE_EXPORT_GUARD_H
#define EPOLLSCOPE_EXPORT_GUARD_H

#include <stdbool.h>

/*
 * Gives up every privilege that following the targets does not need, for this thread and those it
 * starts: capabilities, new ones by exec, and all system calls but a list. by_port: processes are
 * found by the sockets they hold, which takes reading other users' /proc/PID/fd. measure_cost: the
 * kernel's run-time statistics take CAP_SYS_ADMIN. 0 or -errno; *why says what failed.
 */
int export_drop_privileges(bool by_port, bool measure_cost, const char **why);

#endif
