/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * socket.bpf.h - from a socket or a file descriptor to our state, and the kernel's quirks on that way.
 */
#ifndef EPOLLSCOPE_SOCKET_H
#define EPOLLSCOPE_SOCKET_H

#include "target.bpf.h"

INLINE bool is_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

INLINE struct conn *conn_of_addr(__u64 addr)
{
	return bpf_map_lookup_elem(&conns_by_addr, &addr);
}

INLINE struct conn *conn_of(struct sock *sk)
{
	if (cfg_by_addr)
		return conn_of_addr((__u64)sk);
	/* Most sockets of the host are not ours: this load is cheaper than the call. */
	if (!sk->sk_bpf_storage)
		return NULL;
	return bpf_sk_storage_get(&conns, sk, NULL, 0);
}

INLINE struct conn *conn_create(struct sock *sk, __u64 now)
{
	struct tcp_sock *tp;
	struct conn *c;

	if (cfg_by_addr) {
		static const struct conn zero;
		__u64 addr = (__u64)sk;

		bpf_map_update_elem(&conns_by_addr, &addr, &zero, BPF_ANY);
		c = conn_of_addr(addr);
	} else {
		c = bpf_sk_storage_get(&conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	}
	if (!c) {
		COUNT(map_full);
		return NULL;
	}
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp) {
		c->copied_seq = tp->copied_seq;
		c->answer_end = tp->write_seq;
		c->segments_seen = tp->data_segs_out;
		c->told_in = tp->bytes_received;
		c->told_out = tp->bytes_acked;
	}
	c->id = bpf_get_socket_cookie(sk);
	c->born_ns = now;
	c->state_since_ns = now;
	c->state = sk->__sk_common.skc_state;
	return c;
}

/* By probe reads: see file_address(). */
INLINE void listener_key_of(const struct sock *sk, struct listener_key *key)
{
	key->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	key->port = BPF_CORE_READ(sk, __sk_common.skc_num);
	key->pad = 0;
}

INLINE struct listener *listener_of(const struct sock *sk)
{
	struct listener_key key;

	listener_key_of(sk, &key);
	return bpf_map_lookup_elem(&listeners, &key);
}

/* The same of a descriptor's, if it has one. */
INLINE struct listener *listener_probe(const struct sock *sk)
{
	return sk ? listener_of(sk) : NULL;
}

/* The connection belongs to the target from here on: it is counted. */
INLINE void conn_own(struct conn *c, __u32 pid, const char *comm)
{
	struct counters *n = counters();

	c->owned = 1;
	c->pid = pid;
	__builtin_memcpy(c->comm, comm, COMM_LEN);
	if (n)
		ADD_AT(n->state, c->state, 1);
}

INLINE void conn_own_by(struct conn *c, const struct task_struct *task)
{
	char comm[COMM_LEN];

	BPF_CORE_READ_INTO(&comm, task, group_leader, comm);
	conn_own(c, task->tgid, comm);
}

#define EPOLLIN		0x001
#define EPOLLRDNORM	0x040
#define EPOLLONESHOT	(1U << 30)

/* What an epoll item, by the address of its link in the file's list, is armed for. */
INLINE __u32 item_mask(__u64 link)
{
	__u32 mask = 0;

	bpf_probe_read_kernel(&mask, sizeof(mask),
			      (char *)link - bpf_core_field_offset(struct epitem, fllink) +
			      bpf_core_field_offset(struct epitem, event));
	return mask;
}

/* Such as the kernel's TLS: what it reads and sends is not what the application does. */
INLINE bool has_upper_protocol(const struct sock *sk)
{
	return BPF_CORE_READ((const struct inet_connection_sock *)sk, icsk_ulp_ops) != NULL;
}

/*
 * The address of the eventpoll that watches a socket, or 0. The file keeps a list of its epoll
 * items (since 5.11); a socket in several eventpolls counts with the latest of them. An item's
 * eventpoll is looked up once, by a helper's call, and known by the item's address from then on: while
 * the connection has it the kernel does not give that address to another, and without one we forget it.
 * The socket is that of tp, which the verifier trusts less than a hook's argument: see file_address().
 */
