/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ledger.bpf.h - the exchange: begun by data, read, answered, split into stages.
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

#include "symptoms.bpf.h"

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
INLINE __u64 ledger_take_arrival(struct conn *c, const struct sock *sk, const struct tcp_sock *tp,
				 __u64 now)
{
	__u64 taken = c->ready_ns ? c->ready_ns : c->next_ns;
	__u32 rcv_nxt = tp->rcv_nxt;

	if (!unread_bytes(sk, tp)) {
		c->ready_ns = 0;
		c->next_ns = 0;
		drained(c, now);
	} else if (c->next_ns && (__s32)(tp->copied_seq - c->ready_end) >= 0) {
		c->ready_ns = c->next_ns;
		c->ready_end = rcv_nxt;
		c->next_ns = 0;
		left_behind(c, sk, now);
	} else {
		left_behind(c, sk, now);
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
		/* No loop at all: the wait is in the read itself. */
		if (!t->off_ns && t->waking_ns)	/* since before the attach */
			wait_found(c, from, control.attach_ns, t->waking_ns, t->oncpu_ns, now);
		else if (t->data_return_ns > from)
			wait_found(c, from, t->wait_enter_ns, t->wait_wake_ns, t->wait_oncpu_ns,
				   t->data_return_ns);
		else
			wait_is(c, WAIT_BUSY, 0, 0, now);
	}

	c->split_flags = 0;
	if (c->wait_mode == WAIT_BUSY && mine &&
	    !off_between(t, from, c->return_ns, &c->split[SPLIT_BUSY]))
		c->split_flags |= EXCHANGE_SPLIT_BUSY;
	if (c->wait_mode == WAIT_NONE && t->turn &&
	    !off_between(t, from, now, &c->split[SPLIT_DISPATCH]))
		c->split_flags |= EXCHANGE_SPLIT_DISPATCH;
	if (!t->turn || t->return_ns != c->return_ns)
		return;
	c->split[SPLIT_DISPATCH].runnable_ns = t->runnable_ns - t->return_runnable_ns;
	c->split[SPLIT_DISPATCH].blocked_ns = t->blocked_ns - t->return_blocked_ns;
	c->split_flags |= EXCHANGE_SPLIT_DISPATCH;
}

/*
 * The answer is complete: its send and deliver times. `late` when no further request shows it but
 * a close, which may run in softirq, or the flush: those add to histograms of their own.
 */
enum answer_end {
	END_DELIVERED = 1 << 0,	/* all of it was acknowledged */
	END_LATE = 1 << 1,
};

int answer_finish(struct conn *c, __u32 end, __u64 delivered_us, __u32 sent_jiffies, __u64 now);

INLINE void ledger_finish_answer(struct conn *c, const struct tcp_sock *tp, bool late, __u64 now)
{
	__u32 end = late ? END_LATE : 0;

	if ((__s32)(tp->snd_una - c->answer_end) >= 0)
		end |= END_DELIVERED;
	answer_finish(c, end, tp->delivered_mstamp, tp->lsndtime, now);
}

/* The current thread has read from the connection. */
INLINE void ledger_read(struct conn *c, const struct sock *sk, const struct tcp_sock *tp,
			struct thread *t, __u32 tid, __u64 now)
{
	__u64 arrival = ledger_take_arrival(c, sk, tp, now);

	turn_touch(t, c->id, now);
	if (c->first_send_ns)
		ledger_finish_answer(c, tp, false, now);
	if (!c->owned)
		conn_adopt(c, sk);

	if (c->phase == PHASE_IDLE) {
		c->request_bytes = 0;
		c->answer_start = tp->write_seq;
		c->first_ns = arrival;
		c->phase = arrival && arrival != READY_UNKNOWN ? PHASE_OPEN : PHASE_SKIP;
		/* Read while the snapshot looked: under way at the attach, so not ours to miss. */
		if (!arrival && (c->exchanges || !c->preexisting))
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

/* The stages: differences of consecutive clamped stamps (ledger.bpf.c). */
int ledger_stages(struct ledger *l, const struct conn *c, const struct thread *t, __u32 tid,
		  __u64 now);

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
	e->reader_tid = c->reader;
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
			c->sends++;
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
	c->sends = 1;
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
