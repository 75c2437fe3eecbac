/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_modules.h - the files of frames that no symbol covers: names for such frames where they are
 * taken, and symbols for them where they are read and the files' debug information is at hand.
 */
#ifndef EPOLLSCOPE_STACK_MODULES_H
#define EPOLLSCOPE_STACK_MODULES_H

#include "model/stack.h"
#include "symbols/symbols.h"

#define STACK_MODULES_MAX 4096
#define MODULE_NAME_MAX 512	/* with its NUL */
#define MODULE_FRAME_MAX (MODULE_NAME_MAX + 24)

struct stack_modules;

struct stack_modules *stack_modules_new(void);	/* NULL when out of memory */
void stack_modules_free(struct stack_modules *s);	/* NULL is fine */

/*
 * Writes the frame of a place that has an address (place->vaddr). The module that it is in, NULL
 * without memory or if there are too many; *fresh: it is met for the first time.
 */
const struct stack_module *stack_modules_frame(struct stack_modules *s, const char *object,
					       const struct symbol_place *place, bool *fresh,
					       char frame[MODULE_FRAME_MAX]);

/* One that a capture tells of; copied. 0, -ENOMEM, -E2BIG: there are too many. */
int stack_modules_add(struct stack_modules *s, const struct stack_module *m);

/*
 * The name of a frame, by the debug information in `dir` (NULL: /usr/lib/debug) of the very build,
 * which is read when a first frame asks for it. NULL: it stays as it is; then *module is its file,
 * the first time, else NULL.
 */
const char *stack_modules_resolve(struct stack_modules *s, const char *dir, const char *frame,
				  const struct stack_module **module);

#endif
