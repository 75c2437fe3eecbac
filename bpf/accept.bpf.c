// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * accept.bpf.c - a connection was accepted. A function of its own, as those of ledger.bpf.c.
 */
#include "wait.bpf.h"

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

/* The note by which whoever meets the socket next knows that it was accepted. */
INLINE void accept_note(const struct sock *sk, __u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct accepted a = { .time_ns = now, .pid = task->tgid };
	__u64 addr = (__u64)sk;

	BPF_CORE_READ_INTO(&a.comm, task, group_leader, comm);
	if (bpf_map_update_elem(&accepts, &addr, &a, BPF_ANY))
		COUNT(map_full);
	else
		COUNT(accepts_left);
}

__noinline int after_accept(struct thread *t, long ret, __u64 now)
{
	struct loop *loop;
	struct sock *sk;
	__u32 slot;

	if (!t)
		return 0;
	if (ret == -EAGAIN && !t->turn_accepts)
		COUNT(accept_empty);
	else if (ret == -EMFILE || ret == -ENFILE)
		COUNT(accept_no_fd);
	if (ret < 0)
		return 0;
	t->turn_accepts++;
	t->touched++;
	sk = sock_of_fd(ret);
	if (!sk || !is_port(BPF_CORE_READ(sk, __sk_common.skc_num)))
		return 0;
	slot = t->loop - 1;
	loop = t->loop ? bpf_map_lookup_elem(&loops, &slot) : NULL;
	if (loop)
		add(&loop->accepts, 1);
	COUNT(opened);
	accept_listener(t->fd);
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE)
		accepted_dead();
	else
		accept_note(sk, now);
	return 0;
}
