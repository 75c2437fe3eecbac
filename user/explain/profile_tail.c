/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * profile_tail.c - what the responsible threads did while a set of exchanges waited.
 *
 * Time off the CPU is exact: the part of each off-CPU interval that falls into a stage. Time on it
 * is exact as a sum, stage by stage, and divided among the samples that fell into it: each sample
 * counts for every exchange that waited while it was taken. So the total is the stages' own time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/profile.h"
#include "explain/stage_map.h"
#include "base/term.h"

/*
 * On-CPU time is divided within its stage; services that changed hands or span turns are by
 * themselves.
 */
enum {
	POOL_HANDOFF = STAGE_COUNT,
	POOL_ASYNC,
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

static unsigned stage_of(unsigned pool)
{
	return pool >= STAGE_COUNT ? STAGE_SERVICE : pool;
}

static void frames_begin(struct frames *f, unsigned pool, const char *comm)
{
	f->n = 0;
	frame_push(f, stage_name(stage_of(pool)));
	if (pool == POOL_HANDOFF)
		frame_push(f, "[handed over]");
	else if (pool == POOL_ASYNC)
		frame_push(f, "[asynchronous]");
	frame_push(f, comm);
}

/* Asleep in its wait for events the thread has no stack: that wait is all there is to say. */
static void add_part(struct tail_walk *w, unsigned pool, const struct ev_offcpu *o, uint64_t ns,
		     bool runnable)
{
	struct fmt comm = format_comm(o->comm, sizeof(o->comm), 40);
	bool waits = o->flags & OFFCPU_IN_WAIT, explained = false;
	struct frames f;

	frames_begin(&f, pool, comm.s);
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

/* Returns the time of the stage that the thread was off the CPU. */
static uint64_t add_offcpu(struct tail_walk *w, const struct stage_span *s, unsigned pool)
{
	struct history_walk walk = history_walk(w->p->history, EV_OFFCPU, s->tid, s->from);
	const struct ev_offcpu *o;
	uint64_t off_ns = 0;

	while ((o = history_next_offcpu(&walk, s->to))) {
		uint64_t blocked = span_overlap(s->from, s->to, o->start_ns, woken_at(o));
		uint64_t runnable = span_overlap(s->from, s->to, woken_at(o), o->head.time_ns);

		/* The sum of these is known, the short ones too: walk_async() */
		if (pool == POOL_ASYNC && o->flags & OFFCPU_IN_WAIT)
			blocked = 0;
		add_part(w, pool, o, blocked, false);
		add_part(w, pool, o, runnable, true);
		off_ns += blocked + runnable;
	}
	return off_ns;
}

static void hit_samples(struct tail_walk *w, const struct stage_span *s, unsigned pool)
{
	struct history_walk walk = history_walk(w->p->history, EV_SAMPLE, s->tid, s->from);
	const struct ev_sample *all = history_records(w->p->history, EV_SAMPLE);
	const struct ev_sample *sample;

	while ((sample = history_next(&walk)) && sample->head.time_ns < s->to) {
		uint16_t *hits = &w->sample_hits[sample - all][pool];

		if (*hits == UINT16_MAX)
			continue;
		(*hits)++;
		w->hits[pool]++;
	}
}

static void add_bare(struct tail_walk *w, unsigned pool, const char *why, uint64_t ns,
		     bool explained)
{
	struct frames f = { .n = 0 };

	frame_push(&f, stage_name(stage_of(pool)));
	if (pool == POOL_ASYNC)
		frame_push(&f, "[asynchronous]");
	frame_push(&f, why);
	add(w, &f, ns, explained);
}

static uint64_t take(uint64_t *left, uint64_t ns)
{
	ns = ns < *left ? ns : *left;
	*left -= ns;
	return ns;
}

/*
 * Answered turns later: only the thread's time for this exchange has code to show, and that is
 * looked for where most of it was, just before the answer.
 */
static void walk_async(struct tail_walk *w, const struct ev_exchange *x,
		       const struct stage_span *s)
{
	const struct split *split = &x->split[SPLIT_SERVICE];
	struct stage_span own = *s;
	uint64_t left = s->to - s->from, off_ns;

	add_bare(w, POOL_ASYNC, "[idle]", take(&left, x->aside.idle_ns), true);
	add_bare(w, POOL_ASYNC, "[held by others]", take(&left, x->aside.others_ns), true);
	off_ns = add_offcpu(w, s, POOL_ASYNC);
	take(&left, off_ns);
	if (split->runnable_ns + split->blocked_ns > off_ns)
		add_bare(w, POOL_ASYNC, "[off the CPU]",
			  take(&left, split->runnable_ns + split->blocked_ns - off_ns), false);
	w->oncpu_ns[POOL_ASYNC] += left;
	own.from = s->to - left;
	hit_samples(w, &own, POOL_ASYNC);
}

static void walk_span(struct tail_walk *w, const struct ev_exchange *x, const struct stage_span *s)
{
	uint64_t ns = s->to - s->from, off_ns;
	unsigned pool = s->stage;

	w->tail->stage_ns += ns;
	if (s->stage == STAGE_SERVICE) {
		if (x->flags & EXCHANGE_ASYNC && x->flags & EXCHANGE_SPLIT_SERVICE) {
			walk_async(w, x, s);
			return;
		}
		/* The thread served others meanwhile: what it did was not for this request. */
		if (x->flags & EXCHANGE_ASYNC) {
			add_bare(w, s->stage, "[asynchronous]", ns, false);
			return;
		}
		if (x->flags & EXCHANGE_HANDOFF)
			pool = POOL_HANDOFF;
	}
	off_ns = add_offcpu(w, s, pool);
	ns -= off_ns < ns ? off_ns : ns;
	/* By its own stamps the thread was waiting for a processor, whoever told of it or not. */
	if (s->stage == STAGE_RUNQUEUE) {
		add_bare(w, s->stage, "[runnable]", ns, true);
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
	for (size_t i = 0; i < n; i++)
		if (spans[i].has_thread)
			walk_span(w, x, &spans[i]);
}

/* Each hit gets its share of the stage's time, to the nanosecond. */
static void add_samples(struct tail_walk *w, unsigned pool)
{
	struct history_walk walk = history_walk_all(w->p->history, EV_SAMPLE);
	uint64_t left = w->oncpu_ns[pool], hits = w->hits[pool];
	const struct ev_sample *all = history_records(w->p->history, EV_SAMPLE), *s;

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
		frames_begin(&f, pool, comm.s);
		explained = frames_push_stacks(w->p, &f, s->pid, s->user_stack, s->kernel_stack);
		if (!explained)
			frame_push(&f, "[no stack]");
		add(w, &f, ns, explained);
	}
	add_bare(w, pool, "[not sampled]", left, false);
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
	const struct ev_exchange *exchanges = history_records(p->history, EV_EXCHANGE);

	w.sample_hits = calloc(history_count(p->history, EV_SAMPLE) + 1,
			       sizeof(*w.sample_hits));
	w.err = w.sample_hits ? 0 : -ENOMEM;
	tail->exchanges = tail->latency_ns = tail->stage_ns = tail->explained_ns = 0;
	for (size_t i = 0; !w.err && i < history_count(p->history, EV_EXCHANGE); i++)
		if (is_of(tail, &exchanges[i]))
			walk_exchange(&w, &exchanges[i]);
	for (unsigned pool = 0; !w.err && pool < POOLS; pool++)
		add_samples(&w, pool);
	free(w.sample_hits);
	return w.err;
}

#define FIRST_CODE 3	/* the depth below the root; before: stage, thread */

static bool is_code(const char *name, size_t len)
{
	return len && name[0] != '[' && !(len > 4 && !memcmp(name + len - 4, "_[k]", 4));
}

/* Nodes are numbered after their parents. */
size_t hot_code(const struct flame_tree *t, char *out, size_t size)
{
	uint32_t n = flame_nodes(t), found_depth = FIRST_CODE - 1;
	struct {
		uint64_t total;
		uint32_t depth;
	} *at = calloc(n, sizeof(*at));
	size_t found_len = 0, len;

	for (uint32_t i = n; at && i-- > 1;) {
		at[i].total += flame_self(t, i);
		at[flame_parent(t, i)].total += at[i].total;
	}
	for (uint32_t i = 1; at && i < n; i++) {
		const char *name = flame_name(t, i, &len);

		at[i].depth = at[flame_parent(t, i)].depth + 1;
		if (at[i].depth > found_depth && at[i].total >= at[0].total / 2 &&
		    is_code(name, len)) {
			found_depth = at[i].depth;
			found_len = (size_t)snprintf(out, size, "%.*s", (int)len, name);
		}
	}
	free(at);
	return found_len < size ? found_len : size - 1;
}
