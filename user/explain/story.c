// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* story.c - see story.h. */
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "explain/story.h"

#define REMEMBERED 4096

struct story_store {
	struct ev_turn turns[REMEMBERED];
	struct ev_offcpu absences[REMEMBERED];
	size_t n_turns, n_absences;	/* ever fed */
};

struct story_store *story_new(void)
{
	return calloc(1, sizeof(struct story_store));
}

void story_free(struct story_store *s)
{
	free(s);
}

void story_turn(struct story_store *s, const struct ev_turn *t)
{
	s->turns[s->n_turns++ % REMEMBERED] = *t;
}

void story_offcpu(struct story_store *s, const struct ev_offcpu *o)
{
	s->absences[s->n_absences++ % REMEMBERED] = *o;
}

/* A stage of the exchange, and the thread that it waited for. */
struct span {
	unsigned stage;
	uint32_t tid;
	uint64_t from, to;
};

static void add(struct story *out, const struct story_part *part, const char *comm)
{
	if (!part->ns)
		return;
	if (out->n == STORY_PARTS) {
		out->left_out++;
		return;
	}
	out->part[out->n] = *part;
	memcpy(out->part[out->n++].comm, comm, COMM_LEN);
}

static void tell_absence(const struct ev_offcpu *o, const struct span *p, struct story *out)
{
	uint64_t woken = o->start_ns + o->blocked_ns;
	struct story_part blocked = { .stage = p->stage, .what = STORY_BLOCKED, .kind = o->kind,
				      .nr = o->syscall,
				      .ns = span_overlap(p->from, p->to, o->start_ns, woken) };
	struct story_part runnable = { .stage = p->stage, .what = STORY_RUNNABLE,
				       .pid = o->instead_pid,
				       .ns = span_overlap(p->from, p->to, woken, o->head.time_ns) };

	if (o->tid != p->tid)
		return;
	/* Timers and devices wake in whatever task they interrupt: no name is better. */
	if (o->flags & OFFCPU_WAKER && (o->kind == OFFCPU_FUTEX || o->kind == OFFCPU_PIPE))
		blocked.pid = o->waker_pid;
	if (!(o->flags & OFFCPU_IN_WAIT))
		add(out, &blocked, o->waker_comm);
	add(out, &runnable, o->instead_comm);
}

/* Only who held at least half of the turn is worth a word. */
static void tell_turn(const struct ev_turn *t, const struct ev_exchange *x, const struct span *p,
		      struct story *out)
{
	struct story_part held = { .stage = p->stage, .what = STORY_HELD, .conn = t->long_conn,
				   .ns = span_overlap(p->from, p->to, t->start_ns,
						      t->head.time_ns) };

	if (t->tid != p->tid || t->long_conn == x->conn || !t->long_conn ||
	    t->long_ns * 2 < t->head.time_ns - t->start_ns)
		return;
	if (held.ns > t->long_ns)
		held.ns = t->long_ns;
	add(out, &held, t->comm);
}

/* The oldest that is remembered first: rings are in the order of time, near enough. */
#define EACH(i, n) \
	for (size_t i = (n) > REMEMBERED ? (n) - REMEMBERED : 0; i < (n); i++)

static void tell_span(const struct story_store *s, const struct ev_exchange *x,
		      const struct span *p, struct story *out)
{
	if (p->from == p->to)
		return;
	if (p->stage == STAGE_BUSY || p->stage == STAGE_DISPATCH)
		EACH(i, s->n_turns)
			tell_turn(&s->turns[i % REMEMBERED], x, p, out);
	EACH(i, s->n_absences)
		tell_absence(&s->absences[i % REMEMBERED], p, out);
}

void story_tell(const struct story_store *s, const struct ev_exchange *x, struct story *out)
{
	uint64_t at = x->head.time_ns - x->latency_ns;

	out->n = 0;
	out->left_out = 0;
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		struct span p = { .stage = stage, .from = at, .to = at + x->stage_ns[stage],
				  .tid = stage == STAGE_SERVICE ? x->tid : x->reader_tid };

		at = p.to;
		if (stage >= STAGE_RUNQUEUE)
			tell_span(s, x, &p, out);
	}
}
