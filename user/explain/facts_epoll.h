/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* facts_epoll.h - how the target's eventpolls are armed, by /proc/PID/fdinfo. */
#ifndef EPOLLSCOPE_FACTS_EPOLL_H
#define EPOLLSCOPE_FACTS_EPOLL_H

#include "explain/facts.h"

/* Fills io_uring, out_armed, out_watched, herd_waiters. */
void facts_epoll(struct facts *f, const uint32_t *pids, size_t n);

#endif
