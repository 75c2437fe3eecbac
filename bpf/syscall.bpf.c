/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscall.bpf.c - system calls of the target: latency, the event loop's turns, accepts.
 *
 * Timing every call takes a pair of programs that fire on every call of every process, 150 ns a
 * call. Who samples the calls (window.bpf.c) or wants none attaches the other pair to the tracepoints
 * of the loop's own calls only: 110 ns a firing there, 38 ns on all other calls.
 */
#include "wait.bpf.h"

/* Functions of their own, as those of ledger.bpf.c. */
int first_return(__u32 nr, long ret);
int sleep_untold(struct thread *t, __u32 nr);

INLINE bool is_write(__u32 sc)
{
	return sc >= SC_WRITE && sc <= SC_SENDFILE;
}

/* What the ledger and the loops can't do without. */
INLINE bool is_loop_call(__u32 sc)
{
	return is_epoll(sc) || is_poll(sc) || is_accept(sc) || sc == SC_SPLICE ||
	       (cfg_by_addr && is_write(sc));
}

/*
 * The thread was in its wait or its accept when we attached: the enter was not seen, but what this
 * return delivers is ours to explain. The scheduler's stamps are there if it slept.
 */
__noinline int first_return(__u32 nr, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u32 sc = cfg_syscall[nr & (SYSCALL_NUMBERS - 1)];
	struct thread *t;
	__u64 now;

	if ((!is_epoll(sc) && !is_accept(sc)) || ret < 0)
		return 0;
	t = thread_get(task);
	if (!t)
		return 0;
	now = bpf_ktime_get_ns();
	t->fd = SYSCALL_ARG1(regs);
	t->arg3 = SYSCALL_ARG3(regs);
	if (is_accept(sc)) {
		after_accept(t, ret, now);
		return 0;
	}
	wait_begin_unseen(t, now);
	wait_ends(t, task, sc, ret, SC_COUNT, now);
	return 0;
}

/* Without socket hooks the answer is seen here. */
INLINE void after_write(struct thread *t, struct task_struct *task, __u32 fd, __u32 bytes,
			__u64 now)
{
	struct sock *sk = sock_of_fd(fd);
	struct conn *c = sk ? conn_of_addr((__u64)sk) : NULL;
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	if (!c)
		return;
	t->sent_ns = now;
	if (c->role == ROLE_SERVER)
		ledger_send(c, sk, BPF_CORE_READ(tp, write_seq), bytes, t, task, now);
	t->socket_ns = now;
}

/* Back from its wait without a word: the kernel skipped the hook. It is at work since now at most. */
INLINE void wait_end_missed(struct thread *t, __u64 now)
{
	COUNT(calls_missed);
	t->in_wait = WAITS_NOT;
	t->prev_return_ns = t->return_ns;
	t->return_ns = now;
	t->return_runnable_ns = t->runnable_ns;
	t->return_blocked_ns = t->blocked_ns;
	t->turn++;
	t->behind = 0;
	turn_begins(t, 0);
}

INLINE int enter(__u32 nr, __u64 arg1, __u64 arg3)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t;
	__u64 now;

	if (!is_target(task->tgid))
		return 0;
	nr &= SYSCALL_NUMBERS - 1;
	if (cfg_syscalls != SYSCALLS_ALL && !is_loop_call(cfg_syscall[nr]))
		return 0;
	t = thread_self(task);
	if (!t)
		return 0;
	now = bpf_ktime_get_ns();
	t->enter_ns = now;
	t->fd = arg1;
	t->arg3 = arg3;
	t->syscall = cfg_syscall[nr];
	t->enter_nvcsw = task->nvcsw;
	t->enter_blocks = t->blocks;
	if (is_wait(t->syscall, t))
		wait_begins(t, task, now);
	else if (t->in_wait == WAITS_EVENTS)
		wait_end_missed(t, now);
	return 0;
}

/*
 * The thread slept in this call, says the kernel's own count, but no switch was told of: it was
 * blocked from the call's beginning, which is a little too early, to its wake-up.
 */
__noinline int sleep_untold(struct thread *t, __u32 nr)
{
	__u64 now = bpf_ktime_get_ns(), woken = now, back;
	__u32 kind = cfg_off_kind[nr & (SYSCALL_NUMBERS - 1)];

	if (!t)
		return 0;
	if (t->waking_ns > t->enter_ns && t->waking_ns < now)
		woken = t->waking_ns;
	/* Its way back to the CPU may have been told, and counted, alone. */
	back = t->oncpu_ns > woken && t->oncpu_ns < now ? t->oncpu_ns : woken;
	if (back == woken)
		COUNT(switches_missed);
	t->off_ns = t->enter_ns;
	t->off_nr = nr;
	t->off_kind = kind == OFFCPU_BY_FILE ? OFFCPU_OTHER : kind;
	t->state = THREAD_BLOCKED;
	off_ended(t, woken - t->enter_ns, back);
	return 0;
}

INLINE int leave(__u32 nr, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t;
	__u64 now;
	__u32 sc;

	if (!is_target(task->tgid))
		return 0;
	t = thread_self(task);
	if (!t || !t->enter_ns) {
		first_return(nr, ret);
		if (t)
			t->in_wait = WAITS_NOT;
		return 0;
	}
	if (!t->in_wait && task->nvcsw != t->enter_nvcsw && t->blocks == t->enter_blocks)
		sleep_untold(t, nr);
	sc = t->syscall;
	if (sc >= SC_COUNT) {
		t->enter_ns = 0;
		return 0;
	}
	if (cfg_syscalls == SYSCALLS_ALL && touches(t, sc, ret, t->enter_ns))
		t->touched++;
	/* A read or send was stamped at the socket a moment ago: a clock costs more than that. */
	now = t->socket_ns > t->enter_ns ? t->socket_ns : bpf_ktime_get_ns();
	if (cfg_syscalls == SYSCALLS_ALL ||
	    (cfg_syscalls == SYSCALLS_SAMPLE && is_timed_always(sc)))
		call_timed(sc, ret, t->enter_ns, now);
	if (t->in_wait == WAITS_EVENTS)
		wait_ends(t, task, sc, ret, SC_COUNT, now);
	else if (is_accept(sc))
		after_accept(t, ret, now);
	else if (sc == SC_SPLICE && ret > 0)
		after_splice(sock_of_fd(t->fd), now);
	if (cfg_by_addr && ret > 0 && is_write(sc))
		after_write(t, task, t->fd, ret, now);
	else if (cfg_by_addr && ret > 0 && sc == SC_SPLICE)
		after_write(t, task, t->arg3, ret, now);
	t->enter_ns = 0;
	t->in_wait = WAITS_NOT;
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	if (id == cfg_epoll_ctl && is_target(bpf_get_current_pid_tgid() >> 32))
		ctl_count(SYSCALL_ARG2(regs), SYSCALL_ARG4(regs));
	return enter(id, SYSCALL_ARG1(regs), SYSCALL_ARG3(regs));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	return leave(SYSCALL_NR(regs), ret);
}

SEC("tracepoint")
int on_call_enter(struct trace_event_raw_sys_enter *ctx)
{
	return enter(ctx->id, ctx->args[0], ctx->args[2]);
}

SEC("tracepoint")
int on_call_exit(struct trace_event_raw_sys_exit *ctx)
{
	return leave(ctx->id, ctx->ret);
}
