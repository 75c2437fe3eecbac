/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* missed.bpf.c - estimates for what skipped hooks would have stamped; see missed.bpf.h. */
#include "missed.bpf.h"

/*
 * Data was read that has no stamp: it came when the thread was woken, if it slept, else when its wait
 * returned; not before what the connection did last.
 */
__noinline __u64 arrival_estimate(struct conn *c, const struct thread *t, __u64 now)
{
	__u64 since, at;

	if (!c || !t)
		return 0;
	since = c->last_send_ns > c->read_ns ? c->last_send_ns : c->read_ns;
	if (since < c->born_ns)
		since = c->born_ns;
	at = t->wait_wake_ns ? t->wait_wake_ns : t->return_ns;
	c->estimated = 1;
	return stamp_clamp(at, since, now);
}

/* The stamps of a request whose read was skipped too: it goes by its arrival. */
INLINE void request_unseen(struct conn *c)
{
	__u64 came = c->ready_ns;

	c->request_bytes = 0;
	c->first_ns = came;
	c->arrival_ns = came;
	c->read_ns = came;
	c->split_some = 0;
	wait_is(c, EXCHANGE_NO_WAIT, 0, 0, 0);
	/* What is read now came later. */
	c->ready_ns = c->next_ns;
	c->next_ns = 0;
}

INLINE void sums_add(struct conn *c, const struct thread *t, __u64 end)
{
	struct record_ring *none;
	struct ev_record *r = record_slot(&none, false);
	struct ledger l = {};

	if (!r)
		return;
	c->estimated = 1;
	/* How it was answered is not known. */
	record_fill(r, c, t, bpf_get_current_task_btf(), 0, end);
	ledger_stages(&l, r);
	ledger_add(&l, r);
}

/*
 * The answer went out before the next request came, and at the latest when its last acknowledgement
 * did.
 */
__noinline int exchange_unseen(struct conn *c, struct thread *t, __u32 write_seq, __u64 acked_ns,
			       __u64 now)
{
	__u32 start;
	__u64 end;

	if (!c || !t || !traffic_plain(&c->traffic, true))
		return 0;
	start = c->answer_end;
	c->answer_end = write_seq;
	if (c->phase == PHASE_IDLE && !is_stamp(c->ready_ns)) {
		COUNT(unmatched);
		return 0;
	}
	if (c->phase == PHASE_IDLE)
		request_unseen(c);
	end = is_stamp(c->ready_ns) ? c->ready_ns : now;
	if (acked_ns > c->read_ns && acked_ns < end)
		end = acked_ns;
	end = stamp_clamp(end, c->read_ns, now);
	c->phase = PHASE_IDLE;
	c->exchanges++;
	if (end - c->first_ns > c->max_latency_ns)
		c->max_latency_ns = end - c->first_ns;
	sums_add(c, t, end);
	answer_begins(c, t, start, write_seq, end);
	return 0;
}
