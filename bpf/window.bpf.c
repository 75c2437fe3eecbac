// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * window.bpf.c - the system calls of a short while. User space attaches this pair for each window and
 * takes it away again: in between no call pays for it.
 */
#include "symptoms.bpf.h"

SEC("tp_btf/sys_enter")
int BPF_PROG(on_window_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct counters *n;
	struct thread *t;
	__u32 window, sc;
	__u64 now;

	if (!is_target(task->tgid))
		return 0;
	sc = cfg_syscall[id & (SYSCALL_NUMBERS - 1)];
	if (sc >= SC_COUNT || is_timed_always(sc))
		return 0;
	now = bpf_ktime_get_ns();
	window = window_at(now);
	if (!window)
		return 0;
	t = thread_self(task);
	n = counters();
	if (!t || !n)
		return 0;
	if (sc == SC_EPOLL_CTL)
		ctl_count(SYSCALL_ARG2(regs), SYSCALL_ARG4(regs));
	if (t->call_ns)
		call_lost(t);
	ADD_AT(n->calls_begun, sc, 1);
	calls_open_add(window, 1);
	t->call = sc;
	t->call_window = window;
	t->call_ns = now;
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_window_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t;
	__u32 sc;

	if (!is_target(task->tgid))
		return 0;
	t = thread_of(task);
	if (!t || !t->call_ns)
		return 0;
	if (t->state > THREAD_RUNNING)
		switch_in_missed(t);
	sc = t->call;
	if (!t->call_ns || call_given_up(t) ||
	    cfg_syscall[SYSCALL_NR(regs) & (SYSCALL_NUMBERS - 1)] != sc) {
		/* Another call, or one whose end came too late. */
		if (t->call_ns)
			call_lost(t);
		return 0;
	}
	if (touches(t, sc, ret, t->call_ns))
		t->touched++;
	call_failed(sc, ret);
	/* A read or send was stamped at the socket a moment ago: a clock costs more than that. */
	call_ends(t, t->socket_ns > t->call_ns ? t->socket_ns : bpf_ktime_get_ns());
	return 0;
}
