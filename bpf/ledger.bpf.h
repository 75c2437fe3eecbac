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

#include "arrival.bpf.h"
#include "eventpoll.bpf.h"
#include "traffic.bpf.h"

/*
 * What is only declared here is a function of its own in ledger.bpf.c: the verifier walks its
 * branches once, and not anew for every path that leads there.
 */

/* Runnable and blocked time of a thread between two moments of its past; 1 if forgotten (ledger.bpf.c). */
int off_between(const struct thread *t, __u64 from, __u64 to, struct split *out);

/*
 * How the data that came at `from` reached the thread that now reads it, from eventpoll `ep` or 0
 * (delivery.bpf.c).
 */
int ledger_wait(struct conn *c, struct thread *t, __u64 ep, __u64 from, __u64 now);

/*
 * Most of it, inline: the reader's own last return brought the data, and since then, or since the
 * data came, the thread has not been off its CPU. False: ledger_wait() finds out.
 */
INLINE bool ledger_wait_plain(struct conn *c, const struct thread *t, __u64 ep, __u64 from)
{
	__u64 ret = t->return_ns;

	if (!ep || ep != t->wait_ep || t->ep_shared || t->prev_return_ns > from ||
	    t->off_end_ns > from)
		return false;
	c->wake_ns = t->wait_wake_ns;
	c->oncpu_ns = t->wait_oncpu_ns;
	c->return_ns = ret;
	c->split_some = 0;
	c->flags = EXCHANGE_SPLIT_DISPATCH;
	if (ret <= from)
		c->flags |= EXCHANGE_NO_WAIT;
	else if (t->wait_enter_ns < from && t->wait_wake_ns && t->wait_oncpu_ns > from)
		c->flags |= EXCHANGE_ASLEEP;
	else
		c->flags |= EXCHANGE_SPLIT_BUSY;
	return true;
}

/*
 * The answer is complete, as the next request shows: it goes with that one's record.
 */
INLINE void answer_ends(struct conn *c, const struct tcp_sock *tp)
{
	__u64 acked_ns = tp->delivered_mstamp * 1000;

	c->prev_send_ns = c->last_send_ns - c->first_send_ns;
	c->prev_deliver_ns = ~0ULL;
	if ((__s32)(tp->snd_una - c->answer_end) >= 0)
		c->prev_deliver_ns = acked_ns > c->last_send_ns ? acked_ns - c->last_send_ns : 0;
	c->prev_bytes = c->answer_end - c->answer_start;
	c->prev_sends = c->sends;
	c->first_send_ns = 0;
	if (c->sign.held)
		nagle_released(c, tp->lsndtime, bpf_ktime_get_ns());
}

/*
 * No further request will come for it: a close, which may run in softirq, or the flush. Such
 * answers are added to histograms of their own, and told if their exchange was slow (ledger.bpf.c).
 */
int answer_late(struct conn *c, __u64 number, __u64 now);

INLINE void ledger_finish_late(struct conn *c, const struct tcp_sock *tp, __u64 now)
{
	/* That of the request before, if this one was never answered. */
	if (c->prev_sends)
		answer_late(c, c->exchanges, now);
	if (!c->first_send_ns || traffic_kind(&c->traffic) == KIND_ONE_WAY)
		return;
	answer_ends(c, tp);
	/* The hooks are gone, the connection goes on: that is no acknowledgement of this answer. */
	if ((__s32)(tp->write_seq - c->answer_end) > 1)
		c->prev_deliver_ns = ~0ULL;
	answer_late(c, c->exchanges, now);
}

/* The arrival of data that was read and has no stamp (missed.bpf.c). */
__u64 arrival_estimate(struct conn *c, const struct thread *t, __u64 now);

INLINE bool is_stamp(__u64 arrival)
{
	return arrival && arrival != READY_UNKNOWN;
}

/* The current thread has read from the connection. */
INLINE void ledger_read(struct conn *c, const struct sock *sk, const struct tcp_sock *tp,
			struct thread *t, __u32 copied_seq, __u32 tid, __u64 now)
{
	__u32 bytes = copied_seq - c->copied_seq;
	__u64 arrival = ledger_take_arrival(c, sk, tp, copied_seq, now), ep;

