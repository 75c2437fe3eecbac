/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * replay.h - a watch out of a capture file: feeds the same stream and fills the same result,
 * without root, a kernel or a clock.
 */
#ifndef EPOLLSCOPE_REPLAY_H
#define EPOLLSCOPE_REPLAY_H

#include "capture/watch_result.h"
#include "stream/sink.h"

struct replay_config {
	uint64_t window_ns;	/* of the tail; 0: what the capture says, or TAIL_WINDOW_NS */
	const char *debug_dir;	/* of debug files; NULL: /usr/lib/debug */
};

/*
 * Replays a file ("-": standard input). EXIT_OK, or an exit status whose line is already printed.
 * Damage prints its line and sets r->damaged: what is whole was replayed. The result is to be freed
 * in any case.
 */
int replay(const char *path, const struct replay_config *config, const struct sinks *sinks,
	   struct watch_result *r);

/* The same of an open file, which is called `name` in messages; takes over fd. */
int replay_fd(int fd, const char *name, const struct replay_config *config,
	      const struct sinks *sinks, struct watch_result *r);

#endif
