/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hot_code.h - the code that holds most of a tail's tree, for the diagnosis. */
#ifndef EPOLLSCOPE_HOT_CODE_H
#define EPOLLSCOPE_HOT_CODE_H

#include <stddef.h>

#include "flamegraph/flamegraph.h"

/*
 * The innermost function of the application under which at least half of the time went by, of a
 * tree whose first two frames are a stage and a thread. Its length, up to size - 1; 0 if there is
 * none. Kernel frames and what stands in brackets are nobody's code.
 */
size_t hot_code(const struct flame_tree *t, char *out, size_t size);

#endif
