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
	hist_put(&loop->turn, now - t->return_ns, loop_shared(t));
}

/* A descriptor is looked up now and then: a read shows when it means another eventpoll. */
#define BELIEVED_TURNS 64

INLINE __u64 wait_eventpoll(struct thread *t, __u32 sc)
{
	if (!is_epoll(sc))
		return 0;
	if (t->wait_ep && t->wait_fd == t->fd && t->turn % BELIEVED_TURNS)
		return t->wait_ep;
	t->wait_fd = t->fd;
	return eventpoll_of_fd(t->fd);
}

/* `timed` is the call if its time is wanted here, else SC_COUNT. */
INLINE void wait_ends(struct thread *t, struct task_struct *task, __u32 sc, long ret, __u32 timed,
		      __u64 now)
{
	__u64 wait_ns = now - t->wait_enter_ns;
	__u32 bucket = hist_bucket(wait_ns);
	struct loop *loop;

	t->in_wait = WAITS_NOT;
	t->wait_ep = wait_eventpoll(t, sc);
	t->prev_return_ns = t->return_ns;
	t->return_ns = now;
	t->return_runnable_ns = t->runnable_ns;
	t->return_blocked_ns = t->blocked_ns;
	t->turn++;
	if (t->behind)
		behind_report(t, ret, now);
	turn_begins(t, ret);
	if (!ret && !t->wait_wake_ns)
		COUNT(waits_empty);
	loop = loop_of(t, task);
	if (t->wait_ep && !return_remember_own(t, ret))
		return_remember(t, ret);
	if (timed < SC_COUNT)
		call_timed_at(timed, ret, bucket, wait_ns);
	if (!loop)
		return;
	hist_put_at(&loop->wait, bucket, wait_ns, loop_shared(t));
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
