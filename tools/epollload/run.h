/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run.h - the threads of one run, from their start to their sum. */
#ifndef EPOLLLOAD_RUN_H
#define EPOLLLOAD_RUN_H

#include <stdint.h>

#include "config.h"
#include "counts.h"

struct result {
	struct counts counts;
	uint64_t start_ns, end_ns;
	int fatal;		/* errno that kept the run from starting; 0: it ran */
};

/*
 * Runs the whole load; result must be zero. 0 or a negative errno. The first SIGINT or SIGTERM stops
 * the load, which is a result like any other; the second ends the process.
 */
int run_load(const struct config *cfg, struct result *result);

#endif
