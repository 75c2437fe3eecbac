/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recorder.h - a watch into a capture file: record, and by the side of report, conns, slow and flame.
 *
 * The thread that drains the rings only copies records into blocks; a thread of its own packs and
 * writes them. When the disk does not keep up, BLOCKS_MAX blocks wait, then the rings, which count
 * what they lose.
 */
#ifndef EPOLLSCOPE_RECORDER_H
#define EPOLLSCOPE_RECORDER_H

#include "cli/options.h"
#include "watch/watch.h"

#define RECORDER_MIN_BYTES (1u << 20)	/* the least --max-size */

struct recorder;

/*
 * Opens o->output, if there is one, before anything else is tried, and gives the handlers its tap.
 * EXIT_OK, or an exit status whose line is already printed. *out is NULL without a file to write.
 */
int recorder_open(struct recorder **out, const struct options *o, struct watch_handlers *h);

/*
 * After the watch: all is written, and what was is said in a line. EXIT_OK, or EXIT_FAULT whose
 * line is printed: what is whole stays, marked INCOMPLETE. NULL is fine.
 */
int recorder_end(struct recorder *rec, const struct watch_result *r);

/* NULL is fine. A file that nothing was written to and that was not there before is removed. */
void recorder_close(struct recorder *rec);

#endif
