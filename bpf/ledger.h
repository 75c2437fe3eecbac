/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ledger.h - the exchange: begun by data, read, answered, split into stages.
 *
 *   IDLE --read, arrival known--> OPEN --send--> IDLE, counted; its answer grows until the next read
 *   IDLE --read, arrival unknown--> SKIP --send--> IDLE, not counted
 *   OPEN --read--> OPEN, the last read moves
 *
 * An answer needs a read before it: what a server sends unasked is nobody's latency. Everything
 * here but arrivals runs in the thread that reads or sends.
 */
#ifndef EPOLLSCOPE_LEDGER_H
#define EPOLLSCOPE_LEDGER_H

#include "socket.h"

/* Data was queued: stamp the first unread byte. Any context. */
INLINE void ledger_arrival(struct conn *c, __u32 rcv_nxt)
{
	if (!c->ready_ns) {
		c->ready_end = rcv_nxt;
		c->ready_ns = bpf_ktime_get_ns();
	} else if (!c->next_ns) {
		c->next_ns = bpf_ktime_get_ns();
	}
}

/* The stamp of what a read took; leaves that of what is still unread. */
INLINE __u64 ledger_take_arrival(struct conn *c, const struct sock *sk, const struct tcp_sock *tp)
{
	__u64 taken = c->ready_ns ? c->ready_ns : c->next_ns;
	__u32 rcv_nxt = tp->rcv_nxt;

	if (!unread_bytes(sk, tp)) {
		c->ready_ns = 0;
		c->next_ns = 0;
	} else if (c->next_ns && (__s32)(tp->copied_seq - c->ready_end) >= 0) {
		c->ready_ns = c->next_ns;
		c->ready_end = rcv_nxt;
		c->next_ns = 0;
	}
	return taken;
}

/*
 * Functions of their own (ledger.bpf.c), so that the verifier walks their loops once.
 * off_between: runnable and blocked time of a thread between two moments; 1 if forgotten.
 * wait_in_history: the first return of a shared or foreign eventpoll after `from`.
 */
int off_between(const struct thread *t, __u64 from, __u64 to, struct split *out);
int wait_in_history(struct conn *c, __u64 ep, __u64 from);

INLINE void wait_is(struct conn *c, enum wait_mode mode, __u64 wake, __u64 oncpu, __u64 ret)
{
	c->wait_mode = mode;
	c->wake_ns = wake;
	c->oncpu_ns = oncpu;
	c->return_ns = ret;
}

/* A wait that entered before the data came and slept until woken delivered it asleep. */
INLINE void wait_found(struct conn *c, __u64 from, __u64 enter, __u64 wake, __u64 oncpu, __u64 ret)
{
	bool asleep = enter < from && wake && oncpu > from;

	wait_is(c, asleep ? WAIT_ASLEEP : WAIT_BUSY, wake, oncpu, ret);
}

