/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * profile_tail.c - what the responsible threads did while a set of exchanges waited.
 *
 * Time off the CPU is exact: the part of each off-CPU interval that falls into a stage. Time on it is exact
 * as a sum, stage by stage, and divided among the samples that fell into it: each sample counts
 * for every exchange that waited while it was taken. So the total is the stages' own time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain/profile_private.h"
#include "explain/stage_map.h"
#include "base/term.h"

struct span {
	struct stage_span at;
	bool handoff;	/* a service that another thread than the reader ended */
};

/* On-CPU time is divided within its stage; services that changed hands are by themselves. */
enum {
	POOL_HANDOFF = STAGE_COUNT,
	POOLS,
};

struct tail_walk {
	struct profile *p;
	struct flame_tree *tree;
	struct profile_tail *tail;
	uint64_t oncpu_ns[POOLS];	/* to be divided among the hits */
	uint64_t hits[POOLS];
	uint16_t (*sample_hits)[POOLS];	/* of each sample */
	int err;
};

static void add(struct tail_walk *w, struct frames *f, uint64_t ns, bool explained)
{
	if (!ns || w->err)
		return;
	if (explained)
		w->tail->explained_ns += ns;
	w->err = flame_add(w->tree, f->at, f->n, ns);
}

static void frames_begin(struct frames *f, unsigned stage, bool handoff, const char *comm)
{
	f->n = 0;
	frame_push(f, stage_name(stage));
	if (handoff)
		frame_push(f, "[handed over]");
	frame_push(f, comm);
}

/* Asleep in its wait for events the thread has no stack: that wait is all there is to say. */
static void add_part(struct tail_walk *w, const struct span *s, const struct ev_offcpu *o,
		     uint64_t ns, bool runnable)
{
	struct fmt comm = format_comm(o->comm, sizeof(o->comm), 40);
	bool waits = o->flags & OFFCPU_IN_WAIT, explained = false;
	struct frames f;

	frames_begin(&f, s->at.stage, s->handoff, comm.s);
	if (waits)
		frame_push(&f, "[wait for events]");
	else
		explained = frames_push_stacks(w->p, &f, o->pid, o->user_stack, o->kernel_stack);
	if (runnable)
		frame_push(&f, "[runnable]");
	else if (!explained && !waits)
		frame_push(&f, "[no stack]");
	add(w, &f, ns, explained || runnable);
}

/* Returns the time of the span that the thread was off the CPU. */
static uint64_t add_offcpu(struct tail_walk *w, const struct span *s)
{
	struct history_walk walk = history_walk(w->p->history, HISTORY_OFFCPU, s->at.tid,
						s->at.from);
	const struct ev_offcpu *o;
	uint64_t off_ns = 0;

	while ((o = history_next_offcpu(&walk, s->at.to))) {
		uint64_t woken = woken_at(o);
		uint64_t blocked = span_overlap(s->at.from, s->at.to, o->start_ns, woken);
		uint64_t runnable =
			span_overlap(s->at.from, s->at.to, woken, o->head.time_ns);

		add_part(w, s, o, blocked, false);
		add_part(w, s, o, runnable, true);
		off_ns += blocked + runnable;
	}
	return off_ns;
}

static void hit_samples(struct tail_walk *w, const struct span *s, unsigned pool)
{
	struct history_walk walk = history_walk(w->p->history, HISTORY_SAMPLE, s->at.tid,
						s->at.from);
	const struct ev_sample *all = history_samples(w->p->history), *sample;

	while ((sample = history_next(&walk)) && sample->head.time_ns < s->at.to) {
		uint16_t *hits = &w->sample_hits[sample - all][pool];

		if (*hits == UINT16_MAX)
			continue;
		(*hits)++;
		w->hits[pool]++;
	}
}

static void add_bare(struct tail_walk *w, unsigned stage, const char *why, uint64_t ns,
		     bool explained)
{
	struct frames f = { .n = 0 };

	frame_push(&f, stage_name(stage));
	frame_push(&f, why);
	add(w, &f, ns, explained);
}

