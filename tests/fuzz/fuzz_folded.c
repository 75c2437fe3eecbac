/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_folded.c - any bytes as folded text: what was read is written, read again and drawn.
 *
 * A libFuzzer target, to be linked with flamegraph/ and user/base/. Reading what was written must give the same
 * tree, every line of it, and a picture must have no byte that XML forbids.
 */
#include "flamegraph/flamegraph.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_folded: %s\n", what);
	abort();
}

static struct flame_tree *read_bytes(const void *data, size_t size, struct flame_read *read)
{
	struct flame_tree *t = flame_new();
	FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
	int err;

	demand(t && in, "memory");
	err = flame_read_folded(t, in, read);
	fclose(in);
	if (!err)
		return t;
	flame_free(t);
	return NULL;
}

static char *folded(const struct flame_tree *t, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	demand(!flame_write_folded(t, out), "writes folded text");
	fclose(out);
	return text;
}

static void draw(const struct flame_tree *t, unsigned options)
{
	static const char *const stages[] = { "b", "a", NULL };
	struct flame_svg o = { .unit = options & 1 ? FLAME_NS : FLAME_SAMPLES,
			       .stages = options & 2 ? stages : NULL, .icicle = options & 4,
			       .min_share_ppm = options & 8 ? 1 : 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	demand(!flame_write_svg(t, &o, out, NULL), "draws");
	fclose(out);
	demand(strlen(text) == len, "a NUL in the picture");
	for (size_t i = 0; i < len; i++)
		demand((unsigned char)text[i] >= ' ' || text[i] == '\n', "a control in the picture");
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flame_read read = { 0 }, again = { 0 };
	struct flame_tree *t, *u;
	size_t len, len_again;
	char *text, *text_again;

	if (size < 2)
		return 0;
	read.columns = data[0] % 3;
	t = read_bytes(data + 1, size - 1, &read);
	if (!t)
		return 0;	/* too much weight */
	text = folded(t, &len);
	again.columns = flame_differential(t) ? FLAME_COLUMNS_TWO : FLAME_COLUMNS_AUTO;
	u = len ? read_bytes(text, len, &again) : NULL;
	demand(u || !len, "reads what it wrote");
	if (u) {
		demand(!again.bad, "wrote a bad line");
		demand(flame_total(u) == flame_total(t), "another total");
		demand(flame_base_total(u) == flame_base_total(t), "another total of the base");
		text_again = folded(u, &len_again);
		demand(len == len_again && !memcmp(text, text_again, len), "another text");
		free(text_again);
	}
	draw(t, data[0]);
	flame_free(u);
	flame_free(t);
	free(text);
	return 0;
}
