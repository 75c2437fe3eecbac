/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ledger.bpf.c - the parts of the ledger that are functions of their own: with their loops and
 * branches inline, the verifier would walk them anew for every path that leads there.
 */
#include "ledger.bpf.h"

/*
 * It was blocked until its wake-up; since when it runs we can't say, so nothing of that is runnable.
 */
__noinline int switch_in_missed(struct thread *t)
{
	__u64 blocked_ns = 0;

	if (!t)
		return 0;
	if (t->state == THREAD_BLOCKED && t->waking_ns > t->off_ns)
		blocked_ns = t->waking_ns - t->off_ns;
	COUNT(switches_missed);
	off_ended(t, blocked_ns, t->off_ns + blocked_ns);
	return 0;
}

/* Without a branch, of which a loop has only so many: the verifier goes both ways, each time round. */
INLINE __u64 later(__u64 a, __u64 b)
{
	__s64 ahead = a - b, behind = ahead >> 63;

	barrier_var(behind);
	return b + (ahead & ~behind);
}

INLINE __u64 earlier(__u64 a, __u64 b)
{
	__s64 ahead = a - b, behind = ahead >> 63;

	barrier_var(behind);
	return b + (ahead & behind);
}

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
		start = later(off->start_ns, from);
		end = later(earlier(off->end_ns, to), start);
		wake = later(earlier(off->start_ns + off->blocked_ns, end), start);
		blocked += wake - start;
		runnable += end - wake;
	}
	return 1;
done:
	out->runnable_ns = runnable;
	out->blocked_ns = blocked;
	return 0;
}

__noinline int record_lengthen(struct ev_record *r, struct conn *c, __u64 runnable_ns,
			       __u64 blocked_ns)
{
	if (!r || !c)
		return 0;
	r->head.size = sizeof(*r);
	r->accepted_ns = r->number == 1 && c->accepted_ns > c->first_ns ? c->accepted_ns : 0;
	__builtin_memset(r->split, 0, sizeof(r->split));
	if (c->split_some)
		__builtin_memcpy(r->split, c->split, sizeof(c->split));
	r->split[SPLIT_SERVICE].runnable_ns = runnable_ns;
	r->split[SPLIT_SERVICE].blocked_ns = blocked_ns;
	__builtin_memset(&r->aside, 0, sizeof(r->aside));
	if (c->flags & EXCHANGE_UNARMED)
		r->aside.unarmed_ns = c->unarmed_ns;
	__builtin_memset(r->pad2, 0, sizeof(r->pad2));
	if (c->estimated)
		r->flags |= EXCHANGE_ESTIMATED;
	c->estimated = 0;
	return 0;
}

/* What the reader did from the read until it touched another connection, or waited. */
INLINE __u64 work_after_read(const struct conn *c, const struct thread *t)
{
	const struct hold_end *end = &t->ended[c->id & (HOLD_ENDS - 1)];
	__u64 begun = c->read_ns - c->runnable_ns - c->blocked_ns;

	return end->conn == c->id && (__s64)(end->work_ns - begun) > 0 ? end->work_ns - begun : 0;
}

/*
 * On the CPU since `from`, in this turn. Where the switches are too many to be remembered, all of the
 * turn's time off the CPU counts: it is not less.
 */
INLINE __u64 work_since(const struct thread *t, __u64 from, __u64 now)
{
	__u64 off_ns = t->runnable_ns - t->return_runnable_ns +
		       t->blocked_ns - t->return_blocked_ns;
	struct split off = {};

	if (off_ns && !off_between(t, from, now, &off))
		off_ns = off.runnable_ns + off.blocked_ns;
	return now - from > off_ns ? now - from - off_ns : 0;
}

__noinline int record_async(struct ev_record *r, struct conn *c, const struct thread *t,
			    __u64 touched_ns)
{
	__u64 now, from, idle, blocked, own, spent;
	struct split *service;

	if (!r || !c || !t)
		return 0;
	now = r->head.time_ns;
	service = &r->split[SPLIT_SERVICE];
	idle = t->idle_ns - c->idle_ns;
	blocked = t->blocked_ns - c->blocked_ns;
	record_lengthen(r, c, t->runnable_ns - c->runnable_ns, blocked > idle ? blocked - idle : 0);
	from = touched_ns > t->return_ns ? touched_ns : t->return_ns;
	own = work_after_read(c, t) + work_since(t, from, now);
	spent = service->runnable_ns + service->blocked_ns + idle + own;
	r->aside.idle_ns = idle;
	r->aside.others_ns = now - c->read_ns > spent ? now - c->read_ns - spent : 0;
	if (touched_ns == t->upstream_read_ns && t->upstream_from_ns >= c->read_ns &&
	    t->upstream_to_ns > t->upstream_from_ns)
		r->aside.upstream_ns = t->upstream_to_ns - t->upstream_from_ns;
	return 0;
}

INLINE void stage_count(struct ledger_set *set, __u32 latency_bucket, __u32 stage, __u64 ns)
{
	hist_put(&set->stage[stage], ns, false);
	if (latency_bucket < HIST_BUCKETS)
		add(&set->stage_ns[latency_bucket][stage], ns);
}

INLINE void split_count(struct counters *n, __u32 which, __u64 ns, const struct ev_record *r)
{
	add(&n->split_ns[which], ns);
	if (r->head.size == RECORD_SHORT)
		return;
	add(&n->split[which].runnable_ns, r->split[which].runnable_ns);
	add(&n->split[which].blocked_ns, r->split[which].blocked_ns);
}

