/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* holds.c - see holds.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/aggregate.h"
#include "model/holds.h"

/*
 * All of the time without a CPU may have been in one stretch, and is no work: what is left of the
 * stretch must be half of what the thread did.
 */
static bool is_most(const struct hold *h, uint64_t stretch_ns)
{
	uint64_t work_ns = hold_ns(h) > h->runnable_ns ? hold_ns(h) - h->runnable_ns : 0;

	return stretch_ns > h->runnable_ns && stretch_ns - h->runnable_ns >= work_ns / 2;
}

enum held_by hold_by(const struct hold *h)
{
	if (h->conn && is_most(h, h->conn_ns))
		return HELD_CONN;
	if (is_most(h, h->own_ns))
		return HELD_OWN;
	/* What was served before the watch was not seen. */
	if (h->flags & TURN_BEFORE || h->runnable_ns >= hold_ns(h) / 2)
		return HELD_UNKNOWN;
	return h->touched > 1 ? HELD_SEVERAL : HELD_UNKNOWN;
}

uint64_t hold_oncpu_ns(const struct hold *h)
{
	uint64_t off_ns = h->runnable_ns + h->blocked_ns;

	return hold_ns(h) > off_ns ? hold_ns(h) - off_ns : 0;
}

/* --- the open-loop wait --- */

int open_loop_add(struct open_loop *o, uint64_t ns, double weight)
{
	if (array_reserve(&o->list, &o->room, o->n + 1, sizeof(*o->list)))
		return -ENOMEM;
	o->list[o->n++] = (struct open_hold){ .ns = ns, .weight = weight };
	return 0;
}

