/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* folded_read.c - lines of `outer;inner;leaf 123` into a tree. */
#include "base/array.h"
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * What the line before left: sorted text repeats most of it, and so much of the way into the tree
 * need not be searched again.
 */
struct reader {
	struct flame_tree *tree;
	enum flame_columns columns;
	char *last;			/* the frames of the line before, without the weight */
	size_t last_len, last_cap;
	struct flame_path path;		/* its frames */
	size_t end[FLAME_MAX_DEPTH + 1];	/* where each ends in the line, from 1 */
};

/* Takes a number and the space before it from the end of s[0..*len). */
static bool take_number(const char *s, size_t *len, uint64_t *value)
{
	size_t at = *len;
	uint64_t scale = 1, sum = 0;
	bool fits = true;

	for (; at && s[at - 1] >= '0' && s[at - 1] <= '9'; at--) {
		uint64_t digit = (uint64_t)(s[at - 1] - '0');

		/* Zeros in front may be many. */
		if (digit && (!scale || __builtin_mul_overflow(digit, scale, &digit) ||
			      __builtin_add_overflow(sum, digit, &sum)))
			fits = false;
		if (__builtin_mul_overflow(scale, 10, &scale))
			scale = 0;
	}
	if (at == *len || !at || s[at - 1] != ' ' || !fits)
		return false;
	*len = at - 1;
	*value = sum;
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A frame that has a backslash: \xNN is a byte, but for NUL. */
static int add_escaped(struct reader *r, const char *s, size_t len)
{
	char *name = malloc(len + 1);
	size_t n = 0;
	int err;

	if (!name)
		return -ENOMEM;
	for (size_t at = 0; at < len; n++) {
		int high = len - at >= 4 && s[at] == '\\' && s[at + 1] == 'x' ? hex(s[at + 2]) : -1;
		int low = high >= 0 ? hex(s[at + 3]) : -1;
		bool taken = low >= 0 && high + low;

		name[n] = taken ? (char)(high << 4 | low) : s[at];
		at += taken ? 4 : 1;
	}
	err = flame_path_add(r->tree, &r->path, name, n);
	free(name);
	return err;
}

static int add_frame(struct reader *r, const char *s, size_t len)
{
	if (len && memchr(s, '\\', len))
		return add_escaped(r, s, len);
	return flame_path_add(r->tree, &r->path, s, len);
}

/* How many frames of s[0..len) are those of the line before. */
static uint32_t common_frames(const struct reader *r, const char *s, size_t len)
{
	size_t least = len < r->last_len ? len : r->last_len, same = 0;
	uint32_t low = 0, high = r->path.depth;

	while (same + 8 <= least && !memcmp(s + same, r->last + same, 8))
		same += 8;
	while (same < least && s[same] == r->last[same])
		same++;
	/* The frames that end within the common part, and in this line too. */
	while (low < high) {
		uint32_t middle = (low + high + 1) / 2;
		size_t end = r->end[middle];

		if (end < same || (end == same && (end == len || s[end] == ';')))
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static int remember(struct reader *r, const char *s, size_t len)
{
	if (array_reserve(&r->last, &r->last_cap, len, 1))
		return -ENOMEM;
	memcpy(r->last, s, len);
	r->last_len = len;
	return 0;
}

/* Follows the frames of s[0..len), which has some; the last one's node is *leaf. */
static int follow(struct reader *r, const char *s, size_t len, uint32_t *leaf)
{
	struct flame_path *p = &r->path;
	bool whole;
	size_t at;
	int err = 0;

	p->depth = p->known = common_frames(r, s, len);
	at = p->depth ? r->end[p->depth] + 1 : 0;
	for (whole = at > len; !whole && p->depth < FLAME_MAX_DEPTH && !err; ) {
		const char *end = memchr(s + at, ';', len - at);
		size_t n = end ? (size_t)(end - s) - at : len - at;

		err = add_frame(r, s + at, n);
		r->end[p->depth] = at + n;
		at += n + 1;
		whole = !end;
	}
	r->tree->cut += !whole;
	if (!err)
		err = flame_path_follow(r->tree, p);
	*leaf = p->at[p->known].node;
	if (!err)
		err = remember(r, s, len);
	if (err)
		p->depth = p->known = 0;
	return err;
}

static void reader_init(struct reader *r, struct flame_tree *t, enum flame_columns columns)
{
	r->tree = t;
	r->columns = columns;
	r->last = NULL;
	r->last_len = r->last_cap = 0;
	flame_path_begin(&r->path);
}

static int add_line(struct reader *r, const char *s, size_t len)
{
	uint64_t weight, base = 0;
	uint32_t leaf = FLAME_ROOT;
	bool two = false;
	int err;

	while (len && (s[len - 1] == '\n' || s[len - 1] == '\r'))
		len--;
	if (!take_number(s, &len, &weight))
		return -EINVAL;
	if (r->columns != FLAME_COLUMNS_ONE)
		two = take_number(s, &len, &base);
	if (!len || (r->columns == FLAME_COLUMNS_TWO && !two) || memchr(s, '\0', len))
		return -EINVAL;
	if (r->tree->total + weight < weight || r->tree->base_total + base < base)
		return -EOVERFLOW;
	err = follow(r, s, len, &leaf);
	if (!err)
		err = flame_weigh(r->tree, leaf, weight);
	if (!err && two)
		err = flame_weigh_base(r->tree, leaf, base);
	return err;
}

int flame_parse_line(struct flame_tree *t, const char *line, size_t len,
		     enum flame_columns columns)
{
	struct reader r;
	int err;

	reader_init(&r, t, columns);
	err = add_line(&r, line, len);
	free(r.last);
	return err;
}

static bool is_blank(const char *s, ssize_t len)
{
	return len == 0 || s[0] == '\n' || (s[0] == '\r' && (len == 1 || s[1] == '\n'));
}

int flame_read_folded(struct flame_tree *t, FILE *in, struct flame_read *read)
{
	struct reader r;
	char *line = NULL;
	size_t cap = 0;
	uint64_t number = 0;
	ssize_t len;
	int err = 0;

	reader_init(&r, t, read->columns);
	while (!err && (len = getline(&line, &cap, in)) >= 0) {
		number++;
		if (is_blank(line, len))
			continue;
		err = add_line(&r, line, (size_t)len);
		if (!err)
			read->lines++;
		if (err == -EINVAL) {
			if (!read->bad++)
				read->first_bad = number;
			err = 0;
		}
	}
	if (!err && ferror(in))
		err = -EIO;
	free(line);
	free(r.last);
	return err;
}
