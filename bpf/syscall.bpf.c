// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * syscall.bpf.c - system calls of the target: latency, the event loop's turns, accepts.
 *
 * Timing every call takes a pair of programs that fire on every call of every process, 150 ns a
 * call. A report without system calls, and the commands that print none, attach the other pair to
 * the tracepoints of the loop's own calls only: 110 ns a firing there, 38 ns on all other calls.
 */
#include "ledger.bpf.h"

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

INLINE void wait_begins(struct thread *t, struct task_struct *task, __u64 now)
{
	struct loop *loop;
	__u64 turn_ns;

	t->in_wait = WAITS_EVENTS;
	t->wait_enter_ns = now;
	t->wait_wake_ns = 0;
	t->wait_oncpu_ns = 0;
	if (!t->return_ns)
		return;
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

INLINE void accept_listener(__u32 fd)
{
	struct sock *sk = sock_of_fd(fd);
	struct listener *l = listener_probe(sk);

	if (!l)
		return;
	add_shared(&l->accepted, 1);
	l->backlog = BPF_CORE_READ(sk, sk_ack_backlog);
	l->limit = BPF_CORE_READ(sk, sk_max_ack_backlog);
	if (l->backlog + 1 > l->backlog_max)
		l->backlog_max = l->backlog + 1;
}

/* Reset while it was queued: its close was counted as nobody's, and nothing will follow. */
INLINE void accepted_dead(void)
{
	struct counters *n = counters();

	if (!n)
		return;
	add_shared(&n->unknown, -1ULL);
	add_shared(&n->closed, 1);
	add_shared(&n->closed_reason[CLOSE_RESET_RECEIVED], 1);
}

INLINE void after_accept(struct thread *t, struct task_struct *task, long ret, __u64 now)
{
	__u32 slot = t->loop - 1;
	struct loop *loop = t->loop ? bpf_map_lookup_elem(&loops, &slot) : NULL;
	struct accepted a = { .time_ns = now, .pid = task->tgid };
	struct sock *sk;
	__u64 addr;

	if (ret == -EAGAIN && !t->turn_accepts)
		COUNT(accept_empty);
	else if (ret == -EMFILE || ret == -ENFILE)
		COUNT(accept_no_fd);
	if (ret < 0)
		return;
	t->turn_accepts++;
	t->touched++;
	sk = sock_of_fd(ret);
	if (!sk || !is_port(BPF_CORE_READ(sk, __sk_common.skc_num)))
		return;
	if (loop)
		add(&loop->accepts, 1);
	COUNT(opened);
	accept_listener(t->fd);
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE) {
		accepted_dead();
		return;
	}
	addr = (__u64)sk;
	BPF_CORE_READ_INTO(&a.comm, task, group_leader, comm);
	if (bpf_map_update_elem(&accepts, &addr, &a, BPF_ANY))
		COUNT(map_full);
	else
		COUNT(accepts_left);
}

/*
 * The thread was in its wait or its accept when we attached: the enter was not seen, but what this
 * return delivers is ours to explain. The scheduler's stamps are there if it slept.
 */
INLINE void first_return(struct task_struct *task, __u32 nr, long ret)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u32 sc = cfg_syscall[nr & (SYSCALL_NUMBERS - 1)];
	struct thread *t;
	__u64 now;

	if ((!is_epoll(sc) && !is_accept(sc)) || ret < 0)
		return;
	t = thread_get(task);
	if (!t)
		return;
	now = bpf_ktime_get_ns();
	t->fd = SYSCALL_ARG1(regs);
	t->arg3 = SYSCALL_ARG3(regs);
	if (is_accept(sc)) {
		after_accept(t, task, ret, now);
		return;
	}
	if (t->turn) {
		/* Not the attach: the enter was not told. If it did not sleep, its wait has no length. */
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
	wait_ends(t, task, sc, ret, now);
}

/* Data went from a socket to a pipe; the socket's next answer will ask when. */
INLINE void after_splice(const struct thread *t, __u64 now)
{
	struct sock *sk = sock_of_fd(t->fd);
	struct spliced s = { .time_ns = now };
	__u64 addr = (__u64)sk;

	if (sk)
		bpf_map_update_elem(&splices, &addr, &s, BPF_ANY);
}

/* Without socket hooks the answer is seen here. */
INLINE void after_write(struct thread *t, __u32 fd, __u64 now)
{
	struct sock *sk = sock_of_fd(fd);
	struct conn *c = sk ? conn_of_addr((__u64)sk) : NULL;
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	if (c && c->role == ROLE_SERVER)
		ledger_send(c, sk, BPF_CORE_READ(tp, write_seq), t, bpf_get_current_pid_tgid(),
			    now);
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
	if (!cfg_syscalls && !is_loop_call(cfg_syscall[nr]))
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

INLINE void syscall_count(const struct thread *t, __u32 sc, long ret, __u64 now)
{
	struct counters *n;

	hist_add(H_SYSCALL + sc, now - t->enter_ns);
	if (ret >= 0)
		return;
	n = counters();
	if (n)
		add(ret == -EAGAIN ? &n->syscall_eagain[sc] : &n->syscall_errors[sc], 1);
}

/* Input on a file that is no socket, such as a timer's or an event's; or a close. */
INLINE bool touches(const struct thread *t, __u32 sc, long ret)
{
	if (sc == SC_CLOSE)
		return !ret;
	return is_read(sc) && ret > 0 && t->socket_ns < t->enter_ns;
}

/*
 * The thread slept in this call, says the kernel's own count, but no switch was told of: it was
 * blocked from the call's beginning, which is a little too early, to its wake-up.
 */
INLINE void sleep_untold(struct thread *t, __u32 nr)
{
	__u64 now = bpf_ktime_get_ns(), woken = now, back;
	__u32 kind = cfg_off_kind[nr & (SYSCALL_NUMBERS - 1)];

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
		first_return(task, nr, ret);
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
	if (cfg_syscalls && touches(t, sc, ret))
		t->touched++;
	/* A read or send was stamped at the socket a moment ago: a clock costs more than that. */
	now = t->socket_ns > t->enter_ns ? t->socket_ns : bpf_ktime_get_ns();
	if (cfg_syscalls)
		syscall_count(t, sc, ret, now);
	if (t->in_wait == WAITS_EVENTS)
		wait_ends(t, task, sc, ret, now);
	else if (is_accept(sc))
		after_accept(t, task, ret, now);
	else if (sc == SC_SPLICE && ret > 0)
		after_splice(t, now);
	if (cfg_by_addr && ret > 0 && is_write(sc))
		after_write(t, t->fd, now);
	else if (cfg_by_addr && ret > 0 && sc == SC_SPLICE)
		after_write(t, t->arg3, now);
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
