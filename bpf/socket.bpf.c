/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * socket.bpf.c - data arrives, is read, is answered: the stamps of the ledger.
 *
 * Since 6.3 three tracepoints tell it: sk_data_ready, sock_recv_length, sock_send_length. Before,
 * tcp_probe (each received segment, just before it is queued) and tcp_rcv_space_adjust (inside a
 * read) stand in for the first two, and the send is taken at its system call (syscall.bpf.c).
 */
#include "missed.bpf.h"

/* The answer to a request of ours. Softirq. */
INLINE void client_arrival(struct conn *c)
{
	__u64 now = bpf_ktime_get_ns();

	if (c->request_ns) {
		hist_add_shared(H_CLIENT, elapsed(c->request_ns, now));
		c->asked_ns = c->request_ns;
		c->told_ns = now;
		c->request_ns = 0;
	} else if (!c->response_ns) {
		c->response_ns = now;
	}
}

/* On loopback the answer can come before our send returns: then response_ns is already there. */
INLINE void client_send(struct conn *c, const struct thread *t, __u64 now)
{
	__u64 start = t->enter_ns ? t->enter_ns : now;

	if (c->response_ns > start) {
		hist_add_shared(H_CLIENT, c->response_ns - start);
		c->asked_ns = start;
		c->told_ns = c->response_ns;
	} else if (!c->request_ns) {
		c->request_ns = start;
	}
	c->response_ns = 0;
}

/* The answer of an upstream was read: whoever is answered next was waiting for it. */
INLINE void client_read(const struct conn *c, struct thread *t, __u64 now)
{
	turn_touch(t, c->id, now);
	t->socket_ns = now;
	t->upstream_read_ns = now;
	t->upstream_from_ns = c->asked_ns;
	t->upstream_to_ns = c->told_ns;
}

INLINE void listener_ready(struct sock *sk)
{
	struct listener *l = listener_of(sk);
	__u32 backlog = sk->sk_ack_backlog;

	if (!l)
		return;
	listener_on_cpu[bpf_get_smp_processor_id() & (CPU_SLOTS - 1)] = bpf_ktime_get_ns();
	add_shared(&l->queued, 1);
	l->limit = sk->sk_max_ack_backlog;
	l->backlog = backlog;
	if (backlog > l->backlog_max)
		l->backlog_max = backlog;
}

#define TCP_FLAG_FIN 0x01

INLINE bool segment_has_fin(const struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = (const struct tcp_skb_cb *)skb->cb;

	return BPF_CORE_READ(cb, tcp_flags) & TCP_FLAG_FIN;
}

