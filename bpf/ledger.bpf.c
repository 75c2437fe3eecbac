// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ledger.bpf.c - the parts of the ledger that are functions of their own: with their loops and
 * branches inline, the verifier would walk them anew for every path that leads there.
 */
#include "ledger.h"

/* Runnable and blocked time of a thread between two moments of its past; 1 if forgotten. */
__noinline int off_between(const struct thread *t, __u64 from, __u64 to, struct split *out)
{
	__u64 runnable = 0, blocked = 0;
	__u32 count, i;

	if (!t || !out)
		return 1;
	count = t->off_count;
	for (i = 0; i < OFF_INTERVALS; i++) {
		const struct off_interval *off;
		__u64 start, end, wake;

		if (i >= count)
			goto done;
		off = &t->off[(count - 1 - i) & (OFF_INTERVALS - 1)];
		if (off->end_ns <= from)
			goto done;
		start = off->start_ns > from ? off->start_ns : from;
		end = off->end_ns < to ? off->end_ns : to;
		if (end <= start)
			continue;
		wake = off->start_ns + off->blocked_ns;
		if (wake > end)
			wake = end;
		if (wake < start)
			wake = start;
		blocked += wake - start;
		runnable += end - wake;
	}
	return 1;
done:
	out->runnable_ns = runnable;
	out->blocked_ns = blocked;
	return 0;
}

/*
 * The first return of an eventpoll after `from`. A thread that was already gathering events then
 * may have missed ours: if it returned again before the read, its next return brought it.
 */
__noinline int wait_in_history(struct conn *c, __u64 ep, __u64 from)
{
	const struct ep_return *found = NULL, *next = NULL;
	struct eventpoll_state *e;
	__u32 head, i;

	if (!c)
		return 0;
	wait_is(c, WAIT_NONE, 0, 0, 0);
	e = bpf_map_lookup_elem(&eventpolls, &ep);
	if (!e)
		return 0;
	head = e->head;
	for (i = 0; i < EP_RETURNS; i++) {
		const struct ep_return *r = &e->ring[(head - 1 - i) & (EP_RETURNS - 1)];

		if (i >= head || r->return_ns <= from)
			break;
		next = found;
		found = r;
	}
	if (i == EP_RETURNS)
		c->wait_mode = WAIT_LOST;
	if (i == EP_RETURNS || !found)
		return 0;
	if (next && !e->shared && found->enter_ns < from && found->oncpu_ns <= from)
		found = next;
	wait_found(c, from, found->enter_ns, found->wake_ns, found->oncpu_ns, found->return_ns);
	return 0;
}

INLINE void stage_count(struct ledger_set *set, __u32 latency_bucket, __u32 stage, __u64 ns)
{
	hist_put(&set->stage[stage], ns, false);
	if (latency_bucket < HIST_BUCKETS)
		add(&set->stage_ns[latency_bucket][stage], ns);
}

INLINE void split_count(struct counters *n, __u32 which, __u64 ns, const struct split *split)
{
	add(&n->split_ns[which], ns);
	if (split->runnable_ns)
		add(&n->split[which].runnable_ns, split->runnable_ns);
	if (split->blocked_ns)
		add(&n->split[which].blocked_ns, split->blocked_ns);
}

INLINE void flags_count(struct counters *n, const struct ledger *l)
{
	if (l->flags & EXCHANGE_SPLIT_BUSY)
		split_count(n, SPLIT_BUSY, l->stage_ns[STAGE_BUSY], &l->split[SPLIT_BUSY]);
	if (l->flags & EXCHANGE_SPLIT_DISPATCH)
		split_count(n, SPLIT_DISPATCH, l->stage_ns[STAGE_DISPATCH],
			    &l->split[SPLIT_DISPATCH]);
	if (l->flags & EXCHANGE_SPLIT_SERVICE)
		split_count(n, SPLIT_SERVICE, l->stage_ns[STAGE_SERVICE], &l->split[SPLIT_SERVICE]);
	if (l->flags & EXCHANGE_CLAMPED)
		add(&n->clamped, 1);
	if (l->flags & EXCHANGE_ASYNC)
		add(&n->async, 1);
	if (l->flags & EXCHANGE_HANDOFF)
		add(&n->handoff, 1);
	if (l->flags & EXCHANGE_MERGED)
		add(&n->merged, 1);
	if (l->flags & EXCHANGE_NO_WAIT)
		add(&n->no_wait, 1);
}

__noinline int ledger_count(const struct ledger *l)
{
	__u32 key = cpu_set(), bucket, stage;
	struct ledger_set *set = bpf_map_lookup_elem(&ledger_sets, &key);
	struct counters *n = bpf_map_lookup_elem(&counter_sets, &key);

	if (!l || !set || !n)
		return 0;
	bucket = hist_bucket(l->latency_ns);
	hist_put(&set->latency, l->latency_ns, false);
#pragma unroll
	for (stage = 0; stage < STAGE_COUNT; stage++)
		if (l->present & (1 << stage))
			stage_count(set, bucket, stage, l->stage_ns[stage]);
	flags_count(n, l);
	return 0;
}
