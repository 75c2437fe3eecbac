/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * arrival.bpf.h - data comes and is taken: the stamp of a socket's first unread byte, and whether anybody
 * watched the descriptor then.
 */
#ifndef EPOLLSCOPE_ARRIVAL_BPF_H
#define EPOLLSCOPE_ARRIVAL_BPF_H

#include "symptoms.bpf.h"

#define ITEMS_MAX 4	/* eventpolls of a socket that are looked at */

/*
 * Does any eventpoll watch the socket for input now? Asked where one that is armed for one event, or
 * taken out, was found at a read. A socket that was never seen in any has another way of waiting.
 */
static __noinline __attribute__((unused)) int arrival_look(struct conn *c, const struct sock *sk)
{
	__u64 link = (__u64)BPF_CORE_READ(sk, sk_socket, file, f_ep, first);
	__u32 i;

	c->unarmed = c->seen_ep || link;
	for (i = 0; i < ITEMS_MAX && link; i++) {
		bpf_probe_read_kernel(&c->seen_ep, sizeof(c->seen_ep),
				      (char *)link - bpf_core_field_offset(struct epitem, fllink) +
				      bpf_core_field_offset(struct epitem, ep));
		if (item_mask(link) & (EPOLLIN | EPOLLRDNORM)) {
			c->unarmed = 0;
			return 0;
		}
		link = (__u64)BPF_CORE_READ((struct hlist_node *)link, next);
	}
	return 0;
}

/* Data was queued: stamp the first unread byte. Any context. */
INLINE void ledger_arrival(struct conn *c, const struct sock *sk, __u32 rcv_nxt)
{
	if (!c->ready_ns) {
		if (c->gaps)
			arrival_look(c, sk);
		c->ready_end = rcv_nxt;
		c->ready_ns = bpf_ktime_get_ns();
	} else if (!c->next_ns) {
		c->next_ns = bpf_ktime_get_ns();
	}
}

/* The stamp of what a read took; leaves that of what is still unread. */
INLINE __u64 ledger_take_arrival(struct conn *c, const struct sock *sk, const struct tcp_sock *tp,
				 __u32 copied_seq, __u64 now)
{
	__u64 taken = c->ready_ns ? c->ready_ns : c->next_ns;
	__u32 rcv_nxt = tp->rcv_nxt;

	if (!bytes_between(sk, copied_seq, rcv_nxt)) {
		c->ready_ns = 0;
		c->next_ns = 0;
		if (c->sign.left)
			drained(c, now);
	} else if (c->next_ns && (__s32)(copied_seq - c->ready_end) >= 0) {
		c->ready_ns = c->next_ns;
		c->ready_end = rcv_nxt;
		c->next_ns = 0;
		left_behind(c, sk, now);
	} else {
		left_behind(c, sk, now);
	}
	return taken;
}

#endif
