/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* flame_notes.c - what stands on stderr beside a flame graph: how much it is, and what is not in it. */
#include "cli/flame_notes.h"

#include <stdio.h>

#include "base/status.h"
#include "base/term.h"

/* How many there were, whether they reached us or not. */
static uint64_t tail_count(const struct hist *latency, uint64_t from_ns)
{
	uint64_t n = 0;

	for (unsigned b = hist_bucket(from_ns); b < HIST_BUCKETS; b++)
		n += latency->bucket[b];
	return n;
}

void flame_say_tail(const struct profile_tail *t, const struct watch_result *w)
{
	uint64_t all = t->set ? tail_set_count(t->set) :
				tail_count(&w->aggregate->ledger.latency, t->from_ns);
	char which[128];

	if (!all && !t->exchanges)
		return;
	if (t->set)
		snprintf(which, sizeof(which), "at or above the P99 of their %s",
			 format_ns(w->window_ns).s);
	else
		snprintf(which, sizeof(which), "of %s and more", format_ns(t->from_ns).s);
	say_line("tail: %s exchanges %s; %s of their %s in stages that a thread "
		 "answers for, stacks explain %s of it", format_count(t->exchanges).s, which,
		 format_ns(t->stage_ns).s, format_ns(t->latency_ns).s,
		 format_share(t->stage_ns ? (double)t->explained_ns / (double)t->stage_ns : 0).s);
	if (all > t->exchanges)
		warn_line("%s more exchanges of the tail are not in it: they were lost or dropped",
			  format_count(all - t->exchanges).s);
	if (t->set && tail_set_late(t->set))
		warn_line("%s exchanges came too late for a tail: watch for a shorter time, or "
			  "with a longer --window", format_count(tail_set_late(t->set)).s);
}

static struct fmt share_of(uint64_t part, uint64_t all)
{
	return format_share(all ? (double)part / (double)all : 0);
}

void flame_say_stats(struct profile *p, const struct options *o, const struct watch_result *w,
		     unsigned nameless_files)
{
	const struct aggregate *a = w->aggregate;
	struct profile_stats s;

	profile_get_stats(p, o->mode, &s);
	if (o->input && !w->stack_hz)
		say_line("no stacks were recorded: record takes them, report -o only with --html");
	say_line("%s samples, %s absences, %s stacks", format_count(s.samples).s,
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
	if (nameless_files)
		say_line("files of this build-id in /usr/lib/debug/.build-id, or with --debug-dir, "
			 "would name them");
	if (s.cut)
		say_line("%s stacks are cut: deeper than %u frames", format_count(s.cut).s,
			 w->stack_depth);
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