	turn_touch(t, c->id, now);
	if (c->phase == PHASE_IDLE && !is_stamp(arrival)) {
		/* Counted already, when another hook saw that these bytes were gone. */
		if (!bytes)
			return;
		/* Under way at the attach, also if it was read while the snapshot looked, is not ours. */
		if (arrival == READY_UNKNOWN || (c->preexisting && !c->exchanges))
			arrival = 0;
		else
			arrival = arrival_estimate(c, t, now);
	}
	if (c->first_send_ns)
		answer_ends(c, tp);
	if ((c->met & MET) != MET) {
		if (!c->owned)
			conn_adopt(c, sk);
		if (!c->looked)
			protocol_look(c, bytes);
	}

	if (c->phase == PHASE_IDLE) {
		c->request_bytes = 0;
		c->first_ns = arrival;
		c->phase = arrival ? PHASE_OPEN : PHASE_SKIP;
	} else if (c->turn != (__u32)t->turn && traffic_read(c, bytes, now)) {
		/* Another request, which came early: the one that is due is served since its own read. */
		c->request_bytes += bytes;
		c->copied_seq = copied_seq;
		t->socket_ns = now;
		return;
	}
	c->request_bytes += bytes;
	c->copied_seq = copied_seq;
	t->socket_ns = now;
	c->read_ns = now;
	c->reader = tid;
	c->turn = t->turn;
	c->runnable_ns = t->runnable_ns;
	c->blocked_ns = t->blocked_ns;
	c->idle_ns = t->idle_ns;
	if (c->phase != PHASE_OPEN)
		return;
	if (is_stamp(arrival))
		c->arrival_ns = arrival;
	arrival = c->arrival_ns;
	if (!c->exchanges && c->accepted_ns > arrival)
		arrival = c->accepted_ns;
	ep = ep_of(c, tp);
	if (c->unarmed || !ledger_wait_plain(c, t, ep, arrival))
		ledger_wait(c, t, ep, arrival, now);
}

/* The stages of a record; added to the histograms, the shares of the tail and the counters. */
int ledger_stages(struct ledger *l, const struct ev_record *r);
int ledger_add(const struct ledger *l, const struct ev_record *r);

/*
 * The address of a connection, once, before its record: the reader empties the rings of records last.
 * Static, because a global function can't be given a socket.
 */
static __noinline __attribute__((unused)) int conn_tell(struct conn *c, const struct sock *sk,
							__u64 now)
{
	struct ev_conn *e;

	e = event_reserve(sizeof(*e), EV_CONN, now);
	if (!e)
		return 0;
	c->told = 1;
	e->conn = c->id;
	e->pid = c->pid;
	e->pad = 0;
	flow_fill(&e->flow, sk, c->role);
	event_submit(e);
	return 0;
}

/* The same of a thread's name (ledger.bpf.c). */
int thread_tell(struct thread *t, __u64 now);

/*
 * Where the next record of this processor goes; without room, which is counted, or if none is wanted,
 * a place where it can be made to be added up here, and *ring is NULL.
 */
INLINE struct ev_record *record_slot(struct record_ring **ring, bool wanted)
{
	__u32 cpu = bpf_get_smp_processor_id(), key;
	struct record_ring *mine = &record_rings[cpu & (CPU_SLOTS - 1)];

	*ring = NULL;
	if (wanted && mine->head - mine->tail < cfg_records) {
		*ring = mine;
		key = cpu * cfg_records + ((__u32)mine->head & (cfg_records - 1));
	} else {
		key = cfg_cpus * cfg_records + cpu;
		if (wanted)
			COUNT(ring_lost);
	}
	return bpf_map_lookup_elem(&records, &key);
}

/* The record is complete before the reader sees that there is one more. */
INLINE void record_submit(struct record_ring *ring)
{
#ifdef __TARGET_ARCH_x86
	__u64 head = ring->head + 1;

	barrier();
	*(volatile __u64 *)&ring->head = head;	/* stores keep their order */
#else
	__sync_fetch_and_add(&ring->head, 1);
#endif
}

