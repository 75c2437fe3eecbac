/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * types_file.c - the few types that our programs are relocated to, as BTF of their own.
 *
 * A relocation follows a field's path from a named type through what lies in it by value. So these
 * types are taken whole, and every pointer becomes one to void.
 */
#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/types_private.h"

struct buffer {
	uint8_t *data;
	size_t len, room;
	bool failed;
};

struct subset {
	const struct types *t;
	uint32_t *new_id;	/* by the kernel's; 0: not taken */
	uint32_t *old_id;	/* by ours, from 1, in the order of taking */
	uint32_t n;		/* taken, with void */
	struct buffer types, strings;
};

static void *put(struct buffer *b, const void *data, size_t len)
{
	size_t room = b->room ? b->room : 65536;
	uint8_t *grown;

	while (room < b->len + len)
		room *= 2;
	grown = room > b->room ? realloc(b->data, room) : b->data;
	if (!grown) {
		b->failed = true;
		return NULL;
	}
	b->data = grown;
	b->room = room;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return b->data + b->len - len;
}

static uint32_t put_string(struct subset *s, uint32_t offset)
{
	const char *text = types_string(s->t, offset);
	uint32_t at = (uint32_t)s->strings.len;

	if (!*text)
		return 0;
	put(&s->strings, text, strlen(text) + 1);
	return at;
}

/* The number that a type will have; void and what does not exist are 0. */
static uint32_t take(struct subset *s, uint32_t id)
{
	if (!type_by_id(s->t, id))
		return 0;
	if (!s->new_id[id]) {
		s->new_id[id] = s->n;
		s->old_id[s->n++] = id;
	}
	return s->new_id[id];
}

static void put_members(struct subset *s, const struct btf_type *type)
{
	const struct btf_member *m = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		struct btf_member out = m[i];

		out.name_off = put_string(s, m[i].name_off);
		out.type = take(s, m[i].type);
		put(&s->types, &out, sizeof(out));
	}
}

/* The value follows the name in both kinds. */
static void put_values(struct subset *s, const struct btf_type *type, size_t size)
{
	const uint8_t *value = (const uint8_t *)(type + 1);

	for (uint32_t i = 0; i < btf_vlen(type); i++, value += size) {
		uint32_t name;
		uint8_t *out;

		memcpy(&name, value, sizeof(name));
		name = put_string(s, name);
		out = put(&s->types, value, size);
		if (out)
			memcpy(out, &name, sizeof(name));
	}
}

static void put_type(struct subset *s, uint32_t id)
{
	const struct btf_type *type = type_by_id(s->t, id);
	struct btf_type out = *type;
	struct btf_array array;

	out.name_off = put_string(s, type->name_off);
	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
		out.type = 0;
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		out.type = take(s, type->type);
		break;
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO:
		/* Nothing has one by value. */
		out = (struct btf_type){ .info = BTF_KIND_PTR << 24 };
		break;
	}
	put(&s->types, &out, sizeof(out));
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		put(&s->types, type + 1, sizeof(uint32_t));
		break;
	case BTF_KIND_ARRAY:
		array = *btf_array(type);
		array.type = take(s, array.type);
		array.index_type = take(s, array.index_type);
		put(&s->types, &array, sizeof(array));
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		put_members(s, type);
		break;
	case BTF_KIND_ENUM:
		put_values(s, type, sizeof(struct btf_enum));
		break;
	case BTF_KIND_ENUM64:
		put_values(s, type, sizeof(struct btf_enum64));
		break;
	}
}

/* All of the kernel's types that have the name of one of ours. */
static void take_named(struct subset *s, const struct btf *local)
{
	for (uint32_t i = 1; i < btf__type_cnt(local); i++) {
		const struct btf_type *type = btf__type_by_id(local, i);
		const char *name = btf__name_by_offset(local, type->name_off);
		uint32_t slot = TYPES_FIRST, id;

		if (!name || !*name || btf_kind(type) == BTF_KIND_FUNC ||
		    btf_kind(type) == BTF_KIND_VAR || btf_kind(type) == BTF_KIND_DATASEC)
			continue;
		while ((id = types_next(s->t, name, &slot)))
			if (btf_kind(type_by_id(s->t, id)) != BTF_KIND_FUNC)
				take(s, id);
	}
}

static int write_all(int fd, const void *data, size_t len)
{
	ssize_t n = write(fd, data, len);

	return n < 0 ? -errno : (size_t)n < len ? -EIO : 0;
}

static int write_file(const struct subset *s, int fd)
{
	struct btf_header h = {
		.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h),
		.type_len = (uint32_t)s->types.len, .str_off = (uint32_t)s->types.len,
		.str_len = (uint32_t)s->strings.len,
	};
	int err = write_all(fd, &h, sizeof(h));

	err = err ? err : write_all(fd, s->types.data, s->types.len);
	return err ? err : write_all(fd, s->strings.data, s->strings.len);
}

int types_write(const struct types *t, const struct btf *local, int fd)
{
	struct subset s = { .t = t, .n = 1 };
	int err = -ENOMEM;

	s.new_id = calloc(t->n, sizeof(*s.new_id));
	s.old_id = calloc(t->n, sizeof(*s.old_id));
	if (s.new_id && s.old_id) {
		put(&s.strings, "", 1);
		take_named(&s, local);
		/* What these hold by value is taken on the way. */
		for (uint32_t i = 1; i < s.n; i++)
			put_type(&s, s.old_id[i]);
		err = s.types.failed || s.strings.failed ? -ENOMEM : write_file(&s, fd);
	}
	free(s.new_id);
	free(s.old_id);
	free(s.types.data);
	free(s.strings.data);
	return err;
}
