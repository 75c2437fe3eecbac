/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.bpf.c - the loop's own calls at the functions that do them: no system call of any process takes
 * the slow path that system-call tracepoints put all of them on.
 *
 * Where fentry and fexit work, which user space finds out by trying. A thread sleeps inside these
 * functions, so the kernel must keep a trampoline until its last user has left: commit e21d2b92354b
 * (Linux 6.16, and the stable series), known by the function that it brought.
 */
#include "wait.bpf.h"

/* Several calls end in one function: the registers tell which it is, if it is one that is timed. */
INLINE __u32 loop_call(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u32 sc = cfg_syscall[SYSCALL_NR(regs) & (SYSCALL_NUMBERS - 1)];

	return is_timed_always(sc) ? sc : SC_COUNT;
}

/* An accept, or the poll of a thread whose loop is another call. */
INLINE void call_begins(struct thread *t)
{
	if (cfg_syscalls == SYSCALLS_SAMPLE)
		t->enter_ns = bpf_ktime_get_ns();
}

INLINE void plain_call_ends(struct thread *t, struct task_struct *task, long ret, __u64 now)
{
	if (cfg_syscalls == SYSCALLS_SAMPLE && t->enter_ns) {
		__u32 sc = loop_call(task);

		if (sc < SC_COUNT)
			call_timed(sc, ret, t->enter_ns, now);
	}
	t->enter_ns = 0;
}

INLINE int function_begins(__u32 sc, __u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t;

	if (!is_target(task->tgid))
		return 0;
	t = thread_self(task);
	if (!t)
		return 0;
	if (!is_wait(sc, t)) {
		call_begins(t);
		return 0;
	}
	t->fd = fd;
	wait_begins(t, task, bpf_ktime_get_ns());
	return 0;
}

INLINE int function_ends(__u32 sc, __u32 fd, __u32 most, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 timed = SC_COUNT;
	struct thread *t;
	__u64 now;

	if (!is_target(task->tgid))
		return 0;
	t = thread_self(task);
	if (!t)
		return 0;
	if (!is_wait(sc, t)) {
		if (cfg_syscalls == SYSCALLS_SAMPLE)
			plain_call_ends(t, task, ret, bpf_ktime_get_ns());
		return 0;
	}
	now = bpf_ktime_get_ns();
	t->fd = fd;
	t->arg3 = most;
	if (t->in_wait != WAITS_EVENTS || !t->wait_enter_ns)
		wait_begin_unseen(t, now);
	else if (cfg_syscalls == SYSCALLS_SAMPLE)
		timed = loop_call(task);
	wait_ends(t, task, sc, ret, timed, now);
	return 0;
}

SEC("fentry/do_epoll_wait")
int BPF_PROG(on_wait_begin, int epfd)
{
	return function_begins(SC_EPOLL_WAIT, epfd);
}

SEC("fexit/do_epoll_wait")
int BPF_PROG(on_wait_end, int epfd, void *events, int most, void *timeout, long ret)
{
	return function_ends(SC_EPOLL_WAIT, epfd, most, (int)ret);
}

SEC("fentry/do_sys_poll")
int BPF_PROG(on_poll_begin)
{
	return function_begins(SC_POLL, 0);
}

SEC("fexit/do_sys_poll")
int BPF_PROG(on_poll_end, void *fds, unsigned int n, void *timeout, long ret)
{
	return function_ends(SC_POLL, 0, 0, (int)ret);
}

SEC("fentry/core_sys_select")
int BPF_PROG(on_select_begin)
{
	return function_begins(SC_SELECT, 0);
}

SEC("fexit/core_sys_select")
int BPF_PROG(on_select_end, int n, void *in, void *out, void *except, void *timeout, long ret)
{
	return function_ends(SC_SELECT, 0, 0, (int)ret);
}

SEC("fentry/__sys_accept4")
int BPF_PROG(on_accept_begin)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t;

	if (cfg_syscalls != SYSCALLS_SAMPLE || !is_target(task->tgid))
		return 0;
	t = thread_self(task);
	if (t)
		call_begins(t);
	return 0;
}

SEC("fexit/__sys_accept4")
int BPF_PROG(on_accepted, int fd, void *address, void *len, int flags, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t;
	__u64 now;

	if (!is_target(task->tgid))
		return 0;
	t = thread_self(task);
	if (!t)
		return 0;
	now = bpf_ktime_get_ns();
	t->fd = fd;
	plain_call_ends(t, task, (int)ret, now);
	after_accept(t, (int)ret, now);
	t->in_wait = WAITS_NOT;
	return 0;
}

SEC("fexit/do_splice")
int BPF_PROG(on_spliced, struct file *in, void *off_in, struct file *out, void *off_out, __u64 len,
	     __u32 flags, long ret)
{
	struct socket *socket;

	if (!is_target(bpf_get_current_pid_tgid() >> 32) || ret <= 0 ||
	    (in->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	socket = in->private_data;
	after_splice(BPF_CORE_READ(socket, sk), bpf_ktime_get_ns());
	return 0;
}