/* The long part: how long stages were off the CPU, and the accept (ledger.bpf.c). */
int record_lengthen(struct ev_record *r, struct conn *c, __u64 runnable_ns, __u64 blocked_ns);

/* How the answer comes from the request: by its reader in the same turn, or not. */
INLINE __u32 answer_flag(const struct conn *c, const struct thread *t, const struct task_struct *task)
{
	if (c->reader != (__u32)task->pid)
		return EXCHANGE_HANDOFF;
	return c->turn != (__u32)t->turn ? EXCHANGE_ASYNC : EXCHANGE_SPLIT_SERVICE;
}
/*
 * The same of an asynchronous service, by the thread's whole time between read and answer. `touched_ns`:
 * the thread's last read or send before this one (ledger.bpf.c).
 */
int record_async(struct ev_record *r, struct conn *c, const struct thread *t,
		 __u64 touched_ns);

INLINE void record_fill(struct ev_record *r, struct conn *c, const struct thread *t,
			struct task_struct *task, __u32 flags, __u64 now)
{
	__u64 runnable_ns = t->runnable_ns - c->runnable_ns;
	__u64 blocked_ns = t->blocked_ns - c->blocked_ns;

	if (flags == EXCHANGE_ASYNC)
		flags |= EXCHANGE_SPLIT_SERVICE;
	else if (flags == EXCHANGE_HANDOFF)
		runnable_ns = blocked_ns = 0;
	flags |= c->flags;
	if (c->first_ns < control.splits_from_ns) {
		flags &= ~(EXCHANGE_SPLIT_BUSY | EXCHANGE_SPLIT_DISPATCH | EXCHANGE_SPLIT_SERVICE |
			   EXCHANGE_UNARMED);
		runnable_ns = blocked_ns = c->split_some = 0;
	}
	r->head.size = RECORD_SHORT;
	r->head.kind = EV_RECORD;
	r->head.cpu = bpf_get_smp_processor_id();
	r->head.time_ns = now;
	r->conn = c->id;
	r->first_ns = c->first_ns;
	r->arrival_ns = c->arrival_ns;
	r->wake_ns = c->wake_ns;
	r->oncpu_ns = c->oncpu_ns;
	r->return_ns = c->return_ns;
	r->read_ns = c->read_ns;
	r->number = c->exchanges;
	r->turn = t->turn;
	r->pid = task->tgid;
	r->tid = task->pid;
	r->reader_tid = c->reader;
	r->flags = flags;
	r->bytes_in = c->request_bytes;
	r->prev_sends = c->prev_sends;
	r->prev_send_ns = c->prev_send_ns;
	r->prev_deliver_ns = c->prev_deliver_ns;
	r->prev_bytes_out = c->prev_bytes;
	r->kind = KIND_REQUEST;
	r->protocol = c->traffic.protocol;
	r->pad[0] = r->pad[1] = 0;
	c->prev_sends = 0;
	if ((flags & EXCHANGE_ASYNC) && (flags & EXCHANGE_SPLIT_SERVICE))
		record_async(r, c, t, t->socket_ns);
	else if (runnable_ns | blocked_ns | c->split_some | c->estimated || r->number == 1)
		record_lengthen(r, c, runnable_ns, blocked_ns);
}

/*
 * The exchange is over: its record, or where there is none, its part of the sums. False: it is none, as
 * its connection's traffic shows.
 */
INLINE bool ledger_record(struct conn *c, const struct sock *sk, struct thread *t,
			  struct task_struct *task, __u64 now)
{
	__u64 latency_ns = now - c->first_ns;
	__u32 flag = answer_flag(c, t, task);
	bool at_once = flag == EXCHANGE_SPLIT_SERVICE;
	struct record_ring *ring;
	struct ev_record *r;

