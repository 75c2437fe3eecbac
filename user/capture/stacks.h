/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stacks.h - stacks as text in the contents of a CHUNK_STACKS, and back.
 *
 * One after the other: pid, id, number of frames, cut or not; for each frame its length and bytes.
 * And the files of their nameless frames as items, the contents of a CHUNK_MODULES.
 */
#ifndef EPOLLSCOPE_CAPTURE_STACKS_H
#define EPOLLSCOPE_CAPTURE_STACKS_H

#include "capture/items.h"
#include "model/stack.h"

/* Adds a stack at the end. 0 or -ENOMEM. */
int stacks_put(struct bytes *to, const struct named_stack *s);

/* Calls fn for each. 0, or -EBADMSG where it is malformed: those before it were given. */
int stacks_get(const void *data, size_t len, named_stack_fn fn, void *ctx);

/* The same for modules; memory that runs out shows in `to`. */
void modules_put(struct bytes *to, const struct stack_module *m);
int modules_get(const void *data, size_t len, stack_module_fn fn, void *ctx);

#endif
