/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* traffic.bpf.c - connections whose traffic is odd, and the first bytes of each. */
#include "traffic.bpf.h"
#include "protocol.h"

/* As struct iovec and struct user_msghdr, whose layout is the system's contract with programs. */
struct user_iovec {
	__u64 base;
	__u64 len;
};

#define LOOKS		4	/* reads that are looked at for a connection's first bytes */
#define MSGHDR_IOV	16	/* offset of user_msghdr.msg_iov */

/* The connection is counted by its kind and protocol; where it stood before it is no more. */
INLINE void label(struct conn *c)
{
	__u32 now = traffic_kind(&c->traffic) * PROTOCOL_ROOM + c->traffic.protocol;
	struct counters *n;

	if (now == c->label)
		return;
	n = counters();
	if (!n)
		return;
	if (c->label)
		ADD_AT(n->kind_conns, c->label, -1ULL);
	ADD_AT(n->kind_conns, now, 1);
	c->label = now;
}

/* User space holds exchanges of this connection back: the doubt is over. */
INLINE void doubt_over(struct conn *c, __u64 now)
{
	struct ev_kind *e = event_reserve(sizeof(*e), EV_KIND, now);

	if (!e)
		return;
	e->conn = c->id;
	e->kind = c->traffic.strong || c->traffic.fixed ? traffic_kind(&c->traffic) : KIND_REQUEST;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	event_submit(e);
}

/* Of another kind from here on; what it counted for before is said. */
INLINE void judged(struct conn *c, __u32 before, bool settled, __u64 now)
{
	struct traffic *t = &c->traffic;
	__u32 kind = traffic_kind(t);

	if (kind != KIND_REQUEST && before == KIND_REQUEST && (t->strong || t->fixed)) {
		if (c->exchanges > c->uncounted)
			COUNT_BY(kind_rejudged, c->exchanges - c->uncounted);
		c->max_latency_ns = 0;
	}
	if (t->doubted && (settled || (kind != KIND_REQUEST && (t->strong || t->fixed)))) {
		doubt_over(c, now);
		t->doubted = 0;
		if (kind == KIND_REQUEST)
			c->uncounted = 0;
		traffic_kind_is(t, kind);
	}
	label(c);
}

/* The memory that a call which reads, or one that writes, has been given. */
INLINE __u64 call_memory(__u32 plain, __u32 other, __u32 vector, __u32 message)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u32 sc = cfg_syscall[(__u32)SYSCALL_NR(regs) & (SYSCALL_NUMBERS - 1)];
	__u64 at = SYSCALL_ARG2(regs), iov = 0;

	if (sc == plain || sc == other)
		return at;
	if (sc == message) {
		if (bpf_probe_read_user(&iov, sizeof(iov), (void *)(at + MSGHDR_IOV)))
			return 0;
	} else if (sc == vector) {
		iov = at;
	} else {
		return 0;
	}
	return bpf_probe_read_user(&at, sizeof(at), (void *)iov) ? 0 : at;
}

/*
 * Adds what was read to the first bytes: some read them one by one. False: there is nothing to look at.
 */
INLINE bool look_further(struct conn *c, __u32 bytes)
{
	__u64 to = c->look_bytes, at = call_memory(SC_READ, SC_RECVFROM, SC_READV, SC_RECVMSG);
	__u64 n = bytes;

	c->looks++;
	c->looked = c->traffic.looked = c->looks == LOOKS || to + n >= LOOK_BYTES;
	if (!at || to >= LOOK_BYTES)
		return false;
	if (n > LOOK_BYTES)
		n = LOOK_BYTES;
	/* The second half takes what does not fit. */
	if (!n || bpf_probe_read_user(c->look + to, n, (void *)at))
		return false;
	c->look_bytes += bytes;
	return true;
}

__noinline int protocol_look(struct conn *c, __u32 bytes)
{
	__u32 found, before;
	struct traffic *t;
	const __u8 *b;

	if (!c)
		return 0;
	t = &c->traffic;
	b = c->look;
	if (!look_further(c, bytes))
		return 0;
	before = traffic_kind(t);
	found = protocol_of(b, c->look_bytes, t->send_turn || (c->preexisting && !c->exchanges));
	if (found)
		c->looked = t->looked = 1;
	/* What was recognised at the beginning stays, unless this cannot be a part of it. */
	if (found && found != t->protocol && (!t->protocol || found == PROTOCOL_WEBSOCKET))
		traffic_protocol(t, found);
	if (t->protocol == PROTOCOL_REDIS && (t->send_turn || c->preexisting) && is_replica_ack(b)) {
		t->fixed = 1;
		traffic_kind_is(t, KIND_ONE_WAY);
	}
	if (t->kind)
		judged(c, before, false, c->read_ns);
	return 0;
}