	if (!traffic_plain(&c->traffic, at_once)) {
		__u32 turn = traffic_turn(t, task->pid, now);

		if (traffic_send(c, turn, at_once, now) == TRAFFIC_OTHER)
			return false;
	}
	if (latency_ns > c->max_latency_ns)
		c->max_latency_ns = latency_ns;
	if (c->slow)
		c->flags |= RECORD_PREV_SLOW;
	c->slow = latency_ns >= control.tail_ns;
	if (c->slow)
		c->flags |= RECORD_SLOW;
	r = record_slot(&ring, latency_ns >= control.record_ns);
	if (!r)
		return true;
	record_fill(r, c, t, task, flag, now);
	if (!ring) {
		struct ledger l = {};

		ledger_stages(&l, r);
		ledger_add(&l, r);
		if (c->flags & RECORD_DOUBTFUL)
			traffic_summed(c);
		return true;
	}
	if (!c->told && (c->exchanges > 1 || c->slow))
		conn_tell(c, sk, now);
	if (!t->told)
		thread_tell(t, now);
	record_submit(ring);
	return true;
}

/* The peer has acknowledged all that was sent before this send. */
INLINE bool answer_acked(const struct conn *c, const struct sock *sk)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;

	return !c->first_send_ns || (__s32)(BPF_CORE_READ(tp, snd_una) - c->answer_end) >= 0;
}

/* The first byte of an answer was sent; what was sent ends at `end` now, and ended at `start` before. */
INLINE void answer_begins(struct conn *c, const struct thread *t, __u32 start, __u32 end, __u64 now)
{
	__u32 slot = t->loop - 1;
	struct loop *loop;

	c->answer_start = start;
	c->answer_end = end;
	c->first_send_ns = now;
	c->last_send_ns = now;
	c->sends = 1;
	loop = bpf_map_lookup_elem(&loops, &slot);	/* none of a thread that has no loop */
	if (loop)
		add(&loop->exchanges, 1);
}

/* No answer is due: another part of the last one, or a push. */
INLINE void ledger_send_idle(struct conn *c, const struct sock *sk, __u32 end, struct thread *t,
			     __u32 tid, __u64 now)
{
	/* A push is no part of an answer, and its acknowledgement hides that one's. */
	if ((c->turn != (__u32)t->turn || c->reader != tid) &&
	    traffic_push(c, traffic_turn(t, tid, now), answer_acked(c, sk), now))
		c->first_send_ns = 0;
	c->answer_end = end;
	if (!c->first_send_ns)
		return;
	c->last_send_ns = now;
	c->sends++;
	if (!c->told && now - c->first_send_ns >= BEHIND_NS)
		conn_tell(c, sk, now);
}

/*
 * A send does not begin where those so far end: false if a hook that was missed let another count it.
 * Else the first part of the answer went out unseen, or an upper protocol adds bytes.
 */
INLINE bool send_is_new(struct conn *c, const struct sock *sk, __u32 end)
{
	if (end == c->answer_end)
		return false;
	if (!has_upper_protocol(sk))
		c->estimated = 1;
	return true;
}

/* The current thread has handed `bytes` to the kernel, which now holds what ends at `end`. */
INLINE void ledger_send(struct conn *c, const struct sock *sk, __u32 end, __u32 bytes, struct thread *t,
			struct task_struct *task, __u64 now)
{
	__u32 start = c->answer_end;

	if (c->phase == PHASE_IDLE) {
		ledger_send_idle(c, sk, end, t, task->pid, now);
		return;
	}
	if (c->phase == PHASE_OPEN && end - bytes != start && !send_is_new(c, sk, end))
		return;
	c->answer_end = end;
	if (c->phase == PHASE_SKIP) {
		c->phase = PHASE_IDLE;
		c->last_send_ns = now;
		return;
	}
	c->phase = PHASE_IDLE;
	if (now < c->first_ns) {
		COUNT(clock);
		return;
	}
	c->exchanges++;
	if (ledger_record(c, sk, t, task, now)) {
		answer_begins(c, t, start, end, now);
	} else {
		c->last_send_ns = now;
		c->estimated = 0;
	}
}

#endif
