/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stacks.c - see stacks.h. */
#include <errno.h>
#include <string.h>

#include "capture/format.h"
#include "capture/stacks.h"
#include "model/model.h"

#define FRAME_MAX 2048	/* bytes of a name */

struct stack_head {
	uint32_t pid;
	int32_t id;
	uint16_t n;
	uint16_t cut;
};

int stacks_put(struct bytes *to, const struct named_stack *s)
{
	struct stack_head head = { .pid = s->key.pid, .id = s->key.id, .n = (uint16_t)s->n,
				   .cut = s->cut };

	bytes_put(to, &head, sizeof(head));
	for (size_t i = 0; i < s->n; i++) {
		uint16_t len = (uint16_t)strnlen(s->frames[i], FRAME_MAX - 1);

		bytes_put(to, &len, sizeof(len));
		bytes_put(to, s->frames[i], len);
	}
	return to->failed ? -ENOMEM : 0;
}

/* The frames of one stack, copied into `text` with their ends. Returns the bytes read, 0 if cut. */
static size_t get_frames(const uint8_t *data, size_t len, size_t n, char (*text)[FRAME_MAX],
			 const char **frames)
{
	size_t at = 0;
	uint16_t bytes;

	for (size_t i = 0; i < n; i++) {
		if (len - at < sizeof(bytes))
			return 0;
		memcpy(&bytes, data + at, sizeof(bytes));
		at += sizeof(bytes);
		if (len - at < bytes || bytes >= FRAME_MAX)
			return 0;
		memcpy(text[i], data + at, bytes);
		text[i][bytes] = '\0';
		frames[i] = text[i];
		at += bytes;
	}
	return at;
}

int stacks_get(const void *data, size_t len, named_stack_fn fn, void *ctx)
{
	static const size_t head_bytes = sizeof(struct stack_head);
	const uint8_t *at = data;

	while (len) {
		const char *frames[STACK_DEPTH];
		char text[STACK_DEPTH][FRAME_MAX];
		struct named_stack s = { .frames = frames };
		struct stack_head head;
		size_t used;

		if (len < head_bytes)
			return -EBADMSG;
		memcpy(&head, at, head_bytes);
		if (!head.n || head.n > STACK_DEPTH || head.id < 0)
			return -EBADMSG;
		used = get_frames(at + head_bytes, len - head_bytes, head.n, text, frames);
		if (!used)
			return -EBADMSG;
		s.key = (struct stack_key){ .pid = head.pid, .id = head.id };
		s.n = head.n;
		s.cut = head.cut;
		fn(ctx, &s);
		at += head_bytes + used;
		len -= head_bytes + used;
	}
	return 0;
}

void modules_put(struct bytes *to, const struct stack_module *m)
{
	size_t begun = item_begin(to, MODULES_FILE);

	item_text(to, MODULE_NAME, m->name);
	item_text(to, MODULE_PATH, m->path);
	if (m->build_id_len)
		item_bytes(to, MODULE_BUILD_ID, m->build_id, m->build_id_len);
	item_end(to, begun, true);
}

static void get_module(struct items from, stack_module_fn fn, void *ctx)
{
	char name[FRAME_MAX] = "", path[4096] = "";
	struct stack_module m = { .name = name, .path = path };
	struct item it;

	while (items_next(&from, &it)) {
		if (it.id == MODULE_NAME) {
			get_text(&it, name, sizeof(name));
		} else if (it.id == MODULE_PATH) {
			get_text(&it, path, sizeof(path));
		} else if (it.id == MODULE_BUILD_ID && it.len <= sizeof(m.build_id)) {
			memcpy(m.build_id, it.data, it.len);
			m.build_id_len = (unsigned)it.len;
		}
	}
	if (name[0])
		fn(ctx, &m);
}

int modules_get(const void *data, size_t len, stack_module_fn fn, void *ctx)
{
	struct items from = { .data = data, .len = len };
	struct item it;

	while (items_next(&from, &it))
		if (it.id == MODULES_FILE)
			get_module(items_in(&it), fn, ctx);
	return from.cut ? -EBADMSG : 0;
}
