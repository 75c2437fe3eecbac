/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* watch_result.c - see watch_result.h. */
#include "capture/watch_result.h"

void watch_result_free(struct watch_result *r)
{
	aggregate_free(r->aggregate);
	targets_free(&r->targets);
	*r = (struct watch_result){ 0 };
}
