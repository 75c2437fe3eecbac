/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_flame.c - stacks of what the target did, folded or as a picture. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/out_file.h"
#include "base/status.h"
#include "base/term.h"
#include "cli/command_watch.h"
#include "cli/commands.h"
#include "cli/flame_notes.h"
#include "cli/folded_file.h"
#include "explain/profile.h"
#include "explain/stage_map.h"
#include "render/render.h"

struct flame {
	const struct options *o;
	struct history *history;
	struct profile *profile;
	struct chrome_trace *trace;	/* NULL: none is wanted, or not attached yet */
	struct out_file svg, timeline;
	struct flame_tree *base;	/* of --against; else NULL */
	struct tail_set *tail;
	unsigned modules;	/* files without symbols */
	const struct watch_result *watch;
};

#define MODULES_SHOWN 8

/*
 * What the tail is, is known at the end, and the kernel's threshold, the P99 of its last minute,
 * would by then have left out some of it: so every exchange comes here, and a tenth is kept.
 */
static int on_exchange(void *ctx, const struct exchange_info *x)
{
	struct flame *f = ctx;
	bool slow = tail_set_add(f->tail, x->ex.head.time_ns, x->ex.latency_ns);

	if (slow || f->o->against_typical || f->o->by_stage)
		history_add_exchange(f->history, &x->ex);
	if (f->trace)
		chrome_trace_exchange(f->trace, &x->ex);
	return 0;
}

static int on_turn(void *ctx, const struct event *e)
{
	struct flame *f = ctx;

	if (f->trace)
		chrome_trace_turn(f->trace, &e->turn);
	return 0;
}

static int on_offcpu(void *ctx, const struct event *e)
{
	struct flame *f = ctx;

	history_add_offcpu(f->history, &e->offcpu);
	if (f->trace)
		chrome_trace_offcpu(f->trace, &e->offcpu);
	return 0;
}

static int on_sample(void *ctx, const struct event *e)
{
	history_add_sample(((struct flame *)ctx)->history, &e->sample);
	return 0;
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	profile_stack(((struct flame *)ctx)->profile, s);
}

