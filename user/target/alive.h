/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alive.h - the processes of a target that run: a small set of pids. */
#ifndef EPOLLSCOPE_ALIVE_H
#define EPOLLSCOPE_ALIVE_H

#include <stddef.h>
#include <stdint.h>

struct alive {
	uint32_t *pids;
	size_t n, room;
	uint32_t last_exit;	/* the process that was removed last; 0: none */
};

void alive_add(struct alive *a, uint32_t pid);		/* no-op if it is there */
void alive_remove(struct alive *a, uint32_t pid);
void alive_free(struct alive *a);

#endif
