/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recorder.h - a watch into a capture file, by the side: record -o and report -o.
 *
 * The thread that drains the rings only copies records into blocks; a thread of its own packs and
 * writes them. When the disk does not keep up, BLOCKS_MAX blocks wait, then the rings, which count
 * what they lose.
 */
#ifndef EPOLLSCOPE_RECORDER_H
#define EPOLLSCOPE_RECORDER_H

#include "options.h"
#include "watch.h"

#define RECORDER_MIN_BYTES (1u << 20)	/* the least --max-size */

struct recorder;

/*
 * Opens o->output before anything else is tried. EXIT_OK, or an exit status whose line is already
 * printed. The tap is what the watch is to be given.
 */
int recorder_open(struct recorder **out, const struct options *o);
const struct watch_tap *recorder_tap(struct recorder *rec);

/* When attached: r is what there is to know of the beginning. */
void recorder_begin(struct recorder *rec, const struct watch_result *r);

/* One more chunk (enum capture_chunk_type), between the watch and recorder_end(). 0 or -errno. */
int recorder_put_chunk(struct recorder *rec, const struct watch_result *r, uint32_t type,
		       const void *data, size_t len);

/*
 * After the watch: all is written, and what was is said in a line. EXIT_OK, or EXIT_FAULT whose
 * line is printed: what is whole stays, marked INCOMPLETE.
 */
int recorder_end(struct recorder *rec, const struct watch_result *r);

/* NULL is fine. A file that nothing was written to and that was not there before is removed. */
void recorder_close(struct recorder *rec);

#endif
