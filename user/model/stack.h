/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack.h - a stack with its frames in words, and the files of frames that have no symbol.
 *
 * An event carries ids of the kernel's stack map. A user stack means something only together with
 * its process; a kernel stack is everybody's (pid 0).
 */
#ifndef EPOLLSCOPE_STACK_H
#define EPOLLSCOPE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 64		/* bytes; longer ones are not read */

struct stack_key {
	uint32_t pid;	/* 0: a kernel stack */
	int32_t id;
	uint64_t first_ns;	/* of the event that named it first; no part of the key */
};

/*
 * Frames innermost first; kernel frames end in "_[k]". One that no symbol covers is
 * "[MODULE+0xADDRESS]": the name of a struct stack_module and the address that the file itself gives
 * to the place, as addr2line takes it. Without a file, or one that could not be read, "[libfoo.so]",
 * "[anon]" or "[unknown]".
 */
struct named_stack {
	struct stack_key key;
	const char *const *frames;
	size_t n;
	bool cut;	/* as deep as is kept: the outermost frames are missing */
};

/* The file of such frames. All of it is somebody else's text, without control characters. */
struct stack_module {
	const char *name;	/* base name of the file, made unique among them */
	const char *path;	/* as its process saw it */
	uint8_t build_id[BUILD_ID_MAX];
	unsigned build_id_len;	/* 0: it has none */
};

typedef void (*stack_module_fn)(void *ctx, const struct stack_module *m);

typedef void (*named_stack_fn)(void *ctx, const struct named_stack *s);

#endif
