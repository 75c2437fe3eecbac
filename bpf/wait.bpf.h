/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.bpf.h - the event loop: a wait begins, a wait ends, a connection is accepted, whichever hook
 * tells it.
 */
#ifndef EPOLLSCOPE_WAIT_BPF_H
#define EPOLLSCOPE_WAIT_BPF_H

#include "ledger.bpf.h"

INLINE struct loop *loop_of(struct thread *t, struct task_struct *task)
{
	struct loop *loop;
	__u32 slot;

	if (!t->loop) {
		slot = __sync_fetch_and_add(&control.next_loop, 1) + 1;
		if (slot >= LOOPS_MAX)
			slot = 0;
		t->loop = slot + 1;
		loop = bpf_map_lookup_elem(&loops, &slot);
		if (loop && slot) {
			loop->pid = task->tgid;
			loop->tid = task->pid;
		}
	}
	slot = t->loop - 1;
	return bpf_map_lookup_elem(&loops, &slot);
}

/* Slot 0 is shared by all threads that found no slot. */
INLINE bool loop_shared(const struct thread *t)
{
	return t->loop == 1;
}

/* The thread's first wait that we see: it may have been in a turn since before the attach. */
INLINE void turn_of_before(struct thread *t, const struct task_struct *task, __u64 now)
{
	if (t->turn || task->start_time >= control.attach_ns ||
	    now - control.attach_ns < control.turn_ns || now - control.attach_ns < BEHIND_NS)
		return;
	/* What came before its first input was not seen. */
	if (t->own_ns > now - control.attach_ns)
		t->own_ns = 0;
	if (t->held_conn)
		turn_hold(t, 0, now);
	turn_report(t, control.attach_ns, TURN_BEFORE, now);
	t->behind = ~0ULL;
}

INLINE void wait_begins(struct thread *t, struct task_struct *task, __u64 now)
{
	struct loop *loop;
	__u64 turn_ns;

	t->in_wait = WAITS_EVENTS;
	t->wait_enter_ns = now;
	t->wait_wake_ns = 0;
	t->wait_oncpu_ns = 0;
	if (!t->return_ns) {
		turn_of_before(t, task, now);
		return;
	}
	loop = loop_of(t, task);
	if (!loop)
		return;
	turn_ends(t, now);
	turn_ns = now - t->return_ns;
	hist_put(&loop->turn, turn_ns, loop_shared(t));
	add(&loop->busy_ns, turn_ns);
}

/* Leaves the return in the history of the eventpoll, for whoever reads its sockets. */
INLINE void return_remember(struct thread *t, const struct task_struct *task, long events)
{
	__u32 tid = task->pid;
	struct eventpoll_state *e = bpf_map_lookup_elem(&eventpolls, &t->wait_ep);
	struct ep_return *r;

	if (!e) {
		static const struct eventpoll_state fresh;

		bpf_map_update_elem(&eventpolls, &t->wait_ep, &fresh, BPF_NOEXIST);
		e = bpf_map_lookup_elem(&eventpolls, &t->wait_ep);
		if (!e) {
			COUNT(map_full);
			return;
		}
		e->waiter = tid;
		e->pid = task->tgid;
	}
	if (e->waiter != tid)
		e->shared = 1;
	t->ep_shared = e->shared;
	if (events > 0)
		add_shared(&e->events, events);
	add_shared(&e->wait_ns, t->return_ns - t->wait_enter_ns);
	r = &e->ring[__sync_fetch_and_add(&e->head, 1) & (EP_RETURNS - 1)];
	r->enter_ns = t->wait_enter_ns;
	r->wake_ns = t->wait_wake_ns;
	r->oncpu_ns = t->wait_oncpu_ns;
	r->return_ns = t->return_ns;
}

INLINE void wait_ends(struct thread *t, struct task_struct *task, __u32 sc, long ret, __u64 now)
{
	struct loop *loop;

	t->in_wait = WAITS_NOT;
	t->wait_ep = is_epoll(sc) ? eventpoll_of_fd(t->fd) : 0;
	t->prev_return_ns = t->return_ns;
	t->return_ns = now;
	t->return_runnable_ns = t->runnable_ns;
	t->return_blocked_ns = t->blocked_ns;
	t->turn++;
	if (t->behind)
		behind_report(t, ret, now);
	turn_begins(t, ret);
	if (t->wait_ep)
		return_remember(t, task, ret);
	if (!ret && !t->wait_wake_ns)
		COUNT(waits_empty);
	loop = loop_of(t, task);
	if (!loop)
		return;
	hist_put(&loop->wait, now - t->wait_enter_ns, loop_shared(t));
	add(&loop->wait_ns, now - t->wait_enter_ns);
	add(&loop->turns, 1);
	if (ret > 0)
		add(&loop->events, ret);
	if (t->wait_wake_ns)
		add(&loop->wakeups, 1);
	if (loop->comm[0] == 0 && !loop_shared(t))
		bpf_get_current_comm(loop->comm, sizeof(loop->comm));
}

/* The current thread is back from an accept (accept.bpf.c). */
int after_accept(struct thread *t, long ret, __u64 now);

/*
 * A wait returns whose beginning was not seen: it began before the attach, where the scheduler's stamps
 * are there if the thread slept, or the kernel skipped that hook.
 */
INLINE void wait_begin_unseen(struct thread *t, __u64 now)
{
	if (t->turn) {
		/* If it did not sleep, its wait has no length. */
		COUNT(calls_missed);
		if (!t->in_wait) {
			t->wait_enter_ns = now;
			t->wait_wake_ns = 0;
		}
	} else {
		t->wait_enter_ns = t->waking_ns ? control.attach_ns : now;
		t->wait_wake_ns = t->waking_ns;
		t->wait_oncpu_ns = t->oncpu_ns;
	}
}

/* Data went from a socket to a pipe; the socket's next answer will ask when. */
INLINE void after_splice(const struct sock *sk, __u64 now)
{
	struct spliced s = { .time_ns = now };
	__u64 addr = (__u64)sk;

	if (sk)
		bpf_map_update_elem(&splices, &addr, &s, BPF_ANY);
}

#endif
