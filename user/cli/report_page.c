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

#define PART_WORTH 200	/* turns and absences below this part of the worst make no story */

/* One of the worst exchanges; its story is told at once: what it needs is forgotten later. */
struct told {
	uint64_t conn, number, latency_ns;
	struct story story;
};

struct html_take {
	const char *path;
	int fd;
	bool fresh;		/* the file was not there before */
	bool written;
	uint32_t hz;
	struct watch_handlers to;
	struct heatmap *heat;
	struct profile *profile;
	struct story_store *store;
	struct told *told;	/* slowest first */
	size_t n_told, room;
};

static uint64_t story_worth_ns(const struct html_take *t)
{
	return t->n_told < t->room || !t->room ? 0 : t->told[t->n_told - 1].latency_ns / PART_WORTH;
}

static void tell(struct html_take *t, const struct ev_exchange *x)
{
	size_t i;

	if (!t->room || (t->n_told == t->room && x->latency_ns <= t->told[t->n_told - 1].latency_ns))
		return;
	if (t->n_told < t->room)
		t->n_told++;
	for (i = t->n_told - 1; i > 0 && t->told[i - 1].latency_ns < x->latency_ns; i--)
		t->told[i] = t->told[i - 1];
	t->told[i] = (struct told){ x->conn, x->number, x->latency_ns, { .n = 0 } };
	story_tell(t->store, x, &t->told[i].story);
}

static void on_attached(void *ctx)
{
	struct html_take *t = ctx;

	if (t->to.attached)
		t->to.attached(t->to.ctx);
}

static int on_exchange(void *ctx, const struct exchange_info *x)
{
	struct html_take *t = ctx;

	profile_exchange(t->profile, &x->ex);
	tell(t, &x->ex);
	return t->to.exchange ? t->to.exchange(t->to.ctx, x) : 0;
}

static void on_turn(void *ctx, const struct ev_turn *turn)
{
	struct html_take *t = ctx;

	if (turn->long_ns >= story_worth_ns(t))
		story_turn(t->store, turn);
	if (t->to.turn)
		t->to.turn(t->to.ctx, turn);
}

static void on_offcpu(void *ctx, const struct ev_offcpu *o)
{
	struct html_take *t = ctx;

	profile_offcpu(t->profile, o);
	if (o->head.time_ns - o->start_ns >= story_worth_ns(t))
		story_offcpu(t->store, o);
	if (t->to.offcpu)
		t->to.offcpu(t->to.ctx, o);
}

static void on_sample(void *ctx, const struct ev_sample *s)
{
	struct html_take *t = ctx;

	profile_sample(t->profile, s);
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

int html_take_open(struct html_take **out, const struct options *o, struct watch_handlers *h)
{
	struct html_take *t = calloc(1, sizeof(*t));

	*out = t;
	if (t) {
		t->path = o->html;
		t->fd = -1;
		t->hz = o->hz;
		t->room = o->top;
		t->heat = heatmap_new();
		t->profile = profile_new(o->hz);
		t->store = story_new();
		t->told = calloc(o->top ? o->top : 1, sizeof(*t->told));
	}
	if (!t || !t->heat || !t->profile || !t->store || !t->told) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	stand_before(t, h);
	return open_file(t);
}

/* Stories in the order of the report's worst exchanges. */
static void find_stories(const struct html_take *t, const struct report *r,
			 const struct story **stories)
{
	for (size_t i = 0; i < r->n_worst; i++)
		for (size_t k = 0; k < t->n_told; k++)
			if (t->told[k].conn == r->worst[i].ex.conn &&
			    t->told[k].number == r->worst[i].ex.number)
				stories[i] = &t->told[k].story;
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

static int write_page(struct html_take *t, const struct report *r)
{
	struct flame_tree *tree = flame_new();
	const struct story **stories = calloc(r->n_worst + 1, sizeof(*stories));
	struct html_page page = {
		.r = r, .heat = t->heat, .stories = stories, .tree = t->hz ? tree : NULL,
		.tail = { .from_ns = dist_tail_ns(&r->latency), .to_ns = UINT64_MAX },
	};
	int err = tree && stories ? profile_tree(t->profile, PROFILE_TAIL, &page.tail, tree)
				  : -ENOMEM;
	FILE *out;

	if (!err) {
		profile_get_stats(t->profile, PROFILE_TAIL, &page.stacks);
		find_stories(t, r, stories);
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
	free(stories);
	return err;
}

int html_take_write(struct html_take *t, const struct report *r)
{
	int err = write_page(t, r);

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
	story_free(t->store);
	free(t->told);
	free(t);
}
