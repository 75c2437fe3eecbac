/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flame_notes.h - what stands on stderr beside a flame graph: how much it is, and what is not in it.
 */
#ifndef EPOLLSCOPE_FLAME_NOTES_H
#define EPOLLSCOPE_FLAME_NOTES_H

#include "capture/watch_result.h"
#include "cli/options.h"
#include "explain/profile.h"

/* After the tail's tree was made. */
void flame_say_tail(const struct profile_tail *t, const struct watch_result *w);

void flame_say_stats(struct profile *p, const struct options *o, const struct watch_result *w,
		     unsigned nameless_files);

#endif
