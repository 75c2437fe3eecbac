/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stage_map.c - see stage_map.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "explain/stage_map.h"

struct interval {
	uint32_t tid;
	uint64_t from, to;
};

/* For each word the times in which any exchange was in it: by thread and time, without overlaps. */
struct stage_map {
	struct interval *list[STAGE_WORDS];
	size_t n[STAGE_WORDS];
};

/* Who comes first where several words hold. */
static const unsigned order[] = { STAGE_SERVICE, STAGE_DISPATCH, STAGE_RETURN, STAGE_BUSY,
				  STAGE_RUNQUEUE, STAGE_WORD_ASYNC };

#define ORDER_COUNT (sizeof(order) / sizeof(order[0]))

size_t stage_spans(const struct ev_exchange *x, struct stage_span spans[STAGE_COUNT])
{
	uint64_t at = x->head.time_ns - x->latency_ns;
	size_t n = 0;

	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		if (!x->stage_ns[stage])
			continue;
		spans[n++] = (struct stage_span){
			.stage = stage, .has_thread = stage >= STAGE_RUNQUEUE,
			.tid = stage == STAGE_SERVICE ? x->tid : x->reader_tid,
			.from = at, .to = at + x->stage_ns[stage],
		};
		at += x->stage_ns[stage];
	}
	return n;
}

const char *const stage_words[] = {
	"accept", "receive", "wakeup", "runqueue", "busy", "return", "dispatch", "service",
	"asynchronous", "other", NULL
};

static unsigned word_of(const struct ev_exchange *x, const struct stage_span *s)
{
	return s->stage == STAGE_SERVICE && (x->flags & EXCHANGE_ASYNC) ? STAGE_WORD_ASYNC :
									  s->stage;
}

static int interval_order(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

/* Sorts, and merges what overlaps or touches. Returns how many are left. */
static size_t merge(struct interval *list, size_t n)
{
	size_t kept = 0;

	qsort(list, n, sizeof(*list), interval_order);
	for (size_t i = 0; i < n; i++) {
		struct interval *last = kept ? &list[kept - 1] : NULL;

		if (!last || last->tid != list[i].tid || last->to < list[i].from)
			list[kept++] = list[i];
		else if (last->to < list[i].to)
			last->to = list[i].to;
	}
	return kept;
}

static int add_exchange(struct stage_map *m, const struct ev_exchange *x)
{
	struct stage_span spans[STAGE_COUNT];
	size_t n = stage_spans(x, spans);

	for (const struct stage_span *s = spans; s < spans + n; s++) {
		unsigned word = word_of(x, s);
		struct interval *in;

		if (!s->has_thread)
			continue;
		in = array_more(&m->list[word], m->n[word], sizeof(*in));
		if (!in)
			return -ENOMEM;
		*in = (struct interval){ s->tid, s->from, s->to };
		m->n[word]++;
	}
	return 0;
}

struct stage_map *stage_map_new(const struct ev_exchange *x, size_t n)
{
	struct stage_map *m = calloc(1, sizeof(*m));

	for (size_t i = 0; m && i < n; i++)
		if (add_exchange(m, &x[i])) {
			stage_map_free(m);
			return NULL;
		}
	for (unsigned w = 0; m && w < STAGE_WORDS; w++)
		if (m->n[w])
			m->n[w] = merge(m->list[w], m->n[w]);
	return m;
}

void stage_map_free(struct stage_map *m)
{
	for (unsigned w = 0; m && w < STAGE_WORDS; w++)
		free(m->list[w]);
	free(m);
}

static bool ends_before(const void *item, const void *key)
{
	const struct interval *a = item, *at = key;

	return a->tid != at->tid ? a->tid < at->tid : a->to <= at->to;
}

/* The first interval of the thread that ends after `at`. */
static size_t first_after(const struct stage_map *m, unsigned word, uint32_t tid, uint64_t at)
{
	const struct interval key = { .tid = tid, .to = at };

	return array_lower_bound(m->list[word], m->n[word], sizeof(key), ends_before, &key);
}

/* Divides the time among the words from order[rank] on. Recurses once for each word. */
static void split(const struct stage_map *m, unsigned rank, const struct interval *t,
		  uint64_t ns[STAGE_WORDS])
{
	struct interval gap = *t;
	unsigned word;

	if (rank == ORDER_COUNT) {
		ns[STAGE_WORD_OTHER] += t->to - t->from;
		return;
	}
	word = order[rank];
	for (size_t i = first_after(m, word, t->tid, t->from);
	     i < m->n[word] && m->list[word][i].tid == t->tid && m->list[word][i].from < t->to;
	     i++) {
		const struct interval *has = &m->list[word][i];

		gap.to = has->from;
		if (gap.to > gap.from)
			split(m, rank + 1, &gap, ns);
		else
			gap.to = gap.from;
		gap.from = has->to < t->to ? has->to : t->to;
		ns[word] += gap.from - gap.to;
	}
	gap.to = t->to;
	if (gap.to > gap.from)
		split(m, rank + 1, &gap, ns);
}

void stage_map_split(const struct stage_map *m, uint32_t tid, uint64_t from, uint64_t to,
		     uint64_t ns[STAGE_WORDS])
{
	struct interval t = { tid, from, to };

	if (to > from)
		split(m, 0, &t, ns);
}
