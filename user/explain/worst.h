/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* worst.h - the slowest exchanges of a watch, each with its waterfall if that is wanted. */
#ifndef EPOLLSCOPE_WORST_H
#define EPOLLSCOPE_WORST_H

#include "explain/waterfall.h"

/* A part of a waterfall that is shorter than this fraction of the exchange is left out. */
#define WORST_PART 200

/* To be read. */
struct worst {
	struct exchange_info *list;	/* slowest first */
	struct waterfall *waterfalls;	/* of each; NULL: not wanted */
	size_t n, room;
};

int worst_init(struct worst *w, size_t room, bool waterfalls);	/* 0 or -ENOMEM */
void worst_free(struct worst *w);

/*
 * Keeps the exchange if it is among the slowest. Its waterfall is made at once: the history may
 * forget later what it rests on.
 */
void worst_add(struct worst *w, const struct exchange_info *x, const struct history *h);

#endif
