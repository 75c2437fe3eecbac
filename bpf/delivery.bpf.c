/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * delivery.bpf.c - how data reached the thread that reads it: which wait brought it, whether anybody
 * watched the descriptor, and what the thread did in between. For reads that ledger_wait_plain() can't
 * tell.
 */
#include "ledger.bpf.h"

/* The bit of enum exchange_flags that stands for a stage's split. */
#define SPLIT_BIT(which)	(EXCHANGE_SPLIT_BUSY << (which))

INLINE void split_begin(struct conn *c)
{
	if (!c->split_some)
		__builtin_memset(c->split, 0, sizeof(c->split));
	c->split_some = 1;
}

INLINE void split_is(struct conn *c, __u32 which, __u64 runnable_ns, __u64 blocked_ns)
{
	c->flags |= SPLIT_BIT(which);
	if (!(runnable_ns | blocked_ns) && !c->split_some)
		return;
	split_begin(c);
	c->split[which].runnable_ns = runnable_ns;
	c->split[which].blocked_ns = blocked_ns;
}

/* Most threads were on their CPU all the time since: one load tells. */
INLINE void split_measured(struct conn *c, const struct thread *t, __u32 which, __u64 from,
			   __u64 to)
{
	struct split split = {};

	if (t->off_end_ns <= from || !off_between(t, from, to, &split))
		split_is(c, which, split.runnable_ns, split.blocked_ns);
}

/* The descriptor was not watched when the data came, but from `armed` on. */
INLINE void unarmed_until(struct conn *c, __u64 from, __u64 armed)
{
	split_begin(c);
	c->flags |= EXCHANGE_UNARMED;
	c->unarmed_ns = armed - from;
}

/*
 * Unwatched data that the loop itself reads: its last wait brought it, and it was armed at the latest
 * when that wait was woken. One that did not sleep found it armed: by the turn before, since the wait
 * before that turn did not bring it.
 */
__noinline int wait_unarmed(struct conn *c, const struct thread *t, __u64 from)
{
	if (!c || !t)
		return 0;
	if (t->return_ns <= from) {
		wait_is(c, EXCHANGE_NO_WAIT, 0, 0, 0);
		return 0;
	}
	wait_is(c, 0, t->wait_wake_ns, t->wait_oncpu_ns, t->return_ns);
	if (t->wait_wake_ns > from) {
		unarmed_until(c, from, t->wait_wake_ns);
		split_is(c, SPLIT_BUSY, t->wait_oncpu_ns - t->wait_wake_ns, 0);
	} else if (t->prev_return_ns > from) {
		unarmed_until(c, from, t->prev_return_ns);
		split_measured(c, t, SPLIT_BUSY, t->prev_return_ns, t->return_ns);
	} else {
		split_measured(c, t, SPLIT_BUSY, from, t->return_ns);
	}
	return 0;
}

/* Another thread than the loop reads it: the first wait that was woken after the data came. */
INLINE void wait_unarmed_elsewhere(struct conn *c, __u64 ep, __u64 from)
{
	wait_in_history(c, ep, from);
	if (c->flags & (EXCHANGE_MERGED | EXCHANGE_NO_WAIT))
		return;
	c->flags = 0;
	if (c->wake_ns <= from)
		return;
	unarmed_until(c, from, c->wake_ns);
	split_is(c, SPLIT_BUSY, c->oncpu_ns - c->wake_ns, 0);
}

__noinline int ledger_wait(struct conn *c, struct thread *t, __u64 ep, __u64 from, __u64 now)
{
	bool mine, unarmed;

	if (!c || !t)
		return 0;
	if (ep && ep != t->wait_ep)
		t->wait_fd = FD_UNKNOWN;	/* another's loop, or the descriptor means another one */
	unarmed = c->unarmed;
	c->unarmed = 0;
	c->split_some = 0;
	if (!ep) {
		if (c->owned)
			c->gaps = 1;
		ep = c->seen_ep;
	}
	mine = t->turn && (!ep || (ep == t->wait_ep && !t->ep_shared));
	if (unarmed && t->turn && (!ep || ep == t->wait_ep)) {
		wait_unarmed(c, t, from);
	} else if (unarmed && ep) {
		wait_unarmed_elsewhere(c, ep, from);
	} else if (ep && (!mine || t->prev_return_ns > from)) {
		wait_in_history(c, ep, from);
	} else if (t->turn) {
		if (t->return_ns > from)
			wait_found(c, from, t->wait_enter_ns, t->wait_wake_ns, t->wait_oncpu_ns,
				   t->return_ns);
		else
			wait_is(c, EXCHANGE_NO_WAIT, 0, 0, 0);
	} else {
		/* No loop at all: the wait is in the read itself. */
		if (!t->off_ns && t->waking_ns)	/* since before the attach */
			wait_found(c, from, control.attach_ns, t->waking_ns, t->oncpu_ns, now);
		else if (t->data_return_ns > from)
			wait_found(c, from, t->wait_enter_ns, t->wait_wake_ns, t->wait_oncpu_ns,
				   t->data_return_ns);
		else if (t->data_return_ns)
			wait_is(c, 0, 0, 0, now);
		else	/* somebody told it that there is something to read */
			wait_is(c, EXCHANGE_NO_WAIT, 0, 0, 0);
	}

	if (!c->flags && mine && !unarmed)
		split_measured(c, t, SPLIT_BUSY, from, c->return_ns);
	else if (c->flags == EXCHANGE_NO_WAIT && t->turn)
		split_measured(c, t, SPLIT_DISPATCH, from, now);
	if (t->turn && t->return_ns == c->return_ns)
		split_is(c, SPLIT_DISPATCH, t->runnable_ns - t->return_runnable_ns,
			 t->blocked_ns - t->return_blocked_ns);
	return 0;
}