INLINE __u64 ep_of(struct conn *c, const struct tcp_sock *tp)
{
	struct socket *socket = ((const struct sock *)tp)->sk_socket;
	struct hlist_node *link = NULL;
	struct hlist_head *items;

	if (socket && socket->file) {
		items = socket->file->f_ep;
		if (items)
			link = items->first;
	}
	if ((__u64)link == c->ep_item)
		return c->ep;
	c->ep_item = (__u64)link;
	c->ep = 0;
	if (link && c->owned && item_mask((__u64)link) & EPOLLONESHOT)
		c->gaps = 1;
	if (link && bpf_probe_read_kernel(&c->ep, sizeof(c->ep),
					  (char *)link - bpf_core_field_offset(struct epitem, fllink) +
					  bpf_core_field_offset(struct epitem, ep)))
		c->ep = 0;
	return c->ep;
}

/*
 * The file, or the TCP socket, behind a descriptor of the current task: an address or 0, for probe
 * reads only. Functions of their own (descriptor.bpf.c): since Linux 6.2 the verifier looks through
 * all types of the kernel, several times, for each path on which it sees a pointer of a task's or a
 * socket's read; a millisecond each.
 */
__u64 file_address(__u32 fd);
__u64 sock_address(__u32 fd);

INLINE struct file *file_of_fd(__u32 fd)
{
	return (struct file *)file_address(fd);
}

INLINE struct sock *sock_of_fd(__u32 fd)
{
	return (struct sock *)sock_address(fd);
}

INLINE __u64 eventpoll_of_fd(__u32 fd)
{
	struct file *file = file_of_fd(fd);

	return file ? (__u64)BPF_CORE_READ(file, private_data) : 0;
}

/* Probe reads: sk may be an address that no hook vouches for. */
INLINE void flow_fill(struct flow *f, const struct sock *sk, __u8 role)
{
	const struct inet_sock *inet = (const struct inet_sock *)sk;

	f->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	/* Not skc_num: that is given back before the change to CLOSE is told. */
	f->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	f->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	f->role = role;
	f->pad = 0;
	__builtin_memset(f->local, 0, sizeof(f->local));
	__builtin_memset(f->remote, 0, sizeof(f->remote));
	if (f->family == AF_INET) {
		__u32 local = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		__u32 remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);

		__builtin_memcpy(f->local, &local, sizeof(local));
		__builtin_memcpy(f->remote, &remote, sizeof(remote));
	} else {
		BPF_CORE_READ_INTO(&f->local, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&f->remote, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	}
}

/*
 * Bytes queued and not read; the FIN counts as one in the sequence. Each load from a tcp_sock is
 * checked by eight instructions, so who needs a field twice takes it along.
 */
INLINE __u32 bytes_between(const struct sock *sk, __u32 copied_seq, __u32 rcv_nxt)
{
	__u32 n = rcv_nxt - copied_seq;

	if (n && (sk->sk_shutdown & RCV_SHUTDOWN))
		n--;
	return n;
}

INLINE __u32 unread_bytes(const struct sock *sk, const struct tcp_sock *tp)
{
	return bytes_between(sk, tp->copied_seq, tp->rcv_nxt);
}

/*
 * What accept4 left for us to find, because it can't reach the socket's storage. A reader and the
 * iterator may come at once: it is for the one that takes it away.
 */
INLINE void conn_adopt(struct conn *c, const struct sock *sk)
{
	__u64 addr = (__u64)sk;
	struct accepted *found = bpf_map_lookup_elem(&accepts, &addr);
	struct accepted a;

	if (!found)
		return;
	a = *found;
	if (bpf_map_delete_elem(&accepts, &addr))
		return;
	COUNT(accepts_taken);
	c->accepted_ns = a.time_ns;
	c->role = ROLE_SERVER;
	if (!c->preexisting && c->accepted_ns > c->born_ns)
		hist_add_shared(H_ACCEPT_WAIT, c->accepted_ns - c->born_ns);
	conn_own(c, a.pid, a.comm);
}

#endif
