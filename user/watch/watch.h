/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * watch.h - what every command does that watches live: resolve the target or launch it, attach,
 * drain, stop in good order.
 */
#ifndef EPOLLSCOPE_WATCH_H
#define EPOLLSCOPE_WATCH_H

#include "watch/live.h"

/*
 * Watches config->spec, whose program is launched if it has one, for duration_ns (0: until a
 * signal, the target's end or a sink ends it). EXIT_OK, or an exit status whose line is already
 * printed. The result is to be freed in either case.
 */
int watch(const struct live_config *config, uint64_t duration_ns, const struct sinks *sinks,
	  struct watch_result *r);

#endif
