/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_page.c - see report_page.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "render/html.h"
#include "explain/hot_code.h"
#include "cli/report_page.h"
#include "base/status.h"

struct html_take {
	const char *path;
	int fd;
	bool fresh;		/* the file was not there before */
	bool written;
	uint32_t hz;
	struct watch_handlers to;
	struct heatmap *heat;
	struct profile *profile;
	struct history *history;
};

static void on_attached(void *ctx)
{
	struct html_take *t = ctx;

	if (t->to.attached)
		t->to.attached(t->to.ctx);
}

static int on_exchange(void *ctx, const struct exchange_info *x)
{
	struct html_take *t = ctx;

	return t->to.exchange ? t->to.exchange(t->to.ctx, x) : 0;
}

static void on_turn(void *ctx, const struct ev_turn *turn)
{
	struct html_take *t = ctx;

	if (t->to.turn)
		t->to.turn(t->to.ctx, turn);
}

static void on_offcpu(void *ctx, const struct ev_offcpu *o)
{
	struct html_take *t = ctx;

	if (t->to.offcpu)
		t->to.offcpu(t->to.ctx, o);
}

static void on_sample(void *ctx, const struct ev_sample *s)
{
	struct html_take *t = ctx;

	history_add_sample(t->history, s);
	if (t->to.sample)
		t->to.sample(t->to.ctx, s);
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	struct html_take *t = ctx;

	profile_stack(t->profile, s);
	if (t->to.stack)
		t->to.stack(t->to.ctx, s);
}

static int on_conn_close(void *ctx, const struct ev_conn_close *c)
{
	struct html_take *t = ctx;

	return t->to.conn_close(t->to.ctx, c);
}

static void on_latency(void *ctx, uint64_t now_ns, const struct hist *total)
{
	heatmap_feed(((struct html_take *)ctx)->heat, now_ns, total);
}

static void stand_before(struct html_take *t, struct watch_handlers *h)
{
	t->to = *h;
	h->attached = on_attached;
	h->exchange = on_exchange;
	h->turn = on_turn;
	h->offcpu = on_offcpu;
	h->sample = on_sample;
	h->stack = on_stack;
	h->latency = on_latency;
	if (h->conn_close)
		h->conn_close = on_conn_close;
	h->ctx = t;
	h->blame = true;
	h->stack_hz = t->hz;
}

static int open_file(struct html_take *t)
{
	t->fd = open(t->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	t->fresh = t->fd >= 0;
	if (t->fd < 0 && errno == EEXIST)
		t->fd = open(t->path, O_WRONLY | O_CLOEXEC);
	if (t->fd >= 0)
		return EXIT_OK;
	fail_line("cannot write '%s': %s", t->path, strerror(errno));
	return EXIT_FAULT;
}

int html_take_open(struct html_take **out, const struct options *o, struct history *history,
		   struct watch_handlers *h)
{
	struct html_take *t = calloc(1, sizeof(*t));

	*out = t;
	if (t) {
		t->path = o->html;
		t->fd = -1;
		t->hz = o->hz;
		t->history = history;
		t->heat = heatmap_new();
		t->profile = profile_new(history, o->hz);
	}
	if (!t || !t->heat || !t->profile) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	stand_before(t, h);
	return open_file(t);
}

void html_take_rate(struct html_take *t, uint32_t hz)
{
	t->hz = hz;
	profile_set_rate(t->profile, hz);
}

void html_take_code(struct html_take *t, const struct report *r, char *out, size_t size)
{
	struct profile_tail tail = { .from_ns = dist_tail_ns(&r->latency), .to_ns = UINT64_MAX };
	struct flame_tree *tree = flame_new();

	out[0] = '\0';
	if (tree && t->hz && !profile_tree(t->profile, PROFILE_TAIL, &tail, tree))
		hot_code(tree, out, size);
	flame_free(tree);
}

static int write_page(struct html_take *t, const struct report *r,
		      const struct waterfall *waterfalls)
{
	struct flame_tree *tree = flame_new();
	struct html_page page = {
		.r = r, .heat = t->heat, .waterfalls = waterfalls, .tree = t->hz ? tree : NULL,
		.tail = { .from_ns = dist_tail_ns(&r->latency), .to_ns = UINT64_MAX },
	};
	int err = tree ? profile_tree(t->profile, PROFILE_TAIL, &page.tail, tree) : -ENOMEM;
	FILE *out;

	if (!err) {
		profile_get_stats(t->profile, PROFILE_TAIL, &page.stacks);
		/* A pipe or terminal has no length. */
		if (ftruncate(t->fd, 0) && errno != EINVAL)
			err = -errno;
		out = fdopen(t->fd, "w");
		if (!err && out)
			err = html_write(out, &page);
		if (err == -EIO)
			err = write_failure(t->fd);
		if (out) {
			t->fd = -1;
			if (fclose(out) && !err)
				err = -errno;
		} else if (!err) {
			err = -errno;
		}
	}
	flame_free(tree);
	return err;
}

int html_take_write(struct html_take *t, const struct report *r,
		    const struct waterfall *waterfalls)
{
	int err = write_page(t, r, waterfalls);

	t->written = !err;
	if (!err)
		return EXIT_OK;
	fail_line("cannot write '%s': %s", t->path, strerror(-err));
	return EXIT_FAULT;
}

void html_take_close(struct html_take *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	if (t->fresh && !t->written)
		unlink(t->path);
	heatmap_free(t->heat);
	profile_free(t->profile);
	free(t);
}
