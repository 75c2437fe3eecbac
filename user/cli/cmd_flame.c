/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_flame.c - stacks of what the target did, folded or as a picture. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/out_file.h"
#include "base/status.h"
#include "base/term.h"
#include "capture/watch_result.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "explain/profile.h"
#include "explain/stage_map.h"
#include "render/render.h"
#include "stream/sink.h"

struct flame {
	const struct options *o;
	struct history *history;
	struct profile *profile;
	struct chrome_trace *trace;	/* NULL: none is wanted, or not attached yet */
	struct out_file svg, timeline;
	struct flame_tree *base;	/* of --against; else NULL */
	struct tail_set *tail;
	unsigned modules;	/* files without symbols */
	struct watch_result w;
};

#define MODULES_SHOWN 8

/*
 * What belongs to the tail is known only at the end. The kernel's threshold, the P99 of its last
 * minute, would have left out some of it, so every exchange comes here and a tenth is kept.
 */
static int on_exchange(void *ctx, const struct exchange_info *x)
{
	struct flame *f = ctx;
	bool slow = tail_set_add(f->tail, x->ex.head.time_ns, x->ex.latency_ns);

	if (slow || f->o->against_typical || f->o->by_stage)
		history_add(f->history, EV_EXCHANGE, &x->ex);
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

	history_add(f->history, EV_OFFCPU, &e->offcpu);
	if (f->trace)
		chrome_trace_offcpu(f->trace, &e->offcpu);
	return 0;
}

static int on_sample(void *ctx, const struct event *e)
{
	history_add(((struct flame *)ctx)->history, EV_SAMPLE, &e->sample);
	return 0;
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	profile_stack(((struct flame *)ctx)->profile, s);
}

/* A file whose frames are addresses; its symbols are found by the build-id. */
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
static struct profile_tail tail_of(const struct flame *f, bool typical)
{
	struct dist d;

	if (f->tail->slides)
		return (struct profile_tail){ .set = f->tail, .typical = typical };
	dist_from_hist(&d, &f->w.aggregate->ledger.latency);
	if (typical)
		return (struct profile_tail){ .to_ns = d.p50_ns };
	return (struct profile_tail){ .from_ns = dist_tail_ns(&d), .to_ns = UINT64_MAX };
}

static struct fmt share_of(uint64_t part, uint64_t all)
{
	return format_share(all ? (double)part / (double)all : 0);
}

/* How many there were, whether they reached us or not. */
static uint64_t tail_count(const struct hist *latency, uint64_t from_ns)
{
	uint64_t n = 0;

	for (unsigned b = hist_bucket(from_ns); b < HIST_BUCKETS; b++)
		n += latency->bucket[b];
	return n;
}

static void say_tail(const struct flame *f, const struct profile_tail *t)
{
	uint64_t all = t->set ? t->set->count :
				tail_count(&f->w.aggregate->ledger.latency, t->from_ns);
	char which[128];

	if (!all && !t->exchanges)
		return;
	if (t->set)
		snprintf(which, sizeof(which), "at or above the P99 of their %s",
			 format_ns(f->w.window_ns).s);
	else
		snprintf(which, sizeof(which), "of %s and more", format_ns(t->from_ns).s);
	say_line("tail: %s exchanges %s; %s of their %s in stages that a thread "
		 "answers for, stacks explain %s of it", format_count(t->exchanges).s, which,
		 format_ns(t->stage_ns).s, format_ns(t->latency_ns).s,
		 share_of(t->explained_ns, t->stage_ns).s);
	if (all > t->exchanges)
		warn_line("%s more exchanges of the tail are not in it: they were lost or dropped",
			  format_count(all - t->exchanges).s);
	if (t->set && t->set->late)
		warn_line("%s exchanges came too late for a tail: watch for a shorter time, or "
			  "with a longer --window", format_count(t->set->late).s);
}

static void say_stats(const struct flame *f)
{
	const struct options *o = f->o;
	const struct aggregate *a = f->w.aggregate;
	struct profile_stats s;

	profile_get_stats(f->profile, o->mode, &s);
	if (o->input && !f->w.stack_hz)
		say_line("no stacks were recorded: record takes them, report -o only with --html");
	say_line("%s samples, %s off-CPU intervals, %s stacks", format_count(s.samples).s,
		 format_count(s.offcpu).s, format_count(s.stacks).s);
	if (s.unnamed)
		say_line("%s of them have no stack: none could be taken", format_count(s.unnamed).s);
	if (s.broken)
		say_line("%s of %s user stacks end before their thread's beginning: code that was "
			 "built without frame pointers hides its callers (-fno-omit-frame-pointer)",
			 share_of(s.broken, s.user_stacks).s, format_count(s.user_stacks).s);
	if (s.unknown)
		say_line("%s of their frames have no name: no symbol covers them",
			 share_of(s.unknown, s.user_frames).s);
	if (f->modules)
		say_line("files of this build-id in /usr/lib/debug/.build-id, or with --debug-dir, "
			 "would name them");
	if (s.cut)
		say_line("%s stacks are cut: deeper than %u frames", format_count(s.cut).s,
			 f->w.stack_depth);
	if (s.dropped)
		warn_line("%s records were dropped: watch for a shorter time",
			  format_count(s.dropped).s);
	if (a->counters.stacks_lost)
		warn_line("%s stack%s found no room in the kernel's map",
			  format_count(a->counters.stacks_lost).s,
			  a->counters.stacks_lost == 1 ? "" : "s");
	if (aggregate_lost_events(a))
		warn_line("%s events were lost because the ring was full: raise --ring-size",
			  format_count(aggregate_lost_events(a)).s);
}