/* How the data that came at `from` reached the thread that now reads it. */
INLINE void ledger_wait(struct conn *c, const struct sock *sk, const struct thread *t, __u64 from,
			__u64 now)
{
	__u64 ep = ep_of(sk);
	bool mine = t->turn && (!ep || (ep == t->wait_ep && !t->ep_shared));

	if (ep && (!mine || t->prev_return_ns > from)) {
		wait_in_history(c, ep, from);
	} else if (t->turn) {
		if (t->return_ns > from)
			wait_found(c, from, t->wait_enter_ns, t->wait_wake_ns, t->wait_oncpu_ns,
				   t->return_ns);
		else
			wait_is(c, WAIT_NONE, 0, 0, 0);
	} else {
		/* No loop at all: the wait is in the read itself, which is returning now. */
		bool slept = t->off_ns > t->enter_ns && t->enter_ns;

		wait_found(c, from, t->enter_ns, slept ? t->waking_ns : 0, t->oncpu_ns, now);
	}

	c->split_flags = 0;
	if (c->wait_mode == WAIT_BUSY && mine &&
	    !off_between(t, from, c->return_ns, &c->split[SPLIT_BUSY]))
		c->split_flags |= EXCHANGE_SPLIT_BUSY;
	if (!t->turn || t->return_ns != c->return_ns)
		return;
	c->split[SPLIT_DISPATCH].runnable_ns = t->runnable_ns - t->return_runnable_ns;
	c->split[SPLIT_DISPATCH].blocked_ns = t->blocked_ns - t->return_blocked_ns;
	c->split_flags |= EXCHANGE_SPLIT_DISPATCH;
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

/*
 * The answer is complete: its send and deliver times. `late` when no further request shows it but
 * a close, which may run in softirq, or the flush: those add to histograms of their own.
 */
INLINE void ledger_finish_answer(struct conn *c, const struct tcp_sock *tp, bool late, __u64 now)
{
	__u64 acked_ns = tp->delivered_mstamp * 1000;
	bool delivered = (__s32)(tp->snd_una - c->answer_end) >= 0;
	__u64 deliver_ns = acked_ns > c->last_send_ns ? acked_ns - c->last_send_ns : 0;
	__u64 send_ns = c->last_send_ns - c->first_send_ns;
	__u32 key = cpu_set();

	if (late) {
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
	if (c->reported)
		answer_report(c, send_ns, delivered, deliver_ns, now);
	c->first_send_ns = 0;
	c->reported = 0;
}

/* The current thread has read from the connection. */
INLINE void ledger_read(struct conn *c, const struct sock *sk, const struct tcp_sock *tp,
			struct thread *t, __u32 tid, __u64 now)
{
	__u64 arrival = ledger_take_arrival(c, sk, tp);

	if (c->first_send_ns)
		ledger_finish_answer(c, tp, false, now);
	if (!c->owned)
		conn_adopt(c, sk);

	if (c->phase == PHASE_IDLE) {
		c->request_bytes = 0;
		c->answer_start = tp->write_seq;
		c->first_ns = arrival;
		c->phase = arrival && arrival != READY_UNKNOWN ? PHASE_OPEN : PHASE_SKIP;
		if (!arrival)
			COUNT(unmatched);
	}
	c->request_bytes += tp->copied_seq - c->copied_seq;
	c->copied_seq = tp->copied_seq;
	c->read_ns = now;
	t->socket_ns = now;
	c->reader = tid;
	c->turn = t->turn;
	c->runnable_ns = t->runnable_ns;
	c->blocked_ns = t->blocked_ns;
	if (c->phase != PHASE_OPEN)
		return;
	if (arrival && arrival != READY_UNKNOWN)
		c->arrival_ns = arrival;
	arrival = c->arrival_ns > c->accepted_ns ? c->arrival_ns : c->accepted_ns;
	ledger_wait(c, sk, t, arrival, now);
}

struct ledger {
	__u64 stage_ns[STAGE_COUNT];
	struct split split[SPLIT_COUNT];
	__u64 latency_ns;
	__u32 flags;
	__u32 present;	/* bit a stage: the exchange has it, if only for 0 ns */
};

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

/* The stages: differences of consecutive clamped stamps. */
INLINE void ledger_stages(struct ledger *l, const struct conn *c, const struct thread *t,
			  __u32 tid, __u64 now)
{
	__u64 from = clamp(c->accepted_ns, c->first_ns, c->read_ns);
	__u64 arrival = clamp(c->arrival_ns, from, c->read_ns);

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
}

/* Adds the exchange to the histograms, the shares of the tail and the counters. */
int ledger_count(const struct ledger *l);

/* All at or above the threshold that user space keeps at the P99, and a sample of the rest. */
INLINE bool ledger_wanted(const struct conn *c, __u64 latency_ns)
{
	if (latency_ns >= control.tail_ns)
		return true;
	return control.sample_every && c->exchanges % control.sample_every == 0;
}

INLINE void ledger_report(struct conn *c, const struct sock *sk, const struct thread *t,
			  const struct ledger *l, __u64 pid_tgid, __u64 now)
{
	struct ev_exchange *e = event_reserve(sizeof(*e), EV_EXCHANGE, now);

	if (!e)
		return;
	c->reported = 1;
	e->conn = c->id;
	e->number = c->exchanges;
	e->turn = t->turn;
	e->latency_ns = l->latency_ns;
	__builtin_memcpy(e->stage_ns, l->stage_ns, sizeof(e->stage_ns));
	__builtin_memcpy(e->split, l->split, sizeof(e->split));
	e->bytes_in = c->request_bytes;
	e->pid = pid_tgid >> 32;
	e->tid = pid_tgid;
	e->flags = l->flags;
	e->pad = 0;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	flow_fill(&e->flow, sk, c->role);
	event_submit(e);
}

/* The current thread has handed bytes of an answer to the kernel, which now hold up to `end`. */
INLINE void ledger_send(struct conn *c, const struct sock *sk, __u32 end, struct thread *t,
			__u64 pid_tgid, __u64 now)
{
	struct ledger l;

	if (c->phase == PHASE_IDLE) {
		if (c->first_send_ns) {
			c->last_send_ns = now;
			c->answer_end = end;
		}
		return;
	}
	if (c->phase == PHASE_SKIP) {
		c->phase = PHASE_IDLE;
		return;
	}
	c->phase = PHASE_IDLE;
	if (now < c->first_ns) {
		COUNT(clock);
		return;
	}
	ledger_stages(&l, c, t, (__u32)pid_tgid, now);
	ledger_count(&l);
	c->exchanges++;
	if (l.latency_ns > c->max_latency_ns)
		c->max_latency_ns = l.latency_ns;
	c->first_send_ns = now;
	c->last_send_ns = now;
	c->answer_end = end;
	if (t->loop) {
		__u32 slot = t->loop - 1;
		struct loop *loop = bpf_map_lookup_elem(&loops, &slot);

		if (loop)
			add(&loop->exchanges, 1);
	}
	if (ledger_wanted(c, l.latency_ns))
		ledger_report(c, sk, t, &l, pid_tgid, now);
}

#endif
