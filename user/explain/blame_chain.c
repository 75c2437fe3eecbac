/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blame_chain.c - who held the lock that a loop waited for, and whom that one waited for. */
#include <string.h>

#include "explain/blame.h"
#include "explain/stage_map.h"

/* What a thread did between two moments, for its link of the chain. Returns who woke it, or 0. */
static uint32_t chain_link(const struct history *h, struct blame_link *link, uint64_t from,
			   uint64_t to)
{
	struct history_walk w = history_walk(h, EV_OFFCPU, link->tid, from);
	uint64_t longest = 0, off_ns = 0;
	const struct ev_offcpu *o;
	uint32_t waker = 0;

	while ((o = history_next_offcpu(&w, to))) {
		uint64_t blocked = span_overlap(from, to, o->start_ns, woken_at(o));
		uint64_t runnable = span_overlap(from, to, woken_at(o), o->head.time_ns);

		link->blocked_ns += blocked;
		link->runnable_ns += runnable;
		off_ns += blocked + runnable;
		if (blocked > longest) {
			longest = blocked;
			link->nr = o->syscall;
			waker = released(o) ? o->waker_tid : 0;
		}
	}
	link->oncpu_ns = to - from > off_ns ? to - from - off_ns : 0;
	return waker;
}

/* The longest wait for a lock inside a turn. */
static const struct ev_offcpu *longest_lock(const struct history *h)
{
	const struct ev_offcpu *list = history_records(h, EV_OFFCPU), *found = NULL;

	for (size_t i = 0; i < history_count(h, EV_OFFCPU); i++) {
		const struct ev_offcpu *o = &list[i];

		if (o->kind == OFFCPU_FUTEX && released(o) &&
		    !(o->flags & OFFCPU_IN_WAIT) && (!found || o->blocked_ns > found->blocked_ns) &&
		    history_turn_at(h, o->tid, o->start_ns))
			found = o;
	}
	return found;
}

static bool in_chain(const struct blame_sums *out, uint32_t tid)
{
	for (size_t i = 0; i < out->n_chain; i++)
		if (out->chain[i].tid == tid)
			return true;
	return false;
}

/* From the waiter for a lock to the lock's holder, and to whom the holder waited for. */
void blame_chain(const struct history *h, struct blame_sums *out)
{
	const struct ev_offcpu *o = longest_lock(h);
	uint32_t tid = o ? o->waker_tid : 0;

	while (tid && out->n_chain < BLAME_CHAIN && !in_chain(out, tid) &&
	       (tid != o->tid || !out->n_chain)) {
		struct blame_link *link = &out->chain[out->n_chain++];

		link->tid = tid;
		if (out->n_chain == 1)
			memcpy(link->comm, o->waker_comm, COMM_LEN);
		tid = chain_link(h, link, o->start_ns, woken_at(o));
	}
}
