/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * replay.h - a watch out of a capture file: the same handlers are called, the same result is
 * filled, without root, a kernel or a clock.
 */
#ifndef EPOLLSCOPE_REPLAY_H
#define EPOLLSCOPE_REPLAY_H

#include "watch/watch.h"

/*
 * Replays o->input ("-": standard input). EXIT_OK, or an exit status whose line is already
 * printed. Damage prints its line and sets r->damaged: what is whole was replayed.
 */
int replay(const struct options *o, const struct watch_handlers *h, struct watch_result *r);

/* The same of an open file, which is called `name` in messages; takes over fd. */
int replay_fd(int fd, const char *name, const struct watch_handlers *h, struct watch_result *r);

#endif
