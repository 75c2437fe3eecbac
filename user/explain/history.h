/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * history.h - the only memory of what happened: exchanges, turns, off-CPU intervals and samples as
 * they came, to be joined afterwards by thread and time.
 *
 * Pure: fed with records in the order of time, or near it (each processor has a ring of its own).
 * Bounded: memory grows with the records up to a limit of each kind, then the oldest are forgotten.
 */
#ifndef EPOLLSCOPE_HISTORY_H
#define EPOLLSCOPE_HISTORY_H

#include "explain/hold_list.h"
#include "model/model.h"
#include "stream/sink.h"

/* Limits for a watch that may last for ever, and for one whose stacks are shown as a whole. */
#define HISTORY_RECENT	(1u << 13)
#define HISTORY_WHOLE	(1u << 20)

struct history;

struct history *history_new(size_t limit);	/* NULL when out of memory */
void history_free(struct history *h);		/* NULL is fine */

/* Of the kind EV_EXCHANGE, EV_TURN, EV_OFFCPU or EV_SAMPLE, as everywhere below. */
void history_add(struct history *h, enum event_kind kind, const void *record);

/* A sink that remembers turns, off-CPU intervals and samples. Exchanges are for their owner to add. */
struct sink history_sink(struct history *h);

/* The longest turns that the sink heard: they are kept when others are forgotten. */
const struct hold_list *history_holds(const struct history *h);

/* Another window begins: forgets all exchanges, and other records that ended before that time. */
void history_forget(struct history *h, uint64_t before_ns);

/* Records that were forgotten because of the limit, or found no memory. */
uint64_t history_dropped(const struct history *h);

/* All that is remembered of a kind, oldest first. Valid until the next record is added. */
size_t history_count(const struct history *h, enum event_kind kind);
const void *history_records(const struct history *h, enum event_kind kind);

/* The index of the first record of a kind that may have ended at that time or later. */
size_t history_since(const struct history *h, enum event_kind kind, uint64_t time_ns);

/*
 * Sorts what is remembered by thread and time, for history_walk(); again only after records were
 * added. 0 or -ENOMEM.
 */
int history_index(struct history *h);

/* A walk over indexed records of one kind, which is not EV_EXCHANGE. */
struct history_walk {
	const struct history_entry *at, *end;
};

/* The records of one thread that ended at `from_ns` or later, in the order of their ends. */
struct history_walk history_walk(const struct history *h, enum event_kind kind, uint32_t tid,
				 uint64_t from_ns);
/* All of them, thread by thread. */
struct history_walk history_walk_all(const struct history *h, enum event_kind kind);
const void *history_next(struct history_walk *w);	/* NULL after the last */

/* The next off-CPU interval of a walk, if it began before that time; else NULL. */
const struct ev_offcpu *history_next_offcpu(struct history_walk *w, uint64_t before_ns);

/* The turn that a thread was in, or NULL. */
const struct ev_turn *history_turn_at(const struct history *h, uint32_t tid, uint64_t at_ns);

/* When a blocked thread was woken; until the interval's end it was runnable. */
static inline uint64_t woken_at(const struct ev_offcpu *o)
{
	return o->start_ns + o->blocked_ns;
}

/* Whether a task is known to have ended the blocking; an interrupt only hits one. */
static inline bool released(const struct ev_offcpu *o)
{
	return (o->flags & (OFFCPU_WAKER | OFFCPU_INTERRUPT)) == OFFCPU_WAKER;
}

/* No interrupt releases a lock: it was the time-out's timer. That is a sleep, whoever it hit. */
static inline uint32_t slept_kind(const struct ev_offcpu *o)
{
	return o->kind == OFFCPU_FUTEX && (o->flags & OFFCPU_INTERRUPT) ? OFFCPU_SLEEP : o->kind;
}

/* Whether one handler took at least half of a turn, */
static inline bool turn_is_held(const struct ev_turn *t)
{
	return t->long_ns * 2 >= t->head.time_ns - t->start_ns;
}

/* or the loop's own work did. */
static inline bool turn_is_own(const struct ev_turn *t)
{
	return t->own_ns * 2 >= t->head.time_ns - t->start_ns && t->own_ns > t->long_ns;
}

#endif
