/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stage_map.h - for each moment of a thread, the stage of the exchanges that waited for it.
 *
 * Many may wait for one thread at once, in different stages. It works for one at a time, so the
 * moment belongs to the stage that is furthest in the ledger: service before dispatch, return,
 * busy, runqueue. An asynchronous service comes last, since the thread served others meanwhile;
 * and where nobody waited, or the exchange had not ended when the watch did, the word is "other".
 * So every moment has one word, and what is split by it keeps its sum.
 */
#ifndef EPOLLSCOPE_STAGE_MAP_H
#define EPOLLSCOPE_STAGE_MAP_H

#include "model/model.h"

/* How much of one stretch of time another one covers. */
static inline uint64_t span_overlap(uint64_t from, uint64_t to, uint64_t start, uint64_t end)
{
	uint64_t lo = from > start ? from : start, hi = to < end ? to : end;

	return hi > lo ? hi - lo : 0;
}

/* A stage of one exchange, and the thread that it waited for. */
struct stage_span {
	unsigned stage;
	bool has_thread;	/* from STAGE_RUNQUEUE up: before, no thread is responsible */
	uint32_t tid;
	uint64_t from, to;	/* CLOCK_MONOTONIC ns */
};

/* The exchange's stages that took time, in order. Returns how many. */
size_t stage_spans(const struct ev_exchange *x, struct stage_span spans[STAGE_COUNT]);

enum stage_word {
	STAGE_WORD_ASYNC = STAGE_COUNT,	/* below it: enum stage */
	STAGE_WORD_OTHER,
	STAGE_WORDS,
};

/* Their names by number, ended by NULL. */
extern const char *const stage_words[];

struct stage_map;

/* NULL when out of memory. Does not keep x. */
struct stage_map *stage_map_new(const struct ev_exchange *x, size_t n);
void stage_map_free(struct stage_map *m);	/* NULL is fine */

/* Adds the time from `from` to `to` of a thread to the words that it belongs to. */
void stage_map_split(const struct stage_map *m, uint32_t tid, uint64_t from, uint64_t to,
		     uint64_t ns[STAGE_WORDS]);

#endif
