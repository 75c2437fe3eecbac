// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * profile_tail.c - what the responsible threads did while a set of exchanges waited.
 *
 * Time off the CPU is exact: the part of each absence that falls into a stage. Time on it is exact
 * as a sum, stage by stage, and divided among the samples that fell into it: each sample counts
 * for every exchange that waited while it was taken. So the total is the stages' own time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile_private.h"
#include "term.h"

/* A stage of one exchange, and the thread that it waited for. */
struct span {
	unsigned stage;
	uint32_t tid;
	uint64_t from, to;
	const struct ev_exchange *x;
};

struct tail_walk {
	struct profile *p;
	struct flame_tree *tree;
	struct profile_tail *tail;
	uint64_t oncpu_ns[STAGE_COUNT];	/* to be divided among the hits */
	uint64_t hits[STAGE_COUNT];
	uint16_t (*sample_hits)[STAGE_COUNT];	/* of each sample */
	int err;
};

static uint64_t overlap(const struct span *s, uint64_t start, uint64_t end)
{
	uint64_t lo = s->from > start ? s->from : start, hi = s->to < end ? s->to : end;

	return hi > lo ? hi - lo : 0;
}

/* The first record of a sorted list that is not before (tid, at). */
static size_t first_at(const void *list, size_t n, size_t size, size_t tid_at, uint32_t tid,
		       uint64_t at)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const char *record = (const char *)list + mid * size;
		uint64_t time = ((const struct event_head *)record)->time_ns;
		uint32_t has;

		memcpy(&has, record + tid_at, sizeof(has));
		if (has < tid || (has == tid && time < at))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void add(struct tail_walk *w, struct frames *f, uint64_t ns, bool explained)
{
	if (!ns || w->err)
		return;
	if (explained)
		w->tail->explained_ns += ns;
	w->err = flame_add(w->tree, f->at, f->n, ns);
}

static void add_part(struct tail_walk *w, const struct span *s, const struct ev_offcpu *o,
		     uint64_t ns, const char *leaf)
{
	struct fmt comm = format_comm(o->comm, sizeof(o->comm), 40);
	struct frames f = { .n = 0 };
	bool explained;

	frame_push(&f, stage_name(s->stage));
	frame_push(&f, comm.s);
	explained = frames_push_stacks(w->p, &f, o->pid, o->user_stack, o->kernel_stack);
	if (leaf || !explained)
		frame_push(&f, leaf ? leaf : "[no stack]");
	add(w, &f, ns, explained || leaf);
}

/* Returns the time of the span that the thread was off the CPU. */
static uint64_t add_absences(struct tail_walk *w, const struct span *s)
{
	const struct profile *p = w->p;
	uint64_t absent = 0;

	for (size_t i = first_at(p->absences, p->n_absences, sizeof(*p->absences),
				 offsetof(struct ev_offcpu, tid), s->tid, s->from);
	     i < p->n_absences && p->absences[i].tid == s->tid &&
	     p->absences[i].start_ns < s->to; i++) {
		const struct ev_offcpu *o = &p->absences[i];
		uint64_t woken = o->start_ns + o->blocked_ns;
		uint64_t blocked = o->flags & OFFCPU_IN_WAIT ? 0 : overlap(s, o->start_ns, woken);
		uint64_t runnable = overlap(s, woken, o->head.time_ns);

		add_part(w, s, o, blocked, NULL);
		add_part(w, s, o, runnable, "[runnable]");
		absent += blocked + runnable;
	}
	return absent;
}

static void hit_samples(struct tail_walk *w, const struct span *s)
{
	const struct profile *p = w->p;

	for (size_t i = first_at(p->samples, p->n_samples, sizeof(*p->samples),
				 offsetof(struct ev_sample, tid), s->tid, s->from);
	     i < p->n_samples && p->samples[i].tid == s->tid &&
	     p->samples[i].head.time_ns < s->to; i++) {
		if (w->sample_hits[i][s->stage] == UINT16_MAX)
			continue;
		w->sample_hits[i][s->stage]++;
		w->hits[s->stage]++;
	}
}

static void add_unknown(struct tail_walk *w, unsigned stage, const char *why, uint64_t ns)
{
	struct frames f = { .n = 0 };

	frame_push(&f, stage_name(stage));
	frame_push(&f, why);
	add(w, &f, ns, false);
}

static void walk_span(struct tail_walk *w, const struct span *s)
{
	uint64_t ns = s->to - s->from, absent;

	if (!ns)
		return;
	w->tail->stage_ns += ns;
	/* The thread served others meanwhile: what it did was not for this request. */
	if (s->stage == STAGE_SERVICE && (s->x->flags & EXCHANGE_ASYNC)) {
		add_unknown(w, s->stage, "[asynchronous]", ns);
		return;
	}
	absent = add_absences(w, s);
	w->oncpu_ns[s->stage] += ns > absent ? ns - absent : 0;
	hit_samples(w, s);
}

static void walk_exchange(struct tail_walk *w, const struct ev_exchange *x)
{
	uint64_t at = x->head.time_ns - x->latency_ns;

	w->tail->exchanges++;
	w->tail->latency_ns += x->latency_ns;
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		struct span s = { .stage = stage, .x = x, .from = at,
				  .to = at + x->stage_ns[stage],
				  .tid = stage == STAGE_SERVICE ? x->tid : x->reader_tid };

		at = s.to;
		if (stage >= STAGE_RUNQUEUE)
			walk_span(w, &s);
	}
}

/* Each hit gets its share of the stage's time, to the nanosecond. */
static void add_samples(struct tail_walk *w, unsigned stage)
{
	uint64_t left = w->oncpu_ns[stage], hits = w->hits[stage];

	for (size_t i = 0; i < w->p->n_samples && hits; i++) {
		const struct ev_sample *s = &w->p->samples[i];
		struct fmt comm = format_comm(s->comm, sizeof(s->comm), 40);
		uint64_t n = w->sample_hits[i][stage], ns;
		struct frames f = { .n = 0 };
		bool explained;

		if (!n)
			continue;
		ns = (uint64_t)((double)left * ((double)n / (double)hits));
		if (n == hits || ns > left)
			ns = left;
		left -= ns;
		hits -= n;
		frame_push(&f, stage_name(stage));
		frame_push(&f, comm.s);
		explained = frames_push_stacks(w->p, &f, s->pid, s->user_stack, s->kernel_stack);
		if (!explained)
			frame_push(&f, "[no stack]");
		add(w, &f, ns, explained);
	}
	add_unknown(w, stage, "[not sampled]", left);
}

int profile_tail_tree(struct profile *p, struct profile_tail *tail, struct flame_tree *tree)
{
	struct tail_walk w = { .p = p, .tree = tree, .tail = tail };

	w.sample_hits = calloc(p->n_samples + 1, sizeof(*w.sample_hits));
	if (!w.sample_hits)
		return -ENOMEM;
	tail->exchanges = tail->latency_ns = tail->stage_ns = tail->explained_ns = 0;
	for (size_t i = 0; i < p->n_exchanges; i++)
		if (p->exchanges[i].latency_ns >= tail->from_ns &&
		    p->exchanges[i].latency_ns <= tail->to_ns)
			walk_exchange(&w, &p->exchanges[i]);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		add_samples(&w, stage);
	free(w.sample_hits);
	return w.err;
}
