/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* types_private.h - struct types, for types.c and types_file.c only. */
#ifndef EPOLLSCOPE_TYPES_PRIVATE_H
#define EPOLLSCOPE_TYPES_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/types.h"

struct types {
	uint8_t *data;		/* the whole file */
	size_t size;
	bool mapped;		/* else it is from malloc() */
	const uint8_t *types;
	size_t types_len;
	const char *strings;
	size_t strings_len;
	uint32_t n;		/* types, with void */
	uint32_t *at;		/* offset in `types`, by number */
	uint32_t slots;		/* a power of two, at least twice as many as names */
	uint32_t *by_name;	/* numbers, by the hash of their names; 0: free */
};

#define TYPES_FIRST UINT32_MAX

/* The next type of that name, of any kind, or 0; *slot is TYPES_FIRST for the first. */
uint32_t types_next(const struct types *t, const char *name, uint32_t *slot);

const struct btf_type *type_by_id(const struct types *t, uint32_t id);	/* NULL: void, or none */
const char *types_string(const struct types *t, uint32_t offset);
size_t type_size(const struct btf_type *type);	/* with what follows it */

#endif
