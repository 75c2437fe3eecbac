/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * process.bpf.c - the target grows by fork and shrinks by exit.
 */
#include "target.bpf.h"

INLINE void process_event(const struct task_struct *task, __u32 parent, __u32 change)
{
	struct ev_process *e = event_reserve(sizeof(*e), EV_PROCESS, bpf_ktime_get_ns());

	if (!e)
		return;
	e->pid = task->tgid;
	e->parent = parent;
	e->change = change;
	e->pad = 0;
	__builtin_memcpy(e->comm, task->comm, COMM_LEN);
	event_submit(e);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (!is_target(parent->tgid) || child->tgid == parent->tgid)
		return 0;
	target_add(child->tgid);
	process_event(child, parent->tgid, PROCESS_FORK);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	if (is_target(task->tgid))
		process_event(task, BPF_CORE_READ(task, real_parent, tgid), PROCESS_EXEC);
	return 0;
}

/* The thread's slot is free for another from here on. */
INLINE void thread_gone(__u32 tid)
{
	static const struct thread gone;
	__u32 key = tid & (THREAD_SLOTS - 1);
	struct thread *t = thread_slot(tid);

	if (t && t->tid == tid)
		bpf_map_update_elem(&thread_slots, &key, &gone, BPF_ANY);
}

/* When the last thread is gone, the process id may come back as somebody else's. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct thread *t;

	if (!is_target(task->tgid))
		return 0;
	t = cfg_syscalls == SYSCALLS_SAMPLE ? thread_of(task) : NULL;
	if (t && t->call_ns)
		call_lost(t);
	thread_gone(task->pid);
	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	target_remove(task->tgid);
	process_event(task, BPF_CORE_READ(task, real_parent, tgid), PROCESS_EXIT);
	return 0;
}