static int make_tree(struct flame *f, struct flame_tree *tree)
{
	struct profile_tail tail = tail_of(f, false);
	const struct options *o = f->o;
	int err = profile_tree(f->profile, o->mode, o->by_stage, &tail, tree);

	if (!err && o->mode == PROFILE_TAIL)
		say_tail(f, &tail);
	return err;
}

static int compare(struct flame *f, struct flame_tree *tree)
{
	struct profile_tail typical = tail_of(f, true);
	int err;

	if (f->o->against_typical) {
		f->base = flame_new();
		err = f->base ? profile_tree(f->profile, f->o->mode, false, &typical, f->base) :
				-ENOMEM;
		if (err)
			return err;
	}
	return f->base ? flame_set_base(tree, f->base) : 0;
}

static int write_svg(const struct flame *f, const struct flame_tree *tree)
{
	static const char *const titles[PROFILE_MODES] = {
		"On-CPU time", "Blocked time", "Wake-ups", "What made the tail slow",
	};
	bool staged = f->o->mode == PROFILE_TAIL || f->o->by_stage;
	const struct targets *t = &f->w.targets;
	char target[80] = "unknown target", subtitle[256];
	struct flame_svg svg = {
		.title = titles[f->o->mode], .subtitle = subtitle, .unit = FLAME_NS,
		.stages = staged ? stage_words : NULL,
		.value_name = f->o->against_typical ? "tail" : NULL,
		.base_name = f->o->against_typical ? "typical" : f->o->against,
	};

	/* A capture whose head is damaged may not say what was watched. */
	if (t->n)
		snprintf(target, sizeof(target), "%s, pid %u",
			 format_comm(t->list[0].comm, sizeof(t->list[0].comm), 24).s, t->list[0].pid);
	snprintf(subtitle, sizeof(subtitle), "%s, %s from %s", target,
		 format_ns(f->w.end_ns - f->w.start_ns).s,
		 format_time(f->w.start_ns + (uint64_t)f->w.realtime_offset_ns, 0).s);
	return flame_write_svg(tree, &svg, f->svg.f, NULL);
}

/* Why a tree may be empty. */
static const char *const nothing[PROFILE_MODES] = {
	"the target was not found on a CPU", "the target was not blocked",
	"nobody ended a wait of the target", "no exchange was seen, or none that waited for a thread",
};

static int show(struct flame *f)
{
	struct flame_tree *tree = flame_new();
	int err;

	tail_set_end(f->tail);
	f->profile->hz = f->w.stack_hz;
	err = tree ? make_tree(f, tree) : -ENOMEM;
	if (!err)
		err = compare(f, tree);
	if (!err) {
		say_stats(f);
		if (!flame_total(tree))
			say_line("nothing to show: %s", nothing[f->o->mode]);
		if (f->svg.f) {
			out_file_begin(&f->svg);
			err = write_svg(f, tree);
		} else {
			flame_write_folded(tree, stdout);
		}
	}
	flame_free(tree);
	/* out_file_end() prints a file's error. */
	if (!err || err == -EIO)
		return EXIT_OK;
	out_file_drop(&f->svg);
	fail_line("cannot make the tree: %s", strerror(-err));
	return EXIT_FAULT;
}

static void end_trace(struct flame *f)
{
	uint64_t lost = f->w.aggregate ? aggregate_lost_events(f->w.aggregate) : 0;
	uint64_t left_out = chrome_trace_end(f->trace, f->w.realtime_offset_ns, lost);

	f->trace = NULL;
	if (left_out)
		warn_line("%s records are not in the timeline: it is full, watch for a shorter time",
			  format_count(left_out).s);
}

/* Up to here the file keeps its old content. */
static void on_begin(void *ctx)
{
	struct flame *f = ctx;

	tail_set_begin(f->tail, f->w.start_ns, f->w.window_ns);
	if (!f->timeline.f)
		return;
	out_file_begin(&f->timeline);
	f->trace = chrome_trace_new(f->timeline.f, 0);
	if (!f->trace)
		warn_line("no timeline: out of memory");
}

static int run(struct flame *f)
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
	int recorded, status = command_watch(o, &sinks, &f->w, &recorded);

	if (!status) {
		status = show(f);
		status = recorded ? recorded : status;
	}
	end_trace(f);
	return status;
}

static int open_files(struct flame *f)
{
	if (out_file_open(&f->svg, f->o->svg) || out_file_open(&f->timeline, f->o->chrome_trace))
		return EXIT_FAULT;
	f->history = history_new(HISTORY_WHOLE);
	f->profile = f->history ? profile_new(f->history) : NULL;
	f->base = f->o->against ? flame_new() : NULL;
	f->tail = tail_set_new();
	if (f->profile && f->tail && (f->base || !f->o->against))
		return f->base ? folded_file_read(f->base, f->o->against, true) : EXIT_OK;
	fail_line("out of memory");
	return EXIT_FAULT;
}

int cmd_flame(const struct options *o)
{
	struct flame f = { .o = o };
	int status;

	if (o->folded)
		return folded_file_show(o);
	status = open_files(&f);
	if (!status)
		status = run(&f);
	if ((out_file_end(&f.svg) | out_file_end(&f.timeline)) && !status)
		status = EXIT_FAULT;
	if (!status)
		status = command_status(o, &f.w);
	profile_free(f.profile);
	history_free(f.history);
	flame_free(f.base);
	tail_set_free(f.tail);
	watch_result_free(&f.w);
	return status;
}
