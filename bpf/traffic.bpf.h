/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * traffic.bpf.h - what the hooks tell of a connection's traffic. Most exchanges take one load and one
 * comparison here; all else is in functions of their own (traffic.bpf.c), for connections of which
 * something is odd.
 */
#ifndef EPOLLSCOPE_TRAFFIC_BPF_H
#define EPOLLSCOPE_TRAFFIC_BPF_H

#include "symptoms.bpf.h"

/* The bytes of a connection's first read, which the current call has put in its caller's memory. */
int protocol_look(struct conn *c, __u32 bytes);

/* A read in another turn than the one before it, while the answer is due. True: of another request. */
int traffic_read(struct conn *c, __u32 bytes, __u64 now);

/* A send without an answer being due, by another thread or in another turn than the last read. */
int traffic_push(struct conn *c, __u32 turn, __u32 acked, __u64 now);

/* A send that ends an exchange, where traffic_plain() does not say enough: enum traffic_verdict. */
int traffic_send(struct conn *c, __u32 turn, __u32 at_once, __u64 now);

/* An exchange in doubt found no ring, and is counted. */
int traffic_summed(struct conn *c);

/* The connection closes. */
int traffic_closed(struct conn *c, __u64 now);

/* The connection's bytes so far, as the kernel counts them, belong to its kind. */
int traffic_bytes(struct conn *c, __u64 in, __u64 out);

/* The turn of a send; of a thread without a loop, a time that turns may be as long as. */
INLINE __u32 traffic_turn(const struct thread *t, __u32 tid, __u64 now)
{
	return t->turn ? t->turn + (tid << 16) : now >> 20;
}

/* The kernel counts sequence: FINs of both sides, and the SYN of a connection that we opened. */
INLINE void conn_bytes(const struct conn *c, const struct sock *sk, const struct tcp_sock *tp,
		       __u64 *in, __u64 *out)
{
	*out = tp->bytes_acked;
	*in = tp->bytes_received;
	if (*in && (sk->__sk_common.skc_flags >> SOCK_DONE) & 1)
		--*in;
	if (c->fin_acked && *out)
		--*out;
	if (c->role == ROLE_CLIENT && !c->preexisting && *out)
		--*out;
}

#endif
