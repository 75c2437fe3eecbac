/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* types.c - one pass over the kernel's types, and look-ups by name. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/types_private.h"

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"

/* Since Linux 6.16 the file can be mapped; before, it is read, page by page. */
static int get_file(struct types *t, int fd, size_t size)
{
	size_t done = 0;
	ssize_t n;

	t->size = size;
	t->data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	t->mapped = t->data != MAP_FAILED;
	if (t->mapped)
		return 0;
	t->data = malloc(size);
	if (!t->data)
		return -ENOMEM;
	while (done < size) {
		n = read(fd, t->data + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int read_file(struct types *t)
{
	int fd = open(KERNEL_TYPES, O_RDONLY | O_CLOEXEC), err;
	struct stat st;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : get_file(t, fd, (size_t)st.st_size);
	close(fd);
	return err;
}

static int read_head(struct types *t)
{
	const struct btf_header *h = (const void *)t->data;
	uint64_t types, strings;

	if (t->size < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len < sizeof(*h))
		return -EINVAL;
	types = (uint64_t)h->hdr_len + h->type_off;
	strings = (uint64_t)h->hdr_len + h->str_off;
	if (types + h->type_len > t->size || strings + h->str_len > t->size || !h->str_len ||
	    types % 4 || t->data[strings + h->str_len - 1])
		return -EINVAL;
	t->types = t->data + types;
	t->types_len = h->type_len;
	t->strings = (const char *)t->data + strings;
	t->strings_len = h->str_len;
	return 0;
}

size_t type_size(const struct btf_type *type)
{
	size_t n = btf_vlen(type), size = sizeof(*type);

	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		return size + sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return size + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return size + n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return size + n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return size + n * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return size + n * sizeof(struct btf_param);
	case BTF_KIND_VAR:
		return size + sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return size + n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG:
		return size + sizeof(struct btf_decl_tag);
	default:
		return size;
	}
}

const struct btf_type *type_by_id(const struct types *t, uint32_t id)
{
	return id && id < t->n ? (const void *)(t->types + t->at[id]) : NULL;
}

const char *types_string(const struct types *t, uint32_t offset)
{
	return offset < t->strings_len ? t->strings + offset : "";
}

/* Where every type is. */
static int number_types(struct types *t)
{
	size_t room = t->types_len / sizeof(struct btf_type) + 1, at = 0;

	t->at = malloc(room * sizeof(*t->at));
	if (!t->at)
		return -ENOMEM;
	for (t->n = 1; at + sizeof(struct btf_type) <= t->types_len; t->n++) {
		t->at[t->n] = (uint32_t)at;
		at += type_size((const void *)(t->types + at));
	}
	return at == t->types_len ? 0 : -EINVAL;
}

static uint32_t hash_of(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h ^ h >> 15;
}

static bool is_named(uint32_t kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM ||
	       kind == BTF_KIND_ENUM64 || kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_FUNC ||
	       kind == BTF_KIND_INT;
}

/* The lower numbers of a name come first. */
static int index_names(struct types *t)
{
	for (t->slots = 1024; t->slots < 2 * t->n;)
		t->slots *= 2;
	t->by_name = calloc(t->slots, sizeof(*t->by_name));
	if (!t->by_name)
		return -ENOMEM;
	for (uint32_t id = 1; id < t->n; id++) {
		const struct btf_type *type = type_by_id(t, id);
		const char *name = types_string(t, type->name_off);
		uint32_t slot;

		if (!*name || !is_named(btf_kind(type)))
			continue;
		slot = hash_of(name) & (t->slots - 1);
		while (t->by_name[slot])
			slot = (slot + 1) & (t->slots - 1);
		t->by_name[slot] = id;
	}
	return 0;
}

uint32_t types_next(const struct types *t, const char *name, uint32_t *slot)
{
	if (*slot == TYPES_FIRST)
		*slot = hash_of(name) & (t->slots - 1);
	for (; t->by_name[*slot]; *slot = (*slot + 1) & (t->slots - 1)) {
		uint32_t id = t->by_name[*slot];

		if (strcmp(types_string(t, type_by_id(t, id)->name_off), name) != 0)
			continue;
		*slot = (*slot + 1) & (t->slots - 1);
		return id;
	}
	return 0;
}

uint32_t types_find(const struct types *t, const char *name, uint32_t kind)
{
	uint32_t slot = TYPES_FIRST, id;

	do
		id = types_next(t, name, &slot);
	while (id && btf_kind(type_by_id(t, id)) != kind);
	return id;
}

int types_read(struct types **out)
{
	struct types *t = calloc(1, sizeof(*t));
	int err = t ? read_file(t) : -ENOMEM;

	err = err ? err : read_head(t);
	err = err ? err : number_types(t);
	err = err ? err : index_names(t);
	*out = err ? NULL : t;
	if (err)
		types_free(t);
	return err;
}

void types_free(struct types *t)
{
	if (!t)
		return;
	if (t->mapped)
		munmap(t->data, t->size);
	else if (t->data != MAP_FAILED)
		free(t->data);
	free(t->at);
	free(t->by_name);
	free(t);
}