INLINE void data_arrived(struct conn *c, const struct sock *sk, __u32 rcv_nxt)
{
	ledger_arrival(c, sk, rcv_nxt);
	words_of_cpu()->ready_ns = c->next_ns ? c->next_ns : c->ready_ns;
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(on_data_ready, struct sock *sk)
{
	struct tcp_sock *tp;
	struct conn *c;

	if (sk->__sk_common.skc_state == TCP_LISTEN) {
		if (is_tcp(sk))
			listener_ready(sk);
		return 0;
	}
	c = conn_of(sk);
	if (!c)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || !unread_bytes(sk, tp))
		return 0;
	if (c->role == ROLE_CLIENT) {
		client_arrival(c);
		return 0;
	}
	if (c->ready_ns)
		window_check(c, tp);
	data_arrived(c, sk, tp->rcv_nxt);
	return 0;
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(on_tcp_probe, struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = (const struct tcp_skb_cb *)skb->cb;
	struct conn *c = conn_of(sk);
	struct tcp_sock *tp;
	__u32 end;

	if (!c)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	/* The segment's end includes a FIN; its header says whether there is one. */
	end = BPF_CORE_READ(cb, end_seq);
	if (segment_has_fin(skb))
		end--;
	if ((__s32)(end - tp->rcv_nxt) <= 0)
		return 0;
	if (c->role == ROLE_CLIENT)
		client_arrival(c);
	else
		data_arrived(c, sk, end);
	return 0;
}

/* A target thread has read from a socket that we do not know: it is ours from here on. */
INLINE struct conn *conn_meet(struct sock *sk, struct task_struct *task, __u64 now)
{
	struct conn *c;

	if (!is_tcp(sk) || !is_port(sk->__sk_common.skc_num))
		return NULL;
	c = conn_create(sk, now);
	if (!c)
		return NULL;
	c->role = listener_of(sk) ? ROLE_SERVER : ROLE_CLIENT;
	c->ready_ns = READY_UNKNOWN;
	c->preexisting = 1;
	conn_adopt(c, sk);
	if (!c->owned) {
		conn_own_by(c, task);
		COUNT(preexisting);
	}
	return c;
}

/* `bytes`: how many, 0 if that is not known. */
INLINE int after_read(struct sock *sk, struct task_struct *task, __u32 bytes)
{
	struct conn *c = conn_of(sk);
	struct tcp_sock *tp;
	struct thread *t;
	__u32 copied_seq;
	__u64 now;

	if (!c && !is_tcp(sk))
		return 0;
	now = bpf_ktime_get_ns();
	if (!c)
		c = conn_meet(sk, task, now);
	tp = bpf_skc_to_tcp_sock(sk);
	t = thread_self(task);
	if (!c || !tp || !t)
		return 0;
	if (t->in_wait == WAITS_DATA) {
		t->in_wait = WAITS_NOT;
		t->data_return_ns = now;
	}
	if (c->sign.shut)
		our_window_opened(c, now);
	if (c->role != ROLE_SERVER) {
		client_read(c, t, now);
		return 0;
	}
	copied_seq = tp->copied_seq;
	if (!read_is_plain(c, copied_seq, bytes))
		missed_before_read(c, sk, tp, t, now);
	ledger_read(c, sk, tp, t, copied_seq, task->pid, now);
	return 0;
}

/* Its end was read before: a descriptor that is ready for ever, unless somebody closes it. */
INLINE int after_eof(struct sock *sk)
{
	struct conn *c = conn_of(sk);

	if (!c)
		return 0;
	if (c->eof)
		COUNT(eof_reads);
	c->eof = 1;
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_recv_length, struct sock *sk, int ret, int flags)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!is_target(task->tgid) || ret < 0 || (flags & MSG_PEEK))
		return 0;
	if (!ret)
		return after_eof(sk);
	return after_read(sk, task, ret);
}

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(on_rcv_space_adjust, struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!is_target(task->tgid))
		return 0;
	return after_read(sk, task, 0);
}

INLINE void server_send(struct conn *c, struct sock *sk, struct tcp_sock *tp, struct thread *t,
			struct task_struct *task, __u32 bytes, __u64 now)
{
	__u32 write_seq = tp->write_seq;

	if (c->ready_ns && c->phase != PHASE_SKIP && !unread_bytes(sk, tp))
		read_unseen(c, sk, tp, t, now);
	ledger_send(c, sk, write_seq, bytes, t, task, now);
	/* It was cut short, or will be followed by an event and not by a send that fails. */
	if (sk->sk_wmem_queued >= sk->sk_sndbuf)
		send_full(c, tp);
	nagle_check(c, tp, write_seq, now);
	/* Sent in another turn than it was read in: an event, or a deferred answer. */
	if (c->turn != (__u32)t->turn)
		turn_answer(t, c->id);
	t->sent_ns = now;
	if (c->state == TCP_CLOSE)
		ledger_finish_late(c, tp, now);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send_length, struct sock *sk, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tcp_sock *tp;
	struct thread *t;
	struct conn *c;
	__u64 now;

	if (!is_target(task->tgid) || (ret <= 0 && ret != -EAGAIN))
		return 0;
	c = conn_of(sk);
	if (!c)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	if (ret < 0) {
		send_full(c, tp);
		return 0;
	}
	now = bpf_ktime_get_ns();
	t = thread_self(task);
	if (!t)
		return 0;
	if (c->sign.zero)
		their_window_opened(c, tp, now);
	if (c->role == ROLE_CLIENT) {
		turn_touch(t, c->id, now);
		t->sent_ns = now;
		client_send(c, t, now);
	} else {
		server_send(c, sk, tp, t, task, ret, now);
	}
	t->socket_ns = now;
	return 0;
}
