/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * types.h - the kernel's types (BTF), read once for all that we ask of them: whether a hook exists,
 * its number for the attach, and those types whose fields the programs are relocated to.
 *
 * libbpf would read and parse all 130,000 of them for each of these, and search them name by name.
 */
#ifndef EPOLLSCOPE_TYPES_H
#define EPOLLSCOPE_TYPES_H

#include <bpf/btf.h>
#include <stdint.h>

struct types;

/* 0 and *out, or a negative errno: the kernel has no types, or they make no sense. */
int types_read(struct types **out);
void types_free(struct types *t);	/* NULL is fine */

/* The first type of that name and kind (BTF_KIND_...), or 0. */
uint32_t types_find(const struct types *t, const char *name, uint32_t kind);

/*
 * Writes the types that `local`, the BTF of our programs, has names of, and what lies in them by value;
 * whatever they point to is void. 0 or a negative errno.
 */
int types_write(const struct types *t, const struct btf *local, int fd);

#endif
