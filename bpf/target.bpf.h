/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * target.bpf.h - the first question of every hook: is this one of ours?
 */
#ifndef EPOLLSCOPE_TARGET_H
#define EPOLLSCOPE_TARGET_H

#include "window.bpf.h"

INLINE bool is_target(__u32 tgid)
{
	return (target_bits[(tgid / 64) & (PID_LIMIT / 64 - 1)] >> (tgid % 64)) & 1;
}

INLINE void target_add(__u32 tgid)
{
	__sync_fetch_and_or(&target_bits[(tgid / 64) & (PID_LIMIT / 64 - 1)], 1ULL << (tgid % 64));
}

INLINE void target_remove(__u32 tgid)
{
	__sync_fetch_and_and(&target_bits[(tgid / 64) & (PID_LIMIT / 64 - 1)],
			     ~(1ULL << (tgid % 64)));
}

INLINE bool is_port(__u16 port)
{
	return !cfg_ports || (port_bits[port / 64] >> (port % 64)) & 1;
}

/* The slot of a thread id, whoever holds it. */
INLINE struct thread *thread_slot(__u32 tid)
{
	__u32 key = tid & (THREAD_SLOTS - 1);

	return bpf_map_lookup_elem(&thread_slots, &key);
}

INLINE struct thread *thread_of(struct task_struct *task)
{
	__u32 tid = task->pid;
	struct thread *t = thread_slot(tid);

	if (t && t->tid == tid)
		return t;
	return bpf_task_storage_get(&threads, task, NULL, 0);
}

/* The thread's state, made at its first sight; NULL when there is no memory (counted). */
INLINE struct thread *thread_get(struct task_struct *task)
{
	__u32 tid = task->pid;
	struct thread *t = thread_slot(tid), *stored;

	if (t && t->tid == tid)
		return t;
	/* A slot that became free since is not for a thread that has its state elsewhere. */
	stored = bpf_task_storage_get(&threads, task, NULL, 0);
	if (stored)
		return stored;
	if (t && !t->tid && !__sync_val_compare_and_swap(&t->tid, 0, tid))
		return t;
	t = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t)
		COUNT(map_full);
	return t;
}

INLINE bool is_epoll(__u32 sc)
{
	return sc <= SC_EPOLL_PWAIT2;
}

INLINE bool is_poll(__u32 sc)
{
	return sc >= SC_POLL && sc <= SC_PSELECT6;
}

INLINE bool is_accept(__u32 sc)
{
	return sc == SC_ACCEPT || sc == SC_ACCEPT4;
}

INLINE bool is_read(__u32 sc)
{
	return sc >= SC_READ && sc <= SC_RECVMMSG;
}

/* The loop's own hooks time each of these; a window leaves them out. */
INLINE bool is_timed_always(__u32 sc)
{
	return is_epoll(sc) || is_poll(sc) || is_accept(sc);
}

/* A thread that waits with epoll has one loop: its poll and select calls are plain calls. */
INLINE bool is_wait(__u32 sc, const struct thread *t)
{
	return is_epoll(sc) || (is_poll(sc) && !t->wait_ep);
}

/* Nobody accounts for time off the CPU for now: the stages that it is in are not split. */
INLINE bool splits_off(void)
{
	return control.splits_from_ns == ~0ULL;
}

/* An interval off the CPU is over: blocked first, then runnable until end_ns. */
INLINE void off_ended(struct thread *t, __u64 blocked_ns, __u64 end_ns)
{
	struct counters *n = counters();
	bool counted = !splits_off();

	if (t->state == THREAD_BLOCKED && n && counted) {
		ADD_AT(n->offcpu, t->off_kind, 1);
		ADD_AT(n->offcpu_ns, t->off_kind, blocked_ns);
	}
	if (!t->in_wait && counted) {
		struct off_interval *off = &t->off[t->off_count & (OFF_INTERVALS - 1)];

		off->start_ns = t->off_ns;
		off->end_ns = end_ns;
		off->blocked_ns = blocked_ns;
		t->off_count++;
		t->off_end_ns = end_ns;
	} else if (t->in_wait && t->state == THREAD_BLOCKED) {
		t->idle_ns += blocked_ns;
		/* It was awake before in this wait, found nothing and went back to sleep. */
		if (t->wait_wake_ns && t->listener_woke && n)
			add_shared(&n->wakes_vain, 1);
		t->listener_woke = t->listener_wakes;
		t->wait_wake_ns = t->off_ns + blocked_ns;
		t->wait_oncpu_ns = end_ns;
	}
	t->runnable_ns += end_ns - t->off_ns - blocked_ns;
	t->blocked_ns += blocked_ns;
	t->state = THREAD_RUNNING;
	if (cfg_syscalls == SYSCALLS_SAMPLE && t->call_ns && !t->call_window)
		call_ends(t, end_ns);
}

/* At work but off the CPU by our books: the kernel did not tell of its switch in (ledger.bpf.c). */
int switch_in_missed(struct thread *t);

/* thread_get for the current thread. */
INLINE struct thread *thread_self(struct task_struct *task)
{
	struct thread *t = thread_get(task);

	if (t && t->state > THREAD_RUNNING)
		switch_in_missed(t);
	return t;
}

#endif
