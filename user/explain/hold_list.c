/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hold_list.c - see hold_list.h. */
#include <string.h>

#include "explain/history.h"
#include "explain/hold_list.h"

/* A place: a free one, or that of a shorter hold. NULL: all are longer. */
static struct hold *place_for(struct hold_list *l, uint64_t ns)
{
	struct hold *shortest = l->hold;

	if (l->n < HOLDS_KEPT)
		return &l->hold[l->n++];
	for (struct hold *h = l->hold; h < l->hold + l->n; h++)
		if (hold_ns(h) < hold_ns(shortest))
			shortest = h;
	return hold_ns(shortest) < ns ? shortest : NULL;
}

static void block_is(struct hold *h, const struct hold_block *b)
{
	if (b->ns <= h->call_ns)
		return;
	h->call_ns = b->ns;
	h->call = b->call;
	h->kind = b->kind;
}

static bool same_turn(const struct hold *h, uint32_t tid, uint64_t turn)
{
	/* Of the turn that the watch began in, the wait after it does not know the number. */
	return h->tid == tid && (h->turn == turn || (turn == UINT64_MAX && h->flags & TURN_BEFORE));
}

void hold_list_turn(struct hold_list *l, const struct ev_turn *t)
{
	const struct hold_block *b = &l->block[t->tid % HOLD_THREADS];
	uint64_t end_ns = t->head.time_ns;
	struct hold *h;

	if (end_ns < t->start_ns || end_ns - t->start_ns < HOLD_MIN_NS - HOLD_MIN_NS / HIST_SUB)
		return;
	h = place_for(l, end_ns - t->start_ns);
	if (!h)
		return;
	*h = (struct hold){
		.start_ns = t->start_ns, .end_ns = end_ns, .turn = t->turn,
		.runnable_ns = t->runnable_ns, .blocked_ns = t->blocked_ns, .conn = t->long_conn,
		.conn_ns = t->long_ns, .own_ns = t->own_ns, .pid = t->pid, .tid = t->tid,
		.flags = t->flags, .touched = t->touched, .waiting = t->waiting, .flow = t->flow,
	};
	memcpy(h->comm, t->comm, COMM_LEN);
	if (b->tid == t->tid && b->turn == t->turn)
		block_is(h, b);
	/* It still is in that call. */
	if (t->flags & TURN_UNENDED && t->syscall != ~0u) {
		h->call_ns = t->blocked_ns;
		h->call = t->syscall;
		h->kind = t->kind;
	}
}

/* Each processor has a ring of its own: an interval may come before or after its turn. */
void hold_list_offcpu(struct hold_list *l, const struct ev_offcpu *o)
{
	struct hold_block *b = &l->block[o->tid % HOLD_THREADS], this = {
		.tid = o->tid, .turn = o->turn, .ns = o->blocked_ns, .call = o->syscall,
		.kind = slept_kind(o),
	};

	if (o->flags & OFFCPU_IN_WAIT || !o->blocked_ns)
		return;
	if (b->tid != o->tid || b->turn != o->turn || b->ns < o->blocked_ns)
		*b = this;
	for (struct hold *h = l->hold; h < l->hold + l->n; h++)
		if (same_turn(h, o->tid, o->turn) && h->end_ns >= o->head.time_ns)
			block_is(h, &this);
}

void hold_list_behind(struct hold_list *l, const struct ev_behind *b)
{
	for (struct hold *h = l->hold; h < l->hold + l->n; h++)
		if (same_turn(h, b->tid, b->turn))
			h->waiting = b->events;
}

void hold_list_forget(struct hold_list *l, uint64_t before_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->hold[i].end_ns >= before_ns)
			l->hold[kept++] = l->hold[i];
	l->n = kept;
}
