/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alive.c - the processes of a target that run. */
#include <stdlib.h>

#include "base/array.h"
#include "target/alive.h"

void alive_add(struct alive *a, uint32_t pid)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->pids[i] == pid)
			return;
	if (!array_reserve(&a->pids, &a->room, a->n + 1, sizeof(*a->pids)))
		a->pids[a->n++] = pid;
}

void alive_remove(struct alive *a, uint32_t pid)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->pids[i] != pid)
			continue;
		a->pids[i] = a->pids[--a->n];
		a->last_exit = pid;
		return;
	}
}

void alive_free(struct alive *a)
{
	free(a->pids);
	*a = (struct alive){ 0 };
}
