/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * eventpoll.bpf.h - an eventpoll's returns: what one says of the data that it delivers, and its place in
 * the history (eventpoll.bpf.c).
 */
#ifndef EPOLLSCOPE_EVENTPOLL_BPF_H
#define EPOLLSCOPE_EVENTPOLL_BPF_H

#include "symptoms.bpf.h"

/* `flag` is one of enum exchange_flags, or 0 if no thread was asleep on the eventpoll. */
INLINE void wait_is(struct conn *c, __u16 flag, __u64 wake, __u64 oncpu, __u64 ret)
{
	c->flags = flag;
	c->wake_ns = wake;
	c->oncpu_ns = oncpu;
	c->return_ns = ret;
}

/* A wait that entered before the data came and slept until woken delivered it asleep. */
INLINE void wait_found(struct conn *c, __u64 from, __u64 enter, __u64 wake, __u64 oncpu, __u64 ret)
{
	bool asleep = enter < from && wake && oncpu > from;

	wait_is(c, asleep ? EXCHANGE_ASLEEP : 0, wake, oncpu, ret);
}

INLINE void return_put(struct ep_return *r, const struct thread *t)
{
	r->enter_ns = t->wait_enter_ns;
	r->wake_ns = t->wait_wake_ns;
	r->oncpu_ns = t->wait_oncpu_ns;
	r->return_ns = t->return_ns;
}

/* Most waits are on the loop's own eventpoll, whose history is at hand. */
INLINE bool return_remember_own(struct thread *t, long events)
{
	__u32 slot = t->loop - 1;
	struct eventpoll_state *own = bpf_map_lookup_elem(&own_eventpolls, &slot);

	if (!own || own->own_ep != t->wait_ep || own->shared)
		return false;
	t->ep_shared = 0;
	if (events > 0)
		own->events += events;
	own->wait_ns += t->return_ns - t->wait_enter_ns;
	return_put(&own->ring[own->head & (EP_RETURNS - 1)], t);
	own->head++;
	return true;
}

/* Leaves a return in the history of an eventpoll that is not the loop's own (eventpoll.bpf.c). */
int return_remember(struct thread *t, long events);

/* The first return of an eventpoll after `from` (eventpoll.bpf.c). */
int wait_in_history(struct conn *c, __u64 ep, __u64 from);

#endif