/* A file whose frames are addresses: the build-id is what to look for its symbols by. */
static void on_module(void *ctx, const struct stack_module *m)
{
	struct flame *f = ctx;
	char hex[2 * BUILD_ID_MAX + 1] = "none";

	if (++f->modules > MODULES_SHOWN)
		return;
	for (unsigned i = 0; i < m->build_id_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", m->build_id[i]);
	say_line("%.200s has no symbols here; build-id %s", m->path, hex);
}

/*
 * The exchanges at or above the P99's bucket, as the report's tail; or the faster half. When there
 * was more than one window each is judged by its own.
 */
static struct profile_tail tail_of(const struct flame *f, const struct watch_result *w,
				   bool typical)
{
	struct dist d;

	if (tail_set_slides(f->tail))
		return (struct profile_tail){ .set = f->tail, .typical = typical };
	dist_from_hist(&d, &w->aggregate->ledger.latency);
	if (typical)
		return (struct profile_tail){ .to_ns = d.p50_ns };
	return (struct profile_tail){ .from_ns = dist_tail_ns(&d), .to_ns = UINT64_MAX };
}

static int make_tree(struct flame *f, const struct watch_result *w, struct flame_tree *tree)
{
	struct profile_tail tail = tail_of(f, w, false);
	const struct options *o = f->o;
	struct profile *p = f->profile;
	int err;

	if (o->by_stage && o->mode != PROFILE_TAIL)
		return profile_tree_by_stage(p, o->mode, tree);
	err = profile_tree(p, o->mode, &tail, tree);
	if (!err && o->mode == PROFILE_TAIL)
		flame_say_tail(&tail, w);
	return err;
}

static int compare(struct flame *f, const struct watch_result *w, struct flame_tree *tree)
{
	struct profile_tail typical = tail_of(f, w, true);
	int err;

	if (f->o->against_typical) {
		f->base = flame_new();
		err = f->base ? profile_tree(f->profile, f->o->mode, &typical, f->base) : -ENOMEM;
		if (err)
			return err;
	}
	return f->base ? flame_set_base(tree, f->base) : 0;
}

/* A capture whose head is damaged may not say what was watched. */
static void describe_target(const struct targets *t, char *to, size_t size)
{
	if (t->n)
		snprintf(to, size, "%s, pid %u",
			 format_comm(t->list[0].comm, sizeof(t->list[0].comm), 24).s, t->list[0].pid);
	else
		snprintf(to, size, "unknown target");
}

static int write_svg(const struct flame *f, const struct flame_tree *tree,
		     const struct watch_result *w)
{
	static const char *const titles[PROFILE_MODES] = {
		"On-CPU time", "Blocked time", "Wake-ups", "What made the tail slow",
	};
	bool staged = f->o->mode == PROFILE_TAIL || f->o->by_stage;
	char target[80], subtitle[256];
	struct flame_svg svg = {
		.title = titles[f->o->mode], .subtitle = subtitle, .unit = FLAME_NS,
		.stages = staged ? stage_words : NULL,
		.value_name = f->o->against_typical ? "tail" : NULL,
		.base_name = f->o->against_typical ? "typical" : f->o->against,
	};

	describe_target(&w->targets, target, sizeof(target));
	snprintf(subtitle, sizeof(subtitle), "%s, %s from %s", target,
		 format_ns(w->end_ns - w->start_ns).s,
		 format_time(w->start_ns + (uint64_t)w->realtime_offset_ns, 0).s);
	return flame_write_svg(tree, &svg, f->svg.f, NULL);
}

/* Why a tree may be empty. */
static const char *const nothing[PROFILE_MODES] = {
	"the target was not found on a CPU", "the target was not blocked",
	"nobody ended a wait of the target", "no exchange was seen, or none that waited for a thread",
};

static int show(struct flame *f, const struct watch_result *w)
{
	struct flame_tree *tree = flame_new();
	int err;

	tail_set_end(f->tail);
	profile_set_rate(f->profile, w->stack_hz);
	err = tree ? make_tree(f, w, tree) : -ENOMEM;
	if (!err)
		err = compare(f, w, tree);
	if (!err) {
		flame_say_stats(f->profile, f->o, w, f->modules);
		if (!flame_total(tree))
			say_line("nothing to show: %s", nothing[f->o->mode]);
		if (f->svg.f) {
			out_file_begin(&f->svg);
			err = write_svg(f, tree, w);
		} else {
			flame_write_folded(tree, stdout);
		}
	}
	flame_free(tree);
	/* out_file_end() prints a file's error. */
	if (!err || err == -EIO)
		return EXIT_OK;
	fail_line("cannot make the tree: %s", strerror(-err));
	return EXIT_FAULT;
}

static void end_trace(struct flame *f, const struct watch_result *w)
{
	uint64_t lost = w->aggregate ? aggregate_lost_events(w->aggregate) : 0;
	uint64_t left_out = chrome_trace_end(f->trace, w->realtime_offset_ns, lost);

	f->trace = NULL;
	if (left_out)
		warn_line("%s records are not in the timeline: it is full, watch for a shorter time",
			  format_count(left_out).s);
}

/* Until now the file holds what it held. */
static void on_begin(void *ctx)
{
	struct flame *f = ctx;

	tail_set_begin(f->tail, f->watch->start_ns, f->watch->window_ns);
	if (!f->timeline.f)
		return;
	out_file_begin(&f->timeline);
	f->trace = chrome_trace_new(f->timeline.f, 0);
	if (!f->trace)
		warn_line("no timeline: out of memory");
}

static int run(struct flame *f, struct watch_result *w)
{
	const struct options *o = f->o;
	bool every = o->mode == PROFILE_TAIL || o->by_stage || o->chrome_trace;
	/* A timeline lists exchanges in the order of their answers. */
	const struct sink sink = {
		.needs = { .exchanges = every ? EXCHANGES_OVER : EXCHANGES_SAMPLED,
			   .answers = o->chrome_trace, .intervals = true,
			   .every_turn = o->chrome_trace, .stack_hz = o->hz },
		.begin = on_begin,
		.exchange = every ? on_exchange : NULL,
		.event = { [EV_TURN] = o->chrome_trace ? on_turn : NULL,
			   [EV_OFFCPU] = on_offcpu, [EV_SAMPLE] = on_sample },
		.stack = on_stack, .module = on_module, .ctx = f,
	};
	struct sinks sinks = { .list = { &sink }, .n = 1 };
	int recorded, status = command_watch(o, &sinks, w, &recorded);

	if (!status) {
		status = show(f, w);
		status = recorded ? recorded : status;
	}
	end_trace(f, w);
	return status;
}

static int open_files(struct flame *f)
{
	if (out_file_open(&f->svg, f->o->svg) || out_file_open(&f->timeline, f->o->chrome_trace))
		return EXIT_FAULT;
	f->history = history_new(HISTORY_WHOLE);
	f->profile = f->history ? profile_new(f->history, f->o->hz) : NULL;
	f->base = f->o->against ? flame_new() : NULL;
	f->tail = tail_set_new();
	if (f->profile && f->tail && (f->base || !f->o->against))
		return f->base ? folded_file_read(f->base, f->o->against, true) : EXIT_OK;
	fail_line("out of memory");
	return EXIT_FAULT;
}

int cmd_flame(const struct options *o)
{
	struct watch_result w = { 0 };
	struct flame f = { .o = o, .watch = &w };
	int status;

	if (o->folded)
		return folded_file_show(o);
	status = open_files(&f);
	if (!status)
		status = run(&f, &w);
	if ((out_file_end(&f.svg) | out_file_end(&f.timeline)) && !status)
		status = EXIT_FAULT;
	if (!status)
		status = command_status(o, &w, aggregate_lost_events(w.aggregate));
	profile_free(f.profile);
	history_free(f.history);
	flame_free(f.base);
	tail_set_free(f.tail);
	watch_result_free(&w);
	return status;
}
