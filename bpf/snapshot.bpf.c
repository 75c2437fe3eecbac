/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * snapshot.bpf.c - the sockets that were there before us, and the answers still open at the end.
 *
 * Run by reading the iterators, after the hooks are attached: whatever appears in between is seen
 * by both and counted once, because a connection that has its state is left alone.
 */
#include "ledger.bpf.h"

INLINE void meet_listener(const struct sock *sk)
{
	struct listener fresh = {};
	struct listener_key key;

	listener_key_of(sk, &key);
	if (!is_port(key.port))
		return;
	fresh.backlog = sk->sk_ack_backlog;
	fresh.backlog_max = fresh.backlog;
	fresh.limit = sk->sk_max_ack_backlog;
	if (bpf_map_update_elem(&listeners, &key, &fresh, BPF_NOEXIST) &&
	    !bpf_map_lookup_elem(&listeners, &key))
		COUNT(map_full);
}

INLINE void meet_conn(struct sock *sk, struct task_struct *task)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct conn *c;

	if (!tp || conn_of(sk) || !is_port(sk->__sk_common.skc_num))
		return;
	c = conn_create(sk, control.attach_ns);
	if (!c)
		return;
	c->role = listener_of(sk) ? ROLE_SERVER : ROLE_CLIENT;
	c->preexisting = 1;
	if (unread_bytes(sk, tp))
		c->ready_ns = READY_UNKNOWN;
	c->ready_end = tp->rcv_nxt;
	conn_own_by(c, task);
	COUNT(preexisting);
}

SEC("iter/task_file")
int on_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;
	__u8 state;

	if (!task || !file || !is_target(task->tgid))
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket || !socket->sk)
		return 0;
	sk = socket->sk;
	if (!is_tcp(sk))
		return 0;
	state = sk->__sk_common.skc_state;
	if (control.snapshot_pass == SNAPSHOT_LISTENERS) {
		if (state == TCP_LISTEN)
			meet_listener(sk);
	} else if (state != TCP_LISTEN && state != TCP_CLOSE) {
		meet_conn(sk, task);
	}
	return 0;
}

/*
 * A queue is served in order: if its first stays the same, nobody accepts. The kernel stamps a
 * connection when it answers its SYN, in microseconds, unless it did so twice.
 */
INLINE void look_at_queue(const struct sock *sk, bool end)
{
	const struct inet_connection_sock *icsk = (const struct inet_connection_sock *)sk;
	const struct request_sock *first;
	struct queue_first fresh = {}, *known;
	__u64 inode, since_ns;

	if (!sk->sk_ack_backlog || !listener_of(sk))
		return;
	first = BPF_CORE_READ(icsk, icsk_accept_queue.rskq_accept_head);
	inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
	since_ns = 1000 * BPF_CORE_READ((const struct tcp_request_sock *)first, snt_synack);
	if (!first || !inode || !since_ns)
		return;
	known = bpf_map_lookup_elem(&queue_firsts, &inode);
	if (known && end)
		known->end_ns = since_ns;
	if (known)
		return;
	if (end)
		fresh.end_ns = since_ns;
	else
		fresh.attach_ns = since_ns;
	bpf_map_update_elem(&queue_firsts, &inode, &fresh, BPF_NOEXIST);
}

/* Connections that wait in an accept queue have no file yet. */
SEC("iter/tcp")
int on_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp;
	struct sock *sk;
	struct conn *c;

	if (!skc || (skc->skc_state != TCP_ESTABLISHED && skc->skc_state != TCP_CLOSE_WAIT &&
		     skc->skc_state != TCP_LISTEN))
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	sk = (struct sock *)tp;
	if (skc->skc_state == TCP_LISTEN) {
		look_at_queue(sk, false);
		return 0;
	}
	if (sk->sk_socket || conn_of(sk) || !listener_of(sk))
		return 0;
	c = conn_create(sk, control.attach_ns);
	if (!c)
		return 0;
	c->role = ROLE_SERVER;
	c->preexisting = 1;	/* not counted as such: its accept counts it as opened */
	c->ready_ns = unread_bytes(sk, tp) ? READY_UNKNOWN : 0;
	c->ready_end = tp->rcv_nxt;
	return 0;
}

/* A peer that has gone, and an application that does not notice. */
INLINE void close_wait_count(const struct conn *c, __u64 now)
{
	__u64 age = now - c->state_since_ns;
	struct counters *n = counters();

	if (c->state != TCP_CLOSE_WAIT || age < control.close_wait_ns || !n)
		return;
	add_shared(&n->close_wait_old, 1);
	if (!c->owned)
		add_shared(&n->close_wait_unaccepted, 1);
	if (age > n->close_wait_max_ns)
		n->close_wait_max_ns = age;
}

/*
 * Takes what accept left of silent connections; then completes the answers that no further request
 * has completed.
 */
SEC("iter/tcp")
int on_flush(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp;
	struct conn *c;
	__u64 now;

	if (!skc)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	if (skc->skc_state == TCP_LISTEN) {
		if (control.last_flush)
			look_at_queue((struct sock *)tp, true);
		return 0;
	}
	c = conn_of((struct sock *)tp);
	if (!c)
		return 0;
	if (!c->owned)
		conn_adopt(c, (struct sock *)tp);
	if (control.snapshot_pass == SNAPSHOT_ACCEPTED)
		return 0;
	now = bpf_ktime_get_ns();
	if (c->first_send_ns || control.last_flush)
		ledger_finish_late(c, tp, now);
	if (control.last_flush) {
		/* It may be what a turn without an end is about. */
		if (c->phase == PHASE_OPEN && !c->told && now - c->read_ns >= BEHIND_NS)
			conn_tell(c, (struct sock *)tp, now);
		__u64 in, out;

		conn_bytes(c, (struct sock *)tp, tp, &in, &out);
		if (c->role == ROLE_SERVER)
			traffic_bytes(c, in, out);
		conn_signals(c, tp, now);
		close_wait_count(c, now);
	}
	return 0;
}