static int longest_first(const void *a, const void *b)
{
	const struct open_hold *x = a, *y = b;

	return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

void open_loop_sort(struct open_loop *o)
{
	if (o->n)
		qsort(o->list, o->n, sizeof(*o->list), longest_first);
}

/* Between the lengths of two holds P falls in a straight line: sum of the longer ones - t * weight. */
uint64_t open_loop_wait_ns(const struct open_loop *o, double beyond)
{
	double sum = 0, weight = 0;

	for (size_t i = 0; i < o->n; i++) {
		uint64_t next = i + 1 < o->n ? o->list[i + 1].ns : 0;

		sum += (double)o->list[i].ns * o->list[i].weight;
		weight += o->list[i].weight;
		if (sum - (double)next * weight >= beyond && weight > 0)
			return sum > beyond ? (uint64_t)((sum - beyond) / weight) : 0;
	}
	return 0;
}

void open_loop_free(struct open_loop *o)
{
	free(o->list);
	*o = (struct open_loop){ 0 };
}

/* --- the loops --- */

/*
 * What one thread does is a hold only if no other polls for it. Without the eventpolls, whose maps a
 * brief reading leaves out, a process with one loop is all that can be judged.
 */
static bool polls_alone(const struct aggregate *a, uint32_t pid)
{
	size_t loops = 0;

	for (size_t i = 0; i < a->n_eventpolls; i++)
		if (a->eventpolls[i].pid == pid && a->eventpolls[i].shared)
			return false;
	for (size_t i = 0; i < a->n_loops; i++)
		loops += a->loops[i].pid == pid;
	return a->n_eventpolls || loops <= 1;
}

static uint64_t served(const struct loop *l)
{
	return l->exchanges ? l->exchanges : l->accepts;
}

/* Thread 0 is many loops that share a row. */
static bool is_judged(const struct aggregate *a, const struct loop *l)
{
	return l->tid && served(l) && polls_alone(a, l->pid);
}

static const struct loop *loop_of(const struct aggregate *a, const struct hold *h)
{
	for (size_t i = 0; i < a->n_loops; i++)
		if (a->loops[i].tid == h->tid && a->loops[i].pid == h->pid)
			return &a->loops[i];
	return NULL;
}

/* In no histogram: its length is not known to the kernel side, or it is not over. */
static bool is_open(const struct hold *h)
{
	return h->flags & (TURN_BEFORE | TURN_UNENDED);
}

static bool hold_counts(const struct aggregate *a, const struct hold *h)
{
	const struct loop *l = loop_of(a, h);

	if (l)
		return is_judged(a, l) || (is_open(h) && polls_alone(a, h->pid));
	return is_open(h) || !a->n_loops;
}

/* What a hold is: by the turns of all loops that count. */
static uint64_t limit_of(const struct aggregate *a)
{
	struct hist all = { 0 };
	struct dist d;
	uint64_t limit;

	for (size_t i = 0; i < a->n_loops; i++)
		if (is_judged(a, &a->loops[i]))
			hist_sum(&all, &a->loops[i].turn);
	dist_from_hist(&d, &all);
	limit = d.count ? HOLD_MEDIANS * d.p50_ns : HOLD_MAX_NS;
	limit = limit < HOLD_MIN_NS ? HOLD_MIN_NS : limit > HOLD_MAX_NS ? HOLD_MAX_NS : limit;
	/* Where a bucket begins, so that counts are exact. */
	return hist_bucket_lower(hist_bucket(limit));
}

/* A turn of a bucket: its middle, which is at most 0.8 % off. */
static uint64_t middle(const struct hist *h, unsigned b)
{
	uint64_t upper = hist_bucket_upper(b);

	if (b == hist_bucket(h->max) && h->max < upper)
		upper = h->max;
	return hist_bucket_lower(b) + (upper - hist_bucket_lower(b)) / 2;
}

static int add_loop(struct holds *out, struct open_loop *o, const struct loop *l, double weight)
{
	for (unsigned b = 0; b < HIST_BUCKETS; b++) {
		uint64_t n = l->turn.bucket[b], ns = middle(&l->turn, b);

		if (!n)
			continue;
		if (open_loop_add(o, ns, weight * (double)n))
			return -ENOMEM;
		if (hist_bucket_lower(b) < out->limit_ns)
			continue;
		out->count += n;
		if (b >= hist_bucket(HOLD_MAX_NS))
			out->long_count += n;
		out->sum_ns += n * ns;
		out->deaf += weight * (double)(n * ns);
		if (l->turn.max > out->max_ns)
			out->max_ns = l->turn.max;
	}
	return 0;
}

static int add_open(struct holds *out, struct open_loop *o, const struct hold *h, double weight)
{
	uint64_t ns = hold_ns(h);

	if (ns >= out->limit_ns) {
		out->count++;
		if (hist_bucket(ns) >= hist_bucket(HOLD_MAX_NS))
			out->long_count++;
		out->sum_ns += ns;
		out->deaf += weight * (double)ns;
		if (ns > out->max_ns)
			out->max_ns = ns;
	}
	return open_loop_add(o, ns, weight);
}

/* The share of the requests that a loop gets; one that was held throughout counts as one of `n`. */
static double share_of(const struct loop *l, uint64_t all, size_t n)
{
	if (!all)
		return n ? 1 / (double)n : 0;
	return l ? (double)served(l) / (double)all : 0;
}

static int add_all(struct holds *out, struct open_loop *o, const struct aggregate *a,
		   const struct hold *kept, size_t n, uint64_t window_ns)
{
	size_t open = 0;
	uint64_t all = 0;
	int err = 0;

	for (size_t i = 0; i < a->n_loops; i++)
		if (is_judged(a, &a->loops[i]))
			all += served(&a->loops[i]);
	for (size_t i = 0; i < n; i++)
		open += is_open(&kept[i]) && hold_counts(a, &kept[i]);
	out->known = window_ns && (all || open);
	if (!out->known)
		return 0;
	for (size_t i = 0; i < a->n_loops && !err; i++)
		if (is_judged(a, &a->loops[i]))
			err = add_loop(out, o, &a->loops[i],
				       share_of(&a->loops[i], all, open) / (double)window_ns);
	for (size_t i = 0; i < n && !err; i++)
		if (is_open(&kept[i]) && hold_counts(a, &kept[i]))
			err = add_open(out, o, &kept[i], share_of(loop_of(a, &kept[i]), all, open) /
				       (double)window_ns);
	return err;
}

static int longest_hold_first(const void *a, const void *b)
{
	uint64_t x = hold_ns(a), y = hold_ns(b);

	return x < y ? 1 : x > y ? -1 : 0;
}

/* One of the events may be the next request of the connection that was served. */
static uint32_t others_waiting(const struct hold *h)
{
	return h->flags & TURN_UNENDED || !h->waiting ? h->waiting : h->waiting - 1;
}

/* Where every hold was kept, their sum is exact; where there are no loops, they are all there is. */
static int keep_worst(struct holds *out, const struct aggregate *a, const struct hold *kept, size_t n)
{
	struct hold *list = calloc(n + 1, sizeof(*list));
	uint64_t sum_ns = 0;
	size_t some = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (hold_ns(&kept[i]) < out->limit_ns || !hold_counts(a, &kept[i]))
			continue;
		list[some++] = kept[i];
		sum_ns += hold_ns(&kept[i]);
		out->waiting += others_waiting(&kept[i]);
	}
	qsort(list, some, sizeof(*list), longest_hold_first);
	if (some == out->count || !a->n_loops) {
		out->count = some;
		out->sum_ns = sum_ns;
		out->max_ns = some ? hold_ns(list) : 0;
	}
	out->worst = list;
	out->n_worst = some < HOLDS_SHOWN ? some : HOLDS_SHOWN;
	return 0;
}

int holds_fill(struct holds *out, const struct aggregate *a, const struct hold *kept, size_t n,
	       uint64_t window_ns)
{
	struct open_loop o = { 0 };
	int err;

	*out = (struct holds){ .limit_ns = limit_of(a) };
	err = add_all(out, &o, a, kept, n, window_ns);
	err = err ? err : keep_worst(out, a, kept, n);
	open_loop_sort(&o);
	out->p50_ns = open_loop_wait_ns(&o, 0.5);
	out->p90_ns = open_loop_wait_ns(&o, 0.1);
	out->p99_ns = open_loop_wait_ns(&o, 0.01);
	out->p999_ns = open_loop_wait_ns(&o, 0.001);
	out->deaf = out->deaf > 1 ? 1 : out->deaf;
	open_loop_free(&o);
	return err;
}
