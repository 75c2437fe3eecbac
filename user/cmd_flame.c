// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cmd_flame.c - stacks of what the target did, folded or as a picture. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "profile.h"
#include "status.h"
#include "term.h"
#include "watch.h"

static int on_exchange(void *ctx, const struct exchange_info *x)
{
	profile_exchange(ctx, &x->ex);
	return 0;
}

static void on_offcpu(void *ctx, const struct ev_offcpu *o)
{
	profile_offcpu(ctx, o);
}

static void on_sample(void *ctx, const struct ev_sample *s)
{
	profile_sample(ctx, s);
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	profile_stack(ctx, s);
}

/* The exchanges at or above the P99's bucket, as the report's tail; or the faster half. */
static struct profile_tail tail_of(const struct watch_result *w, bool typical)
{
	struct dist d;

	dist_from_hist(&d, &w->aggregate->ledger.latency);
	if (typical)
		return (struct profile_tail){ .to_ns = d.p50_ns };
	return (struct profile_tail){
		.from_ns = d.p99_ns ? hist_bucket_upper(hist_bucket(d.p99_ns) - 1) + 1 : 0,
		.to_ns = UINT64_MAX,
	};
}

static void say_tail(const struct profile_tail *t)
{
	say_line("tail: %s exchanges of %s and more; %s of their %s in stages that a thread "
		 "answers for, stacks explain %s of it", format_count(t->exchanges).s,
		 format_ns(t->from_ns).s,
		 format_ns(t->stage_ns).s, format_ns(t->latency_ns).s,
		 format_share(t->stage_ns ? (double)t->explained_ns / (double)t->stage_ns : 0).s);
}

static void say_stats(const struct profile *p, const struct aggregate *a)
{
	struct profile_stats s;

	profile_get_stats(p, &s);
	say_line("%s samples, %s absences, %s stacks", format_count(s.samples).s,
		 format_count(s.absences).s, format_count(s.stacks).s);
	if (s.unnamed)
		say_line("%s of them have no stack: none could be taken", format_count(s.unnamed).s);
	if (s.cut)
		say_line("%s stacks are cut: deeper than %u frames", format_count(s.cut).s,
			 STACK_DEPTH);
	if (s.dropped)
		warn_line("%s records were dropped: watch for a shorter time",
			  format_count(s.dropped).s);
	if (a->counters.stacks_lost)
		warn_line("%s stacks found no room in the kernel's map",
			  format_count(a->counters.stacks_lost).s);
	if (aggregate_lost_events(a))
		warn_line("%s events were lost because the ring was full: raise --ring-size",
			  format_count(aggregate_lost_events(a)).s);
}

static int make_tree(struct profile *p, const struct options *o, const struct watch_result *w,
		     struct flame_tree *tree)
{
	struct profile_tail tail = tail_of(w, false), typical = tail_of(w, true);
	struct flame_tree *base;
	int err = profile_tree(p, o->mode, &tail, tree);

	if (err || o->mode != PROFILE_TAIL)
		return err;
	say_tail(&tail);
	if (!o->against_typical)
		return 0;
	base = flame_new();
	if (!base)
		return -ENOMEM;
	err = profile_tree(p, o->mode, &typical, base);
	if (!err)
		err = flame_set_base(tree, base);
	flame_free(base);
	return err;
}

static int write_svg(const struct flame_tree *tree, const struct options *o,
		     const struct watch_result *w)
{
	static const char *const titles[PROFILE_MODES] = {
		"On-CPU time", "Blocked time", "Wake-ups", "What made the tail slow",
	};
	static const char *const stages[] = { "runqueue", "busy", "return", "dispatch", "service",
					      NULL };
	struct fmt comm = format_comm(w->targets.list[0].comm, sizeof(w->targets.list[0].comm), 24);
	char subtitle[256];
	struct flame_svg svg = {
		.title = titles[o->mode], .subtitle = subtitle, .unit = FLAME_NS,
		.value_name = "tail", .base_name = "typical",
		.stages = o->mode == PROFILE_TAIL ? stages : NULL,
	};
	FILE *out = fopen(o->svg, "we");
	int err;

	if (!out) {
		fail_line("cannot write '%s': %s", o->svg, strerror(errno));
		return EXIT_FAULT;
	}
	snprintf(subtitle, sizeof(subtitle), "%s, pid %u, %s from %s", comm.s,
		 w->targets.list[0].pid, format_ns(w->end_ns - w->start_ns).s,
		 format_time(w->start_ns + (uint64_t)w->realtime_offset_ns, 0).s);
	err = flame_write_svg(tree, &svg, out, NULL);
	if (fclose(out) || err) {
		fail_line("cannot write '%s': %s", o->svg, strerror(err ? -err : errno));
		return EXIT_FAULT;
	}
	return EXIT_OK;
}

static int show(struct profile *p, const struct options *o, const struct watch_result *w)
{
	struct flame_tree *tree = flame_new();
	int status = EXIT_OK;

	if (!tree || make_tree(p, o, w, tree)) {
		fail_line("out of memory");
		flame_free(tree);
		return EXIT_FAULT;
	}
	say_stats(p, w->aggregate);
	if (o->svg)
		status = write_svg(tree, o, w);
	else
		flame_write_folded(tree, stdout);
	flame_free(tree);
	return status ? status : watch_status(o, w, aggregate_lost_events(w->aggregate));
}

int cmd_flame(const struct options *o)
{
	struct profile *p = profile_new(o->hz);
	struct watch_handlers handlers = {
		.exchange = o->mode == PROFILE_TAIL ? on_exchange : NULL,
		.offcpu = on_offcpu, .sample = on_sample, .stack = on_stack, .ctx = p,
		.blame = true, .stack_hz = o->hz, .every_exchange = o->against_typical,
	};
	struct watch_result w;
	int status;

	if (!p) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	status = watch(o, &handlers, &w);
	if (!status)
		status = show(p, o, &w);
	profile_free(p);
	watch_free(&w);
	return status;
}
