/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recorder.h - a sink that writes a capture file: record, and by the side of report, conns, slow
 * and flame.
 *
 * The thread that drains the rings only copies records into blocks; a thread of its own packs and
 * writes them. When the disk does not keep up, BLOCKS_MAX blocks wait, then the rings, which count
 * what they lose.
 */
#ifndef EPOLLSCOPE_RECORDER_H
#define EPOLLSCOPE_RECORDER_H

#include "capture/watch_result.h"
#include "stream/sink.h"

#define RECORDER_MIN_BYTES (1u << 20)	/* the least --max-size */

struct recorder;

struct recorder_config {
	const char *path;	/* "-": standard output */
	uint64_t max_bytes;	/* of the file; 0: no limit */
	uint64_t ring_ns;	/* flight recorder: keep the last; 0: write all */
	bool has_until;
	uint64_t until_ns;	/* stop at an exchange above this */
	struct capture_request request;	/* for the head */
};

/*
 * Opens the file before anything else is tried. `config` and `watch`, the result of the watch under
 * way, outlive the recorder. EXIT_OK, or an exit status whose line is already printed;
 * recorder_close() in any case.
 */
int recorder_open(struct recorder **out, const struct recorder_config *config,
		  const struct watch_result *watch);

/* For the stream; valid until recorder_close(). */
const struct sink *recorder_sink(const struct recorder *rec);

/*
 * After the watch: writes the rest and prints a line about the file. EXIT_OK, or EXIT_FAULT whose
 * line is printed: the part of the file that is whole stays, marked INCOMPLETE.
 */
int recorder_end(struct recorder *rec);

/* NULL is fine. A file that nothing was written to and that was not there before is removed. */
void recorder_close(struct recorder *rec);

#endif
