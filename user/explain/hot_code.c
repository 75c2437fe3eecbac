/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hot_code.c - see hot_code.h. Nodes are numbered after their parents. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/hot_code.h"

#define FIRST_DEPTH 3	/* below the root: stage, thread */

static int is_code(const char *name, size_t len)
{
	return len && name[0] != '[' && !(len > 4 && !memcmp(name + len - 4, "_[k]", 4));
}

size_t hot_code(const struct flame_tree *t, char *out, size_t size)
{
	uint32_t n = flame_nodes(t), found = FLAME_ROOT, found_depth = 0;
	uint64_t *total = calloc(n, sizeof(*total));
	uint32_t *depth = calloc(n, sizeof(*depth));
	const char *name;
	size_t len = 0;

	for (uint32_t i = n; total && depth && i-- > 1;) {
		total[i] += flame_self(t, i);
		total[flame_parent(t, i)] += total[i];
	}
	for (uint32_t i = 1; total && depth && i < n; i++) {
		depth[i] = depth[flame_parent(t, i)] + 1;
		name = flame_name(t, i, &len);
		if (depth[i] >= FIRST_DEPTH && depth[i] > found_depth && total[i] >= total[0] / 2 &&
		    is_code(name, len)) {
			found = i;
			found_depth = depth[i];
		}
	}
	free(total);
	free(depth);
	len = 0;
	if (found != FLAME_ROOT) {
		name = flame_name(t, found, &len);
		len = (size_t)snprintf(out, size, "%.*s", (int)len, name);
	}
	return len < size ? len : size - 1;
}
