/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * target.h - the first question of every hook: is this one of ours?
 */
#ifndef EPOLLSCOPE_TARGET_H
#define EPOLLSCOPE_TARGET_H

#include "count.h"

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
	struct thread *t = thread_slot(tid);

	if (t && t->tid == tid)
		return t;
	if (t && !t->tid && !__sync_val_compare_and_swap(&t->tid, 0, tid))
		return t;
	t = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t)
		COUNT(map_full);
	return t;
}

#endif
