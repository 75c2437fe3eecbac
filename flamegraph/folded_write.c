/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* folded_write.c - a tree as lines of folded text, escaped so that it can be read back. */
#include "base/array.h"
#include "text.h"
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The frames down to where the walk is, ready to be written. */
struct line {
	char *text;
	size_t cap;
	size_t end[FLAME_MAX_DEPTH + 1];	/* by depth */
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A backslash that reading would take for the beginning of \xNN. */
static bool reads_as_escape(const char *s, size_t len)
{
	return len >= 4 && s[0] == '\\' && s[1] == 'x' && is_hex(s[2]) && is_hex(s[3]);
}

/* Appends s; four bytes for each of its own are enough. */
static size_t escape(char *to, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0, n;
	uint32_t code;
	bool hostile;

	for (size_t at = 0; at < len; at += n) {
		n = flame_next_unit(s + at, len - at, &code, &hostile);
		if (hostile || s[at] == ';' || reads_as_escape(s + at, len - at)) {
			unsigned char c = (unsigned char)s[at];

			memcpy(to + used, (char[]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4);
			used += 4;
		} else {
			memcpy(to + used, s + at, n);
			used += n;
		}
	}
	return used;
}

static int set_frame(struct line *l, const struct flame_tree *t, uint32_t node, uint32_t depth)
{
	size_t len, at = l->end[depth - 1];
	const char *name = flame_name(t, node, &len);
	size_t need = at + 1 + 4 * len;

	if (array_reserve(&l->text, &l->cap, need, 1))
		return -ENOMEM;
	if (depth > 1)
		l->text[at++] = ';';
	l->end[depth] = at + escape(l->text + at, name, len);
	return 0;
}

/*
 * A leaf like "worker 3" would lend its number to the weights: its space is escaped, and a space
 * at its very end.
 */
static void put_frames(const struct line *l, uint32_t depth, FILE *out)
{
	size_t len = l->end[depth], at = len;

	while (at && l->text[at - 1] >= '0' && l->text[at - 1] <= '9')
		at--;
	if (!at || l->text[at - 1] != ' ') {
		fwrite(l->text, 1, len, out);
		return;
	}
	fwrite(l->text, 1, at - 1, out);
	fputs("\\x20", out);
	fwrite(l->text + at, 1, len - at, out);
}

static void put_weights(const struct flame_tree *t, uint32_t node, FILE *out)
{
	fputc(' ', out);
	if (t->base) {
		flame_put_u64(out, t->base[node]);
		fputc(' ', out);
	}
	flame_put_u64(out, t->nodes[node].self);
	fputc('\n', out);
}

int flame_write_folded(const struct flame_tree *t, FILE *out)
{
	struct flame_order order;
	struct flame_walk *w = malloc(sizeof(*w));
	struct line *l = calloc(1, sizeof(*l));
	int err = w && l ? flame_order(&order, t, NULL, 0) : -ENOMEM;

	if (err)
		goto out;
	flame_walk_init(w, &order);
	flame_next(w);
	while (!err && flame_next(w)) {
		err = set_frame(l, t, w->node, w->depth);
		if (err || !(flame_self(t, w->node) || flame_self_base(t, w->node)))
			continue;
		put_frames(l, w->depth, out);
		put_weights(t, w->node, out);
	}
	flame_order_free(&order);
	if (!err && ferror(out))
		err = -EIO;
out:
	if (l)
		free(l->text);
	free(l);
	free(w);
	return err;
}
