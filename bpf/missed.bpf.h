/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * missed.bpf.h - a hook that the kernel skipped, as the next one shows: sequence numbers have moved on,
 * or there is no stamp. The exchange is counted all the same; what the hook would have stamped is
 * estimated, and marked (EXCHANGE_ESTIMATED).
 *
 *   arrival skipped  a read of bytes without a stamp: arrival_estimate(), from ledger_read()
 *   read skipped     a send, and stamped data is no longer in the queue: read_unseen()
 *   send skipped     a read while an answer is due, and bytes were sent: exchange_unseen()
 *   both of these    a read, and earlier bytes were read and sent: exchange_unseen()
 *
 * Between a call's work and its hook another thread's hook sees the same. So only a thread that read
 * the connection's last request too concludes anything, and what it has counted is not counted again.
 */
#ifndef EPOLLSCOPE_MISSED_BPF_H
#define EPOLLSCOPE_MISSED_BPF_H

#include "ledger.bpf.h"

#define SEND_SHUTDOWN 2

/* An exchange whose send was skipped, or its read and send, is added to the sums (missed.bpf.c). */
int exchange_unseen(struct conn *c, struct thread *t, __u32 write_seq, __u64 acked_ns, __u64 now);

/* A call may have told the kernel of bytes and not us yet; a FIN takes a number too. */
INLINE bool sends_settled(const struct sock *sk)
{
	return !(sk->sk_shutdown & SEND_SHUTDOWN) && !sk->sk_lock.owned && !sk->sk_write_pending &&
	       !has_upper_protocol(sk);
}

/* Before the current thread's read is counted, if it is not a plain one. */
static __noinline __attribute__((unused)) int missed_before_read(struct conn *c, const struct sock *sk,
								 const struct tcp_sock *tp,
								 struct thread *t, __u64 now)
{
	__u32 write_seq = tp->write_seq, tid = bpf_get_current_pid_tgid();

	if (write_seq != c->answer_end && c->phase != PHASE_SKIP && c->reader == tid &&
	    sends_settled(sk))
		exchange_unseen(c, t, write_seq, tp->delivered_mstamp * 1000, now);
	return 0;
}

/* Most requests are one read of all that came, while no answer is due. */
INLINE bool read_is_plain(const struct conn *c, __u32 copied_seq, __u32 bytes)
{
	return c->phase != PHASE_OPEN && (!bytes || copied_seq - c->copied_seq == bytes);
}

/*
 * The current thread sends, and the data that had come is gone from the queue though no hook told of its
 * read: through splice, which shows at its system call only, or unseen.
 */
static __noinline __attribute__((unused)) int read_unseen(struct conn *c, struct sock *sk,
							  struct tcp_sock *tp, struct thread *t,
							  __u64 now)
{
	__u64 addr = (__u64)sk, at = c->ready_ns;
	struct spliced *s = bpf_map_lookup_elem(&splices, &addr);
	__u32 tid = bpf_get_current_pid_tgid();

	if (s && s->time_ns > at && c->phase == PHASE_IDLE) {
		at = s->time_ns;
	} else {
		if (at == READY_UNKNOWN || c->reader != tid || has_upper_protocol(sk))
			return 0;
		/* Not before its wait returned, nor before what the thread did last. */
		if (at < t->return_ns)
			at = t->return_ns;
		if (at < t->socket_ns)
			at = t->socket_ns;
		if (at > now)
			at = now;
		c->estimated = 1;
	}
	ledger_read(c, sk, tp, t, tp->copied_seq, tid, at);
	return 0;
}

#endif
