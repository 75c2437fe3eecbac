// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ledger.bpf.c - looking back at what a thread did and an eventpoll returned; the sums. */
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

/* The first return of a shared or foreign eventpoll after `from`. */
__noinline int wait_in_history(struct conn *c, __u64 ep, __u64 from)
{
	struct eventpoll_state *e;
	const struct ep_return *found = NULL;
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
		found = r;
	}
	if (i == EP_RETURNS)
		c->wait_mode = WAIT_LOST;
	else if (found)
		wait_found(c, from, found->enter_ns, found->wake_ns, found->oncpu_ns,
			   found->return_ns);
	return 0;
}

__noinline int ledger_count(const struct ledger *l)
{
	__u32 set = cpu_set(), b, s;
	struct stage_matrix *m = bpf_map_lookup_elem(&matrices, &set);
	struct counters *n = bpf_map_lookup_elem(&counter_sets, &set);

	if (!l)
		return 0;
	b = bucket_of(l->latency_ns);
	hist_add(H_LATENCY, l->latency_ns);
#pragma unroll
	for (s = 0; s < STAGE_COUNT; s++) {
		if (!(l->present & (1 << s)))
			continue;
		hist_add(H_STAGE + s, l->stage_ns[s]);
		if (m && b < HIST_BUCKETS)
			add(&m->ns[b][s], l->stage_ns[s]);
	}
	if (!n)
		return 0;
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
#pragma unroll
	for (s = 0; s < SPLIT_COUNT; s++) {
		if (!(l->flags & (EXCHANGE_SPLIT_BUSY << s)))
			continue;
		add(&n->split_ns[s], l->stage_ns[s == SPLIT_BUSY ? STAGE_BUSY :
						 s == SPLIT_DISPATCH ? STAGE_DISPATCH :
								       STAGE_SERVICE]);
		add(&n->split[s].runnable_ns, l->split[s].runnable_ns);
		add(&n->split[s].blocked_ns, l->split[s].blocked_ns);
	}
	return 0;
}