/* The answer to a connection's first request may say that it goes on in another protocol. */
INLINE bool switches_protocol(struct conn *c)
{
	__u8 b[LOOK_BYTES];
	__u64 at = call_memory(SC_WRITE, SC_SENDTO, SC_WRITEV, SC_SENDMSG);

	if (!at || bpf_probe_read_user(b, sizeof(b), (void *)at) || !is_switching(b))
		return false;
	traffic_protocol(&c->traffic, PROTOCOL_WEBSOCKET);
	label(c);
	return true;
}

/* Of HTTP/1 it can be told whether a request begins here, or goes on. */
INLINE bool http_request_begins(__u32 bytes)
{
	__u64 at = call_memory(SC_READ, SC_RECVFROM, SC_READV, SC_RECVMSG);
	__u8 b[8];

	return bytes >= sizeof(b) && at && !bpf_probe_read_user(b, sizeof(b), (void *)at) &&
	       protocol_of_text(b) == PROTOCOL_HTTP1;
}

__noinline int traffic_read(struct conn *c, __u32 bytes, __u64 now)
{
	bool http, begins;
	__u32 before;
	__u64 from;

	if (!c)
		return 0;
	http = c->traffic.protocol == PROTOCOL_HTTP1;
	begins = http ? http_request_begins(bytes) : c->traffic.lapping > 0;
	if (http && !begins)
		return 0;
	before = traffic_kind(&c->traffic);
	from = c->first_ns > control.attach_ns && c->first_ns != READY_UNKNOWN ? c->first_ns :
										 control.attach_ns;
	traffic_late_read(&c->traffic, bytes, now - from);
	if (traffic_kind(&c->traffic) != before)
		judged(c, before, false, now);
	return begins;
}

__noinline int traffic_push(struct conn *c, __u32 turn, __u32 acked, __u64 now)
{
	struct traffic *t;
	__u64 sent, read;
	__u32 before;

	if (!c)
		return 0;
	t = &c->traffic;
	before = traffic_kind(t);
	sent = c->last_send_ns > control.attach_ns ? c->last_send_ns : control.attach_ns;
	read = c->read_ns > control.attach_ns ? c->read_ns : control.attach_ns;
	traffic_unasked(t, turn, now - sent, now - read, acked);
	c->last_send_ns = now;
	/* The next read's bytes are the first again. */
	c->looked = t->looked;
	if (!t->looked) {
		c->looks = c->look_bytes = 0;
		__builtin_memset(c->look, 0, sizeof(c->look));
	}
	if (traffic_kind(t) != before)
		judged(c, before, false, now);
	return traffic_kind(t) == KIND_ONE_WAY;
}

__noinline int traffic_send(struct conn *c, __u32 turn, __u32 at_once, __u64 now)
{
	enum traffic_verdict verdict;
	struct traffic *t;
	__u32 before, late;

	if (!c)
		return TRAFFIC_COUNTS;
	t = &c->traffic;
	before = traffic_kind(t);
	late = t->late;
	verdict = traffic_answer(t, at_once, turn, now - c->last_send_ns, now - c->first_ns,
				 now - c->read_ns);
	if (verdict == TRAFFIC_OTHER)
		c->uncounted++;
	judged(c, before, verdict == TRAFFIC_COUNTS && (!at_once || !(t->pushing | t->lapping)), now);
	if (verdict == TRAFFIC_OTHER) {
		c->prev_sends = 0;
		c->slow = 0;
		if (traffic_kind(t) == KIND_OVERLAPPING) {
			hist_add(H_OVERLAPPING, now - c->first_ns);
			COUNT_BY(kind_late, late);
		}
		return verdict;
	}
	if (t->protocol == PROTOCOL_HTTP1 && c->exchanges == 1 && switches_protocol(c))
		return TRAFFIC_COUNTS;
	/* What waits already must not be overtaken. */
	if (verdict == TRAFFIC_DOUBTFUL || t->doubted) {
		c->flags |= RECORD_DOUBTFUL;
		c->uncounted++;
		t->doubted = 1;
		t->kind |= TRAFFIC_SIGNS;
	}
	return verdict;
}

__noinline int traffic_summed(struct conn *c)
{
	if (!c)
		return 0;
	COUNT(kind_doubtful);
	c->uncounted--;
	return 0;
}

/* No sign will come any more. */
__noinline int traffic_closed(struct conn *c, __u64 now)
{
	if (c && c->traffic.doubted)
		judged(c, traffic_kind(&c->traffic), true, now);
	return 0;
}

__noinline int traffic_bytes(struct conn *c, __u64 in, __u64 out)
{
	struct counters *n = counters();
	__u32 kind;

	if (!c || !n)
		return 0;
	kind = traffic_kind(&c->traffic);
	ADD_AT(n->kind_in, kind, in - c->told_in);
	ADD_AT(n->kind_out, kind, out - c->told_out);
	c->told_in = in;
	c->told_out = out;
	return 0;
}
