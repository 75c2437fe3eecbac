/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* symptoms.bpf.c - long turns and long absences go to the ring. */
#include "symptoms.bpf.h"

/* With TURN_BEFORE all that is known of the thread is of this turn. */
__noinline int turn_report(const struct thread *t, __u64 start_ns, __u32 flags, __u64 now)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct ev_turn *e;

	if (!t)
		return 0;
	e = event_reserve(sizeof(*e), EV_TURN, now);
	if (!e)
		return 0;
	e->start_ns = start_ns;
	e->turn = t->turn;
	e->runnable_ns = t->runnable_ns - t->return_runnable_ns;
	e->blocked_ns = t->blocked_ns - t->return_blocked_ns;
	e->long_ns = t->long_ns;
	e->long_conn = t->long_conn;
	e->pid = pid_tgid >> 32;
	e->tid = pid_tgid;
	e->events = t->turn_events;
	e->touched = t->touched;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	e->own_ns = t->own_ns;
	e->flags = flags;
	e->syscall = ~0;
	e->kind = 0;
	e->waiting = 0;
	__builtin_memset(&e->flow, 0, sizeof(e->flow));
	event_submit(e);
	return 0;
}

__noinline int behind_report(struct thread *t, long events, __u64 now)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct ev_behind *e;

	if (!t)
		return 0;
	e = event_reserve(sizeof(*e), EV_BEHIND, now);
	if (!e)
		return 0;
	e->turn = t->behind;
	e->pid = pid_tgid >> 32;
	e->tid = pid_tgid;
	e->events = events > 0 && !t->wait_wake_ns ? events : 0;
	e->pad = 0;
	t->behind = 0;
	event_submit(e);
	return 0;
}

INLINE void off_fill(struct ev_offcpu *e, const struct thread *t, const struct absence *a)
{
	e->start_ns = t->off_ns;
	e->blocked_ns = a->blocked_ns;
	e->turn = t->turn;
	e->pid = a->pid;
	e->tid = a->tid;
	e->kind = t->off_kind;
	e->syscall = t->off_nr;
	e->flags = (t->in_wait ? OFFCPU_IN_WAIT : t->waker_flags) | a->flags;
	e->waker_pid = t->waker_pid;
	e->waker_tid = t->waker_tid;
	e->instead_pid = a->instead_pid;
	e->instead_tid = a->instead_tid;
	e->instead_us = a->instead_us;
	e->kernel_stack = t->off_stack[0];
	e->user_stack = t->off_stack[1];
	e->waker_kernel_stack = t->waker_stack[0];
	e->waker_user_stack = t->waker_stack[1];
	__builtin_memcpy(e->comm, a->comm, COMM_LEN);
	__builtin_memcpy(e->waker_comm, t->waker_comm, COMM_LEN);
	__builtin_memcpy(e->instead_comm, a->instead_comm, COMM_LEN);
}

/* With the top of the user stack behind it, if there is one. */
__noinline int off_report(const struct thread *t, const struct absence *a,
			  const struct off_top *top, __u64 now)
{
	struct ev_offcpu_top *with;
	struct ev_offcpu *e;

	if (!t || !a)
		return 0;
	if (top && top->n) {
		with = event_reserve(sizeof(*with), EV_OFFCPU, now);
		if (!with)
			return 0;
		off_fill(&with->offcpu, t, a);
		__builtin_memcpy(&with->top, top, sizeof(*top));
		event_submit(with);
		return 0;
	}
	e = event_reserve(sizeof(*e), EV_OFFCPU, now);
	if (!e)
		return 0;
	off_fill(e, t, a);
	event_submit(e);
	return 0;
}
