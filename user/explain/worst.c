/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* worst.c - see worst.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain/worst.h"

int worst_init(struct worst *w, size_t room, bool waterfalls)
{
	*w = (struct worst){ .room = room };
	w->list = calloc(room + 1, sizeof(*w->list));
	if (waterfalls)
		w->waterfalls = calloc(room + 1, sizeof(*w->waterfalls));
	return w->list && (w->waterfalls || !waterfalls) ? 0 : -ENOMEM;
}

void worst_free(struct worst *w)
{
	free(w->list);
	free(w->waterfalls);
}

void worst_add(struct worst *w, const struct exchange_info *x, const struct history *h)
{
	size_t i;

	if (w->n == w->room &&
	    (!w->room || x->ex.latency_ns <= w->list[w->n - 1].ex.latency_ns))
		return;
	if (w->n < w->room)
		w->n++;
	for (i = w->n - 1; i > 0 && w->list[i - 1].ex.latency_ns < x->ex.latency_ns; i--) {
		w->list[i] = w->list[i - 1];
		if (w->waterfalls)
			w->waterfalls[i] = w->waterfalls[i - 1];
	}
	w->list[i] = *x;
	if (w->waterfalls)
		waterfall_fill(&w->waterfalls[i], h, &x->ex, x->ex.latency_ns / WORST_PART);
}
