/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * command_watch.h - what report, record, conns, slow and flame do alike: watch a target or replay a
 * capture, with a recorder beside it if -o says so.
 */
#ifndef EPOLLSCOPE_COMMAND_WATCH_H
#define EPOLLSCOPE_COMMAND_WATCH_H

#include "capture/watch_result.h"
#include "cli/options.h"
#include "stream/sink.h"

/*
 * Feeds the sinks until the watch or the capture ends. EXIT_OK, or an exit status whose line is
 * already printed. *recorded, likewise, says whether the capture of -o could be written: if it
 * could not, there still is a result to show. The result is to be freed in any case.
 */
int command_watch(const struct options *o, const struct sinks *sinks, struct watch_result *w,
		  int *recorded);

/* The command's exit status after it has printed: --max-loss, the launched program's status. */
int command_status(const struct options *o, const struct watch_result *w, uint64_t lost);

#endif
