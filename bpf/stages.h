/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stages.h - from the stamps of a record to the ledger, used by user space for every record and by
 * the kernel side for those that found their ring full.
 *
 * The stages are differences of consecutive clamped stamps, so they sum to the latency exactly.
 */
#ifndef EPOLLSCOPE_STAGES_H
#define EPOLLSCOPE_STAGES_H

struct ledger {
	__u64 stage_ns[STAGE_COUNT];
	__u64 latency_ns;
	__u32 flags;	/* enum exchange_flags */
	__u32 present;	/* bit a stage: the exchange has it, if only for 0 ns */
};

#define STAGES_INLINE static inline __attribute__((always_inline))

/* v moved to where the order of stamps allows it. */
STAGES_INLINE __u64 stamp_clamp(__u64 v, __u64 lo, __u64 hi)
{
	if (v < lo)
		return lo;
	return v > hi ? hi : v;
}

/* The stages between the arrival of the data and its read. */
STAGES_INLINE void stages_delivery(struct ledger *l, const struct ev_record *r, __u64 from,
				   __u64 read)
{
	__u64 ret = from;

	if (r->flags & EXCHANGE_ASLEEP) {
		__u64 wake = stamp_clamp(r->wake_ns, from, read);
		__u64 oncpu = stamp_clamp(r->oncpu_ns, wake, read);

		ret = stamp_clamp(r->return_ns, oncpu, read);
		l->stage_ns[STAGE_WAKEUP] = wake - from;
		l->stage_ns[STAGE_RUNQUEUE] = oncpu - wake;
		l->stage_ns[STAGE_RETURN] = ret - oncpu;
		l->present |= 1 << STAGE_WAKEUP | 1 << STAGE_RUNQUEUE | 1 << STAGE_RETURN;
	} else if (!(r->flags & (EXCHANGE_MERGED | EXCHANGE_NO_WAIT))) {
		ret = stamp_clamp(r->return_ns, from, read);
		l->stage_ns[STAGE_BUSY] = ret - from;
		l->present |= 1 << STAGE_BUSY;
	}
	l->stage_ns[STAGE_DISPATCH] = read - ret;
}

/*
 * The ledger of one record; `accepted_ns` is the record's if it is a long one, else 0. Stamps that
 * are out of order, a hostile file's too, are clamped: first <= read <= end holds from there on.
 */
STAGES_INLINE void stages_of(struct ledger *l, const struct ev_record *r, __u64 accepted_ns)
{
	__u64 end = r->head.time_ns, read = r->read_ns, first = r->first_ns, from, arrival;

	__builtin_memset(l, 0, sizeof(*l));
	l->flags = r->flags;
	if (first > read || r->arrival_ns > read || read > end)
		l->flags |= EXCHANGE_CLAMPED;
	if (read > end)
		read = end;
	if (first > read)
		first = read;
	from = stamp_clamp(accepted_ns, first, read);
	arrival = stamp_clamp(r->arrival_ns, from, read);
	l->latency_ns = end - first;
	l->present = 1 << STAGE_DISPATCH | 1 << STAGE_SERVICE;
	if (accepted_ns > first) {
		l->stage_ns[STAGE_ACCEPT] = from - first;
		l->present |= 1 << STAGE_ACCEPT;
	}
	if (arrival > from) {
		l->stage_ns[STAGE_RECEIVE] = arrival - from;
		l->present |= 1 << STAGE_RECEIVE;
	}
	stages_delivery(l, r, arrival, read);
	l->stage_ns[STAGE_SERVICE] = end - read;
}

#endif