INLINE void aside_count(struct counters *n, const struct ev_record *r)
{
	if (r->head.size == RECORD_SHORT)
		return;
	add(&n->aside.others_ns, r->aside.others_ns);
	add(&n->aside.idle_ns, r->aside.idle_ns);
	add(&n->aside.upstream_ns, r->aside.upstream_ns);
	if (!(r->flags & EXCHANGE_UNARMED))
		return;
	add(&n->unarmed, 1);
	add(&n->aside.unarmed_ns, r->aside.unarmed_ns);
	/* That much of its busy time is known, whatever the rest was. */
	if (!(r->flags & EXCHANGE_SPLIT_BUSY))
		add(&n->split_ns[SPLIT_BUSY], r->aside.unarmed_ns);
}

INLINE void flags_count(struct counters *n, const struct ledger *l, const struct ev_record *r)
{
	if (l->flags & EXCHANGE_SPLIT_BUSY)
		split_count(n, SPLIT_BUSY, l->stage_ns[STAGE_BUSY], r);
	if (l->flags & EXCHANGE_SPLIT_DISPATCH)
		split_count(n, SPLIT_DISPATCH, l->stage_ns[STAGE_DISPATCH], r);
	if (l->flags & EXCHANGE_SPLIT_SERVICE)
		split_count(n, SPLIT_SERVICE, l->stage_ns[STAGE_SERVICE], r);
	if (l->flags & (EXCHANGE_ASYNC | EXCHANGE_UNARMED))
		aside_count(n, r);
	if (l->flags & EXCHANGE_CLAMPED)
		add(&n->clamped, 1);
	if (l->flags & EXCHANGE_ESTIMATED)
		add(&n->estimated, 1);
	if (l->flags & EXCHANGE_ASYNC)
		add(&n->async, 1);
	if (l->flags & EXCHANGE_HANDOFF)
		add(&n->handoff, 1);
	if (l->flags & EXCHANGE_MERGED)
		add(&n->merged, 1);
	if (l->flags & EXCHANGE_NO_WAIT)
		add(&n->no_wait, 1);
}

/* What a complete answer says of the application. */
INLINE void answer_count(struct counters *n, __u32 sends, __u32 bytes, __u64 send_ns)
{
	add_shared(&n->answers, 1);
	add_shared(&n->answer_sends, sends);
	if (sends <= SMALL_SENDS)
		return;
	if (send_ns >= (sends - 1) * SMALL_GAP_NS)
		add_shared(&n->answers_streamed, 1);
	else if (bytes / sends < SMALL_BYTES)
		add_shared(&n->answers_small, 1);
}

__noinline int ledger_stages(struct ledger *l, const struct ev_record *r)
{
	if (l && r)
		stages_of(l, r, r->head.size == RECORD_SHORT ? 0 : r->accepted_ns);
	return 0;
}

__noinline int ledger_add(const struct ledger *l, const struct ev_record *r)
{
	__u32 key = cpu_set(), bucket, stage;
	struct ledger_set *set = bpf_map_lookup_elem(&ledger_sets, &key);
	struct counters *n = bpf_map_lookup_elem(&counter_sets, &key);

	if (!l || !r || !set || !n)
		return 0;
	bucket = hist_bucket(l->latency_ns);
	hist_put(&set->latency, l->latency_ns, false);
#pragma unroll
	for (stage = 0; stage < STAGE_COUNT; stage++)
		if (l->present & (1 << stage))
			stage_count(set, bucket, stage, l->stage_ns[stage]);
	flags_count(n, l, r);
	if (!r->prev_sends)
		return 0;
	hist_put(&set->send, r->prev_send_ns, false);
	if (r->prev_deliver_ns != ~0ULL)
		hist_put(&set->deliver, r->prev_deliver_ns, false);
	answer_count(n, r->prev_sends, r->prev_bytes_out, r->prev_send_ns);
	return 0;
}

INLINE void answer_report(const struct conn *c, __u64 number, __u64 now)
{
	struct ev_answer *e = event_reserve(sizeof(*e), EV_ANSWER, now);
	bool delivered = c->prev_deliver_ns != ~0ULL;

	if (!e)
		return;
	e->conn = c->id;
	e->number = number;
	e->send_ns = c->prev_send_ns;
	e->deliver_ns = delivered ? c->prev_deliver_ns : 0;
	e->bytes_out = c->prev_bytes;
	e->flags = delivered ? ANSWER_DELIVERED : 0;
	e->pad = 0;
	event_submit(e);
}

__noinline int answer_late(struct conn *c, __u64 number, __u64 now)
{
	struct counters *n = counters();

	if (!c || !n)
		return 0;
	hist_add_shared(H_SEND_LATE, c->prev_send_ns);
	if (c->prev_deliver_ns != ~0ULL)
		hist_add_shared(H_DELIVER_LATE, c->prev_deliver_ns);
	answer_count(n, c->prev_sends, c->prev_bytes, c->prev_send_ns);
	if (c->slow)
		answer_report(c, number, now);
	c->prev_sends = 0;
	c->slow = 0;
	return 0;
}

__noinline int thread_tell(struct thread *t, __u64 now)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct ev_thread *e;

	if (!t)
		return 0;
	e = event_reserve(sizeof(*e), EV_THREAD, now);
	if (!e)
		return 0;
	t->told = 1;
	e->pid = pid_tgid >> 32;
	e->tid = pid_tgid;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	event_submit(e);
	return 0;
}
