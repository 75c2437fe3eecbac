/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stacks.bpf.h - the current thread's stacks, as ids in the stack map. Two microseconds for both. */
#ifndef EPOLLSCOPE_STACKS_H
#define EPOLLSCOPE_STACKS_H

#include "count.bpf.h"

#define STACK_NONE	(-1)

INLINE __s32 stack_id(void *ctx, __u64 flags)
{
	long id = bpf_get_stackid(ctx, &stacks, flags | BPF_F_FAST_STACK_CMP);

	if (id >= 0)
		return id;
	/* Another stack has the place. */
	if (id == -EEXIST) {
		id = bpf_get_stackid(ctx, &stacks_2, flags | BPF_F_FAST_STACK_CMP);
		if (id >= 0)
			return id | STACK_SECOND;
	}
	/* There too, or there is no room. Else: no stack of this kind to take. */
	if (id == -EEXIST || id == -ENOMEM)
		COUNT(stacks_lost);
	return STACK_NONE;
}

INLINE void stacks_take(void *ctx, __s32 stack[2])
{
	stack[0] = STACK_NONE;
	stack[1] = STACK_NONE;
	if (!cfg_stacks || control.stacks_off)
		return;
	stack[0] = stack_id(ctx, 0);
	stack[1] = stack_id(ctx, BPF_F_USER_STACK);
}

/* The words from one on up to another; whether they were there. */
INLINE bool top_read(struct user_top *top, __u32 from, __u32 to)
{
	if (bpf_probe_read_user(&top->word[from], (to - from) * sizeof(__u64),
				(void *)(top->sp + from * sizeof(__u64))))
		return false;
	top->n = to;
	return true;
}

/*
 * The registers are those of a task that is in the kernel, or was when an interrupt came. In steps,
 * since a stack may end before there are many words.
 */
INLINE void top_take(struct task_struct *task, struct user_top *top, bool many)
{
	top->n = 0;
#ifdef USER_SP
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	top->ip = USER_IP(regs);
	top->sp = USER_SP(regs);
	top->fp = USER_FP(regs);
	if (top_read(top, 0, OFF_TOP_WORDS) && many && top_read(top, OFF_TOP_WORDS, TOP_WORDS / 2))
		top_read(top, TOP_WORDS / 2, TOP_WORDS);
#endif
}

/* NULL for a thread whose slot is another's. */
INLINE struct off_top *top_of(const struct thread *t, __u32 tid)
{
	__u32 key = tid & (THREAD_SLOTS - 1);

	return t->tid == tid ? bpf_map_lookup_elem(&tops, &key) : NULL;
}

#endif
