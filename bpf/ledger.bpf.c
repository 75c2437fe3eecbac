// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ledger.bpf.c - the parts of the ledger that are functions of their own: with their loops and
 * branches inline, the verifier would walk them anew for every path that leads there.
 */
#include "ledger.bpf.h"

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
 * The event gets on the eventpoll's list a little after the stamp of its data: a wait that begins in
 * between finds nothing of it. Two programs and the wait queue's callbacks, up to 2 us.
 */
#define LISTED_NS 2000

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
	if (next && !e->shared && found->enter_ns < from + LISTED_NS &&
	    found->oncpu_ns <= from)
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

/* b moved to where the order of stamps allows it. */
INLINE __u64 clamp(__u64 b, __u64 lo, __u64 hi)
{
	if (b < lo)
		return lo;
	return b > hi ? hi : b;
}

INLINE void ledger_delivery(struct ledger *l, const struct conn *c, __u64 from)
{
	__u64 wake, oncpu, ret = from;

	if (c->wait_mode == WAIT_ASLEEP) {
		wake = clamp(c->wake_ns, from, c->read_ns);
		oncpu = clamp(c->oncpu_ns, wake, c->read_ns);
		ret = clamp(c->return_ns, oncpu, c->read_ns);
		l->stage_ns[STAGE_WAKEUP] = wake - from;
		l->stage_ns[STAGE_RUNQUEUE] = oncpu - wake;
		l->stage_ns[STAGE_RETURN] = ret - oncpu;
		l->present |= 1 << STAGE_WAKEUP | 1 << STAGE_RUNQUEUE | 1 << STAGE_RETURN;
	} else if (c->wait_mode == WAIT_BUSY) {
		ret = clamp(c->return_ns, from, c->read_ns);
		l->stage_ns[STAGE_BUSY] = ret - from;
		l->present |= 1 << STAGE_BUSY;
	} else {
		l->flags |= c->wait_mode == WAIT_LOST ? EXCHANGE_MERGED : EXCHANGE_NO_WAIT;
	}
	l->stage_ns[STAGE_DISPATCH] = c->read_ns - ret;
	l->present |= 1 << STAGE_DISPATCH | 1 << STAGE_SERVICE;
}

__noinline int ledger_stages(struct ledger *l, const struct conn *c, const struct thread *t,
			     __u32 tid, __u64 now)
{
	__u64 from, arrival;

	if (!l || !c || !t)
		return 0;
	from = clamp(c->accepted_ns, c->first_ns, c->read_ns);
	arrival = clamp(c->arrival_ns, from, c->read_ns);
	__builtin_memset(l, 0, sizeof(*l));
	l->latency_ns = now - c->first_ns;
	if (c->accepted_ns > c->first_ns) {
		l->stage_ns[STAGE_ACCEPT] = from - c->first_ns;
		l->present |= 1 << STAGE_ACCEPT;
	}
	if (arrival > from) {
		l->stage_ns[STAGE_RECEIVE] = arrival - from;
		l->present |= 1 << STAGE_RECEIVE;
	}
	if (c->first_ns > c->read_ns || c->arrival_ns > c->read_ns)
		l->flags |= EXCHANGE_CLAMPED;
	ledger_delivery(l, c, arrival);
	l->stage_ns[STAGE_SERVICE] = now - c->read_ns;

	l->flags |= c->split_flags;
	if (c->split_flags & EXCHANGE_SPLIT_BUSY)
		l->split[SPLIT_BUSY] = c->split[SPLIT_BUSY];
	if (c->split_flags & EXCHANGE_SPLIT_DISPATCH)
		l->split[SPLIT_DISPATCH] = c->split[SPLIT_DISPATCH];
	if (c->reader != tid) {
		l->flags |= EXCHANGE_HANDOFF;
	} else if (c->turn != t->turn) {
		l->flags |= EXCHANGE_ASYNC;
	} else {
		l->split[SPLIT_SERVICE].runnable_ns = t->runnable_ns - c->runnable_ns;
		l->split[SPLIT_SERVICE].blocked_ns = t->blocked_ns - c->blocked_ns;
		l->flags |= EXCHANGE_SPLIT_SERVICE;
	}
	return 0;
}

INLINE void answer_report(const struct conn *c, __u64 send_ns, bool delivered, __u64 deliver_ns,
			  __u64 now)
{
	struct ev_answer *e = event_reserve(sizeof(*e), EV_ANSWER, now);

	if (!e)
		return;
	e->conn = c->id;
	e->number = c->exchanges;
	e->send_ns = send_ns;
	e->deliver_ns = delivered ? deliver_ns : 0;
	e->bytes_out = c->answer_end - c->answer_start;
	e->flags = delivered ? ANSWER_DELIVERED : 0;
	e->pad = 0;
	event_submit(e);
}

__noinline int answer_finish(struct conn *c, __u32 end, __u64 delivered_us, __u32 sent_jiffies,
			     __u64 now)
{
	__u64 acked_ns = delivered_us * 1000, deliver_ns, send_ns;
	bool delivered = end & END_DELIVERED;
	__u32 key = cpu_set();

	if (!c)
		return 0;
	deliver_ns = acked_ns > c->last_send_ns ? acked_ns - c->last_send_ns : 0;
	send_ns = c->last_send_ns - c->first_send_ns;
	if (end & END_LATE) {
		hist_add_shared(H_SEND_LATE, send_ns);
		if (delivered)
			hist_add_shared(H_DELIVER_LATE, deliver_ns);
	} else {
		struct ledger_set *set = bpf_map_lookup_elem(&ledger_sets, &key);

		if (set) {
			hist_put(&set->send, send_ns, false);
			if (delivered)
				hist_put(&set->deliver, deliver_ns, false);
		}
	}
	answer_signals(c, sent_jiffies, now);
	if (c->reported)
		answer_report(c, send_ns, delivered, deliver_ns, now);
	c->first_send_ns = 0;
	c->reported = 0;
	return 0;
}
