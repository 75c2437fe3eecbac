/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_page.c - see report_page.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/out_file.h"
#include "base/status.h"
#include "cli/report_page.h"
#include "explain/heatmap.h"
#include "explain/hot_code.h"
#include "render/render.h"

struct report_page {
	struct out_file file;
	uint32_t hz;
	struct sink sink;
	struct heatmap *heat;
	struct profile *profile;
};

static void on_stack(void *ctx, const struct named_stack *s)
{
	profile_stack(((struct report_page *)ctx)->profile, s);
}

static void on_latency(void *ctx, uint64_t now_ns, const struct hist *total)
{
	heatmap_feed(((struct report_page *)ctx)->heat, now_ns, total);
}

int report_page_open(struct report_page **out, const char *path, struct history *history,
		     uint32_t hz)
{
	struct report_page *t = calloc(1, sizeof(*t));

	*out = t;
	if (t) {
		t->hz = hz;
		t->heat = heatmap_new();
		t->profile = profile_new(history, hz);
		t->sink = (struct sink){
			.needs = { .intervals = true, .stack_hz = hz },
			.stack = on_stack, .latency = on_latency, .ctx = t,
		};
	}
	if (t && t->heat && t->profile)
		return out_file_open(&t->file, path) ? EXIT_FAULT : EXIT_OK;
	fail_line("out of memory");
	return EXIT_FAULT;
}

const struct sink *report_page_sink(const struct report_page *t)
{
	return t ? &t->sink : NULL;
}

void report_page_rate(struct report_page *t, uint32_t hz)
{
	t->hz = hz;
	profile_set_rate(t->profile, hz);
}

void report_page_code(struct report_page *t, const struct report *r, char *out, size_t size)
{
	struct profile_tail tail = { .from_ns = dist_tail_ns(&r->latency), .to_ns = UINT64_MAX };
	struct flame_tree *tree = flame_new();

	out[0] = '\0';
	if (tree && t->hz && !profile_tree(t->profile, PROFILE_TAIL, &tail, tree))
		hot_code(tree, out, size);
	flame_free(tree);
}

static int write_page(struct report_page *t, const struct report *r,
		      const struct waterfall *waterfalls)
{
	struct flame_tree *tree = flame_new();
	struct html_page page = {
		.r = r, .heat = t->heat, .waterfalls = waterfalls, .tree = t->hz ? tree : NULL,
		.tail = { .from_ns = dist_tail_ns(&r->latency), .to_ns = UINT64_MAX },
	};
	int err = tree ? profile_tree(t->profile, PROFILE_TAIL, &page.tail, tree) : -ENOMEM;

	if (!err) {
		profile_get_stats(t->profile, PROFILE_TAIL, &page.stacks);
		out_file_begin(&t->file);
		err = html_write(t->file.f, &page);
	}
	flame_free(tree);
	return err;
}

int report_page_write(struct report_page *t, const struct report *r,
		      const struct waterfall *waterfalls)
{
	int err = write_page(t, r, waterfalls);

	/* out_file_end() prints what could not be written. */
	if (err && err != -EIO)
		fail_line("cannot write '%s': %s", t->file.path, strerror(-err));
	if (out_file_end(&t->file) || err) {
		if (t->file.created)
			unlink(t->file.path);
		return EXIT_FAULT;
	}
	return EXIT_OK;
}

void report_page_close(struct report_page *t)
{
	if (!t)
		return;
	out_file_end(&t->file);
	heatmap_free(t->heat);
	profile_free(t->profile);
	free(t);
}
