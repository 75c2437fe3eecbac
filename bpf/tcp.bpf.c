/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tcp.bpf.c - the life of a connection: states, retransmits, resets, close.
 *
 * State changes run in whatever task softirq interrupted, so the owner comes from accept, connect
 * or the snapshot, and from the current task only where the kernel is certain to run in its own
 * context: listen() and connect().
 */
#include "ledger.bpf.h"

INLINE void listener_add(const struct sock *sk)
{
	static const struct listener fresh;
	struct listener_key key;
	struct listener *l;

	listener_key_of(sk, &key);
	if (!is_port(key.port))
		return;
	bpf_map_update_elem(&listeners, &key, &fresh, BPF_NOEXIST);
	l = bpf_map_lookup_elem(&listeners, &key);
	if (!l)
		COUNT(map_full);
	else
		l->limit = sk->sk_max_ack_backlog;
}

INLINE void conn_state(struct conn *c, __u32 new, __u64 now)
{
	struct counters *n = counters();
	__u32 old = c->state;

	ADD_AT(c->state_ns, old, elapsed(c->state_since_ns, now));
	if (c->owned && n) {
		ADD_AT(n->state, old, -1ULL);
		ADD_AT(n->state, new, 1);
	}
	if (!c->first_close && new == TCP_FIN_WAIT1)
		c->first_close = SIDE_LOCAL;
	else if (!c->first_close && new == TCP_CLOSE_WAIT)
		c->first_close = SIDE_REMOTE;
	if (new == TCP_FIN_WAIT2 || (old == TCP_LAST_ACK && new == TCP_CLOSE) ||
	    old == TCP_CLOSING)
		c->fin_acked = 1;
	c->state = new;
	c->state_since_ns = now;
}

INLINE void close_event(struct conn *c, const struct sock *sk, const struct tcp_sock *tp,
			__u64 now)
{
	struct ev_conn_close *e = event_reserve(sizeof(*e), EV_CONN_CLOSE, now);
	bool none = traffic_kind(&c->traffic) == KIND_ONE_WAY;
	__u64 acked, received;

	if (!e)
		return;
	conn_bytes(c, sk, tp, &received, &acked);
	e->conn = c->id;
	e->duration_ns = elapsed(c->born_ns, now);
	__builtin_memcpy(e->state_ns, c->state_ns, sizeof(e->state_ns));
	e->accept_wait_ns = c->role == ROLE_SERVER && c->accepted_ns && !c->preexisting ?
			    c->accepted_ns - c->born_ns : ~0ULL;
	e->bytes_in = received;
	e->bytes_out = acked;
	e->exchanges = none ? c->exchanges - c->uncounted : c->exchanges;
	e->max_latency_ns = c->max_latency_ns;
	e->srtt_ns = (__u64)(tp->srtt_us >> 3) * 1000;
	e->retransmits = c->retransmits;
	e->pid = c->pid;
	__builtin_memcpy(e->comm, c->comm, COMM_LEN);
	flow_fill(&e->flow, sk, c->role);
	e->preexisting = c->preexisting;
	e->closed_by = c->first_close;
	e->reason = c->reset;
	e->kind = traffic_kind(&c->traffic);
	e->protocol = c->traffic.protocol;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	event_submit(e);
}

/* Without FINs or a reset from the peer, a close that skips the states is our reset. */
INLINE void judge_close(struct conn *c, const struct sock *sk, int old)
{
	if (c->reset != CLOSE_FIN)
		return;
	if (sk->sk_err)
		c->reset = sk->sk_err == ETIMEDOUT ? CLOSE_TIMEOUT : CLOSE_ERROR;
	else if (old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT)
		c->reset = CLOSE_RESET_SENT;
	if (c->reset == CLOSE_RESET_SENT && !c->first_close)
		c->first_close = SIDE_LOCAL;
}

INLINE void conn_closed(struct conn *c, struct sock *sk, int old, __u64 now)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (!c->owned)
		conn_adopt(c, sk);
	if (!c->owned) {
		if (c->role == ROLE_SERVER)
			COUNT(unknown);
		return;
	}
	judge_close(c, sk, old);
	if (c->role == ROLE_SERVER) {
		struct counters *n = counters();

		if (n) {
			add_shared(&n->closed, 1);
			ADD_AT(n->closed_reason, c->reset, 1);
		}
	}
	if (!tp)
		return;
	if (c->role == ROLE_SERVER) {
		__u64 in, out;

		conn_bytes(c, sk, tp, &in, &out);
		traffic_bytes(c, in, out);
		traffic_closed(c, now);
	}
	ledger_finish_late(c, tp, now);
	conn_signals(c, tp, now);
	/* Who keeps its address may forget it. */
	if (control.conn_events || c->told)
		close_event(c, sk, tp, now);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_set_state, struct sock *sk, int old, int new)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct conn *c;
	__u64 now;

	if (!is_tcp(sk))
		return 0;
	if (new == TCP_LISTEN) {
		if (is_target(task->tgid))
			listener_add(sk);
		return 0;
	}
	c = conn_of(sk);
	if (!c && old == TCP_SYN_RECV) {
		/* Queued for one of our listeners: ours once a target accepts it. */
		if (!listener_of(sk))
			return 0;
		now = bpf_ktime_get_ns();
		c = conn_create(sk, now);
		if (c) {
			c->role = ROLE_SERVER;
			c->state = new;
		}
		return 0;
	}
	if (!c && new == TCP_SYN_SENT && !cfg_ports && is_target(task->tgid)) {
		c = conn_create(sk, bpf_ktime_get_ns());
		if (c) {
			c->role = ROLE_CLIENT;
			c->state = new;
			conn_own_by(c, task);
		}
		return 0;
	}
	if (!c)
		return 0;
	now = bpf_ktime_get_ns();
	if (new == TCP_ESTABLISHED)
		c->born_ns = now;
	conn_state(c, new, now);
	/* The state stays with the socket: a send that provoked the close has yet to return. */
	if (new == TCP_CLOSE)
		conn_closed(c, sk, old, now);
	return 0;
}

/* By address it goes with the socket, for another may come to the same place. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy_sock, struct sock *sk)
{
	__u64 addr = (__u64)sk;

	bpf_map_delete_elem(&conns_by_addr, &addr);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_retransmit, struct sock *sk)
{
	struct conn *c;

	if (!is_tcp(sk))
		return 0;
	c = conn_of(sk);
	if (!c || !c->owned)
		return 0;
	c->retransmits++;
	COUNT(retransmits);
	return 0;
}

INLINE int reset(struct sock *sk, enum close_reason reason, enum close_side side)
{
	struct conn *c;

	if (!sk || !is_tcp(sk))
		return 0;
	c = conn_of(sk);
	if (!c || !c->owned)
		return 0;
	c->reset = reason;
	if (!c->first_close)
		c->first_close = side;
	COUNT(resets);
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(on_send_reset, struct sock *sk)
{
	return reset(sk, CLOSE_RESET_SENT, SIDE_LOCAL);
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(on_receive_reset, struct sock *sk)
{
	return reset(sk, CLOSE_RESET_RECEIVED, SIDE_REMOTE);
}
