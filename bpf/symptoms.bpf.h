/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * symptoms.bpf.h - what findings rest on beside the ledger: who held a turn, what its events were good
 * for, bytes left behind, sends held back, windows shut.
 *
 * Counted where a hook passes anyway; whatever costs more than a few adds is on a path that only a
 * sick server takes.
 */
#ifndef EPOLLSCOPE_SYMPTOMS_BPF_H
#define EPOLLSCOPE_SYMPTOMS_BPF_H

#include "socket.bpf.h"

#define EPOLL_CTL_ADD	1
#define EPOLL_CTL_DEL	2
#define EPOLLOUT	0x004
#define EPOLLET		(1U << 31)
#define TCP_NAGLE_OFF	1
#define TCP_NAGLE_CORK	2

/* A long absence from the CPU, as the scheduler's hook knows it. */
struct absence {
	__u64 blocked_ns;
	__u32 pid, tid;
	__u32 instead_pid, instead_tid;
	__u32 instead_us;
	__u32 flags;
	char comm[COMM_LEN];
	char instead_comm[COMM_LEN];
};

/* Functions of their own (symptoms.bpf.c): events, and what only a sick server needs. */
int turn_report(const struct thread *t, __u64 start_ns, __u32 flags, __u64 now);
int behind_report(struct thread *t, long events, __u64 now);
int off_report(const struct thread *t, const struct absence *a, const struct off_top *top,
	       __u64 now);

#define COUNT_BY(field, n) do {					\
	struct counters *__c = counters();			\
	if (__c)						\
		add_shared(&__c->field, n);			\
} while (0)

/* Time in which a thread was on the CPU, but for its beginning: only differences mean anything. */
INLINE __u64 work_clock(const struct thread *t, __u64 now)
{
	return now - t->runnable_ns - t->blocked_ns;
}

/*
 * The connection that the thread served until now gives way to another, or to the wait (0). What came
 * behind the last send was no connection's.
 */
INLINE void turn_hold(struct thread *t, __u64 conn, __u64 now)
{
	__u64 served = now;

	if (t->sent_ns > t->held_ns)
		served = t->sent_ns;
	else if (!t->held_conn)
		served = t->held_ns;
	if (t->held_conn) {
		struct hold_end *end = &t->ended[t->held_conn & (HOLD_ENDS - 1)];

		end->conn = t->held_conn;
		end->work_ns = work_clock(t, now);
		if (served - t->held_ns > t->long_ns) {
			t->long_ns = served - t->held_ns;
			t->long_conn = t->held_conn;
		}
	}
	if (now - served > t->own_ns)
		t->own_ns = now - served;
	t->held_conn = conn;
	t->held_ns = now;
}

/* An answer to what an earlier turn had read: what came since the last input or output was for it. */
INLINE void turn_answer(struct thread *t, __u64 conn)
{
	__u64 since = t->sent_ns > t->held_ns ? t->sent_ns : t->held_ns;

	t->touched++;
	if (t->held_conn != conn)
		turn_hold(t, conn, since);
}

/* Data was read from a connection. */
INLINE void turn_touch(struct thread *t, __u64 conn, __u64 now)
{
	if (t->held_conn == conn)
		return;
	turn_hold(t, conn, now);
	t->touched++;
}

INLINE void turn_begins(struct thread *t, long events)
{
	t->turn_events = events > 0 ? events : 0;
	t->touched = 0;
	t->turn_accepts = 0;
	t->long_ns = 0;
	t->long_conn = 0;
	t->own_ns = 0;
	t->held_conn = 0;
	t->held_ns = t->return_ns;
	if (cfg_syscalls == SYSCALLS_SAMPLE)
		t->turn_window = window_at(t->return_ns);
}

/* Input on a file that is no socket, such as a timer's or an event's; or a close. */
INLINE bool touches(const struct thread *t, __u32 sc, long ret, __u64 begin_ns)
{
	if (sc == SC_CLOSE)
		return !ret;
	return is_read(sc) && ret > 0 && t->socket_ns < begin_ns;
}

/* All calls of the turn were looked at, so that it is known what its events were good for. */
INLINE bool turn_is_known(const struct thread *t, __u64 now)
{
	return cfg_syscalls == SYSCALLS_ALL ||
	       (cfg_syscalls == SYSCALLS_SAMPLE && t->turn_window &&
		t->turn_window == window_at(now));
}

INLINE void turn_ends(struct thread *t, __u64 now)
{
	struct counters *n;

	turn_hold(t, 0, now);
	if (turn_is_known(t, now)) {
		n = counters();
		if (n && cfg_syscalls == SYSCALLS_SAMPLE)
			add_shared(&n->events_windowed, t->turn_events);
		if (n && t->turn_events > t->touched)
			add_shared(&n->events_spurious, t->turn_events - t->touched);
	}
	if (now - t->return_ns < control.turn_ns)
		return;
	turn_report(t, t->return_ns, 0, now);
	t->behind = now - t->return_ns >= BEHIND_NS ? t->turn : 0;
}

/* The mask that a connection's epoll item has now; 0 if it has none. */
INLINE __u32 epoll_mask_of(const struct sock *sk)
{
	struct hlist_node *link = BPF_CORE_READ(sk, sk_socket, file, f_ep, first);

	return link ? item_mask((__u64)link) : 0;
}

