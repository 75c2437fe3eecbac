/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * eventpoll.bpf.c - the history of each eventpoll's returns, for whoever reads its sockets.
 *
 *   own --another thread waits on it--> shared
 *
 * A loop's own has its history where the loop finds it without a look-up, and only the loop writes it
 * (wait.bpf.h). All else is here, in functions that the verifier walks once.
 */
#include "eventpoll.bpf.h"

INLINE struct eventpoll_state *own_of(__u32 own)
{
	__u32 slot = own - 1;

	return own ? bpf_map_lookup_elem(&own_eventpolls, &slot) : NULL;
}

/* The first wait on it: the waiter's own, if that has none yet. Threads without a slot own nothing. */
INLINE struct eventpoll_state *eventpoll_new(struct thread *t, __u64 ep, __u64 pid_tgid)
{
	static const struct eventpoll_state fresh;
	struct eventpoll_state *e, *own = t->loop > 1 ? own_of(t->loop) : NULL;

	bpf_map_update_elem(&eventpolls, &ep, &fresh, BPF_NOEXIST);
	e = bpf_map_lookup_elem(&eventpolls, &ep);
	if (!e) {
		COUNT(map_full);
		return NULL;
	}
	e->waiter = pid_tgid;
	e->pid = pid_tgid >> 32;
	if (own && !own->own_ep) {
		e->own = t->loop;
		own->own_ep = ep;
	}
	return e;
}

/* Leaves the thread's return in the history. */
__noinline int return_remember(struct thread *t, long events)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid(), ep;
	struct eventpoll_state *e, *own;
	struct ep_return *r;

	if (!t)
		return 0;
	ep = t->wait_ep;
	e = bpf_map_lookup_elem(&eventpolls, &ep);
	if (!e) {
		e = eventpoll_new(t, ep, pid_tgid);
		if (!e || return_remember_own(t, events))
			return 0;
	}
	if (e->waiter != (__u32)pid_tgid && !e->shared) {
		e->shared = 1;
		own = own_of(e->own);
		if (own)
			own->shared = 1;
	}
	t->ep_shared = e->shared;
	if (events > 0)
		add_shared(&e->events, events);
	add_shared(&e->wait_ns, t->return_ns - t->wait_enter_ns);
	r = &e->ring[__sync_fetch_and_add(&e->head, 1) & (EP_RETURNS - 1)];
	return_put(r, t);
	return 0;
}

/* How many returns came after `from`; EP_RETURNS if the history does not reach back so far. */
__noinline int returns_since(const struct eventpoll_state *e, __u64 from)
{
	__u32 head, i;

	if (!e)
		return 0;
	head = e->head;
	for (i = 0; i < EP_RETURNS; i++)
		if (i >= head || e->ring[(head - 1 - i) & (EP_RETURNS - 1)].return_ns <= from)
			break;
	return i;
}

/*
 * The event gets on the eventpoll's list a little after the stamp of its data: a wait that begins in
 * between finds nothing of it. Two programs and the wait queue's callbacks, up to 2 us.
 */
#define LISTED_NS 2000

/*
 * The first of the last `n` returns. A thread that was already gathering events when the data came may
 * have missed ours: if it returned again before the read, its next return brought it.
 */
__noinline int return_found(struct conn *c, const struct eventpoll_state *e, __u32 n, __u64 from)
{
	const struct ep_return *r;

	if (!c || !e)
		return 0;
	r = &e->ring[(e->head - n) & (EP_RETURNS - 1)];
	if (n > 1 && !e->shared && r->enter_ns < from + LISTED_NS && r->oncpu_ns <= from)
		r = &e->ring[(e->head - n + 1) & (EP_RETURNS - 1)];
	wait_found(c, from, r->enter_ns, r->wake_ns, r->oncpu_ns, r->return_ns);
	return 0;
}

__noinline int wait_in_history(struct conn *c, __u64 ep, __u64 from)
{
	struct eventpoll_state *e, *own;
	__u32 n, n_own = 0;

	if (!c)
		return 0;
	wait_is(c, EXCHANGE_NO_WAIT, 0, 0, 0);
	e = bpf_map_lookup_elem(&eventpolls, &ep);
	if (!e)
		return 0;
	n = returns_since(e, from);
	/* All that it has came later: what was before is where its owner left it. */
	own = n == e->head ? own_of(e->own) : NULL;
	if (own)
		n_own = returns_since(own, from);
	if (n == EP_RETURNS || n_own == EP_RETURNS)
		c->flags = EXCHANGE_MERGED;
	else if (n_own)
		return_found(c, own, n_own, from);
	else if (n)
		return_found(c, e, n, from);
	return 0;
}
