/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* worker.h - a thread of the run: its event loop from opening the connections to closing them. */
#ifndef EPOLLLOAD_WORKER_H
#define EPOLLLOAD_WORKER_H

#include "state.h"

/* 0 or a negative errno; worker_destroy() in any case. */
int worker_init(struct worker *w, struct run *run, uint32_t id);
void worker_destroy(struct worker *w);

/*
 * The thread: opens the connections, says so in run->ready, waits for run->go, runs the schedule,
 * says so in run->done, holds the connections if that is asked for, counts in run->ended. Each is
 * announced to the process by SIGUSR1 when the last thread is there.
 */
void *worker_main(void *worker);

#endif