/* The queue is empty, after bytes had been left behind. Only an edge-triggered one stalls so. */
INLINE void drained(struct conn *c, __u64 now)
{
	if (now - c->left_ns > UNDRAINED_NS) {
		COUNT(undrained);
		COUNT_BY(undrained_ns, now - c->left_ns);
	}
	c->sign.left = 0;
}

INLINE void left_behind(struct conn *c, const struct sock *sk, __u64 now)
{
	if (c->sign.left)
		drained(c, now);
	if (epoll_mask_of(sk) & EPOLLET) {
		c->left_ns = now;
		c->sign.left = 1;
	}
}

/* A segment joined data that nobody has read yet: is there room for another? */
INLINE void window_check(struct conn *c, const struct tcp_sock *tp)
{
	if (!c->sign.shut && (__s32)(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt) <= 0) {
		c->shut_ns = bpf_ktime_get_ns();
		c->sign.shut = 1;
	}
}

INLINE void window_opened(__u64 since_ns, bool ours, __u64 now)
{
	__u64 shut = now - since_ns;
	struct counters *n = counters();

	if (shut <= WINDOW_SHUT_NS || !n)
		return;
	add_shared(ours ? &n->window_ours : &n->window_theirs, 1);
	add_shared(ours ? &n->window_ours_ns : &n->window_theirs_ns, shut);
}

/* The socket took no more: a reader that does not read, if its window has no room either. */
INLINE void send_full(struct conn *c, const struct tcp_sock *tp)
{
	COUNT(send_eagain);
	if (!c->sign.zero && (__s32)(tp->snd_una + tp->snd_wnd - tp->snd_nxt) < (__s32)tp->mss_cache) {
		c->zero_ns = bpf_ktime_get_ns();
		c->sign.zero = 1;
	}
}

INLINE void our_window_opened(struct conn *c, __u64 now)
{
	c->sign.shut = 0;
	window_opened(c->shut_ns, true, now);
}

/* A window that is full because the way is long opens after a round trip: that is not shut. */
INLINE void their_window_opened(struct conn *c, const struct tcp_sock *tp, __u64 now)
{
	c->sign.zero = 0;
	if (now - c->zero_ns > 4 * 125ULL * tp->srtt_us)	/* in eighths of a microsecond */
		window_opened(c->zero_ns, false, now);
}

/*
 * After a send: less than a segment is left, and waits for the acknowledgement of what is out, or is
 * corked. What went out since the last send did so at a time that nobody knows: it is let go.
 */
INLINE void nagle_check(struct conn *c, const struct tcp_sock *tp, __u32 write_seq, __u64 now)
{
	__u32 unsent = write_seq - tp->snd_nxt;
	__u8 nonagle, by;

	if (c->sign.held && (__s32)(tp->snd_nxt - c->held_seq) >= 0)
		c->sign.held = 0;
	if (!unsent || unsent >= tp->mss_cache || c->sign.held)
		return;
	nonagle = BPF_CORE_READ_BITFIELD(tp, nonagle);
	by = nonagle & TCP_NAGLE_CORK ? KEPT_BY_CORK :
	     !(nonagle & TCP_NAGLE_OFF) && tp->packets_out ? KEPT_BY_NAGLE : 0;
	if (!by)
		return;
	if (by == KEPT_BY_NAGLE)
		COUNT(nagle_held);
	c->held_seq = write_seq;
	c->held_jiffies = (__u32)bpf_jiffies64();
	c->sign.held = by;
	c->held_ns = now;
}

/*
 * What was kept back went out with the last segment that was sent, whose time the kernel knows in
 * jiffies. How long one is follows from our own two stamps.
 */
INLINE void nagle_released(struct conn *c, __u32 sent_jiffies, __u64 now)
{
	__u32 passed = (__u32)bpf_jiffies64() - c->held_jiffies;
	__u32 held = sent_jiffies - c->held_jiffies;
	bool corked = c->sign.held == KEPT_BY_CORK;
	struct counters *n = counters();
	__u64 held_ns;

	c->sign.held = 0;
	if (!passed || (__s32)held <= 0 || held > passed)
		return;
	held_ns = (now - c->held_ns) / passed * held;
	if (held_ns < NAGLE_NS || !n)
		return;
	add_shared(corked ? &n->cork_delayed : &n->nagle_delayed, 1);
	add_shared(corked ? &n->cork_delayed_ns : &n->nagle_delayed_ns, held_ns);
}

/* The connection closes, or the watch is over. */
INLINE void conn_signals(struct conn *c, const struct tcp_sock *tp, __u64 now)
{
	struct counters *n = counters();

	if (n)
		add_shared(&n->segments_out, tp->data_segs_out - c->segments_seen);
	c->segments_seen = tp->data_segs_out;
	if (c->sign.left)
		drained(c, now);
	if (c->sign.shut)
		our_window_opened(c, now);
	if (c->sign.zero)
		their_window_opened(c, tp, now);
}

INLINE void ctl_count(__u64 op, __u64 event)
{
	struct counters *n = counters();
	__u32 mask = 0, which = CTL_MOD;

	if (!n)
		return;
	if (op == EPOLL_CTL_ADD) {
		which = CTL_ADD;
	} else if (op == EPOLL_CTL_DEL) {
		which = CTL_DEL;
	} else {
		bpf_probe_read_user(&mask, sizeof(mask), (void *)event);
		which = mask & EPOLLONESHOT ? CTL_MOD_ONESHOT :
			mask & EPOLLOUT ? CTL_MOD_OUT : CTL_MOD;
	}
	ADD_AT(n->ctl, which, 1);
}

#endif