static void walk_span(struct tail_walk *w, const struct ev_exchange *x, struct span *s)
{
	uint64_t ns = s->at.to - s->at.from, off_ns;
	unsigned pool = s->at.stage;

	w->tail->stage_ns += ns;
	if (s->at.stage == STAGE_SERVICE) {
		/* The thread served others meanwhile: what it did was not for this request. */
		if (x->flags & EXCHANGE_ASYNC) {
			add_bare(w, s->at.stage, "[asynchronous]", ns, false);
			return;
		}
		s->handoff = x->flags & EXCHANGE_HANDOFF;
		pool = s->handoff ? POOL_HANDOFF : pool;
	}
	off_ns = add_offcpu(w, s);
	ns -= off_ns < ns ? off_ns : ns;
	/* By its own stamps the thread was waiting for a processor, whoever told of it or not. */
	if (s->at.stage == STAGE_RUNQUEUE) {
		add_bare(w, s->at.stage, "[runnable]", ns, true);
		return;
	}
	w->oncpu_ns[pool] += ns;
	hit_samples(w, s, pool);
}

static void walk_exchange(struct tail_walk *w, const struct ev_exchange *x)
{
	struct stage_span spans[STAGE_COUNT];
	size_t n = stage_spans(x, spans);

	w->tail->exchanges++;
	w->tail->latency_ns += x->latency_ns;
	for (size_t i = 0; i < n; i++) {
		struct span s = { .at = spans[i] };

		if (s.at.has_thread)
			walk_span(w, x, &s);
	}
}

/* Each hit gets its share of the stage's time, to the nanosecond. */
static void add_samples(struct tail_walk *w, unsigned pool)
{
	unsigned stage = pool == POOL_HANDOFF ? STAGE_SERVICE : pool;
	struct history_walk walk = history_walk_all(w->p->history, HISTORY_SAMPLE);
	uint64_t left = w->oncpu_ns[pool], hits = w->hits[pool];
	const struct ev_sample *all = history_samples(w->p->history), *s;

	while (hits && (s = history_next(&walk))) {
		struct fmt comm = format_comm(s->comm, sizeof(s->comm), 40);
		uint64_t n = w->sample_hits[s - all][pool], ns;
		struct frames f;
		bool explained;

		if (!n)
			continue;
		ns = (uint64_t)((double)left * ((double)n / (double)hits));
		if (n == hits || ns > left)
			ns = left;
		left -= ns;
		hits -= n;
		frames_begin(&f, stage, pool == POOL_HANDOFF, comm.s);
		explained = frames_push_stacks(w->p, &f, s->pid, s->user_stack, s->kernel_stack);
		if (!explained)
			frame_push(&f, "[no stack]");
		add(w, &f, ns, explained);
	}
	add_bare(w, stage, "[not sampled]", left, false);
}

static bool is_of(const struct profile_tail *tail, const struct ev_exchange *x)
{
	if (!tail->set)
		return x->latency_ns >= tail->from_ns && x->latency_ns <= tail->to_ns;
	if (tail->typical)
		return x->latency_ns <= tail_set_median(tail->set, x->head.time_ns);
	return x->latency_ns >= tail_set_from(tail->set, x->head.time_ns);
}

int profile_tail_tree(struct profile *p, struct profile_tail *tail, struct flame_tree *tree)
{
	struct tail_walk w = { .p = p, .tree = tree, .tail = tail };
	const struct ev_exchange *exchanges = history_exchanges(p->history);

	w.sample_hits = calloc(history_count(p->history, HISTORY_SAMPLE) + 1,
			       sizeof(*w.sample_hits));
	w.err = w.sample_hits ? history_index(p->history) : -ENOMEM;
	tail->exchanges = tail->latency_ns = tail->stage_ns = tail->explained_ns = 0;
	for (size_t i = 0; !w.err && i < history_count(p->history, HISTORY_EXCHANGE); i++)
		if (is_of(tail, &exchanges[i]))
			walk_exchange(&w, &exchanges[i]);
	for (unsigned pool = 0; !w.err && pool < POOLS; pool++)
		add_samples(&w, pool);
	free(w.sample_hits);
	return w.err;
}
