/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mail.c - how loops talk: an item into the other's ring, and an eventfd only if it sleeps.
 *
 * Who is about to sleep says so by exchanging asleep, then looks into its ring once more; who has
 * pushed exchanges asleep back. Both are read-modify-writes of one variable, so they have an order:
 * either the sender sees that the other sleeps, or the other sees what was pushed.
 */
#include "server.h"

#include <unistd.h>

static void wake(struct loop *to)
{
	uint64_t one = 1;

	/* Fails only when the counter is full, and then it is awake anyway. */
	if (atomic_exchange_explicit(&to->asleep, false, memory_order_acq_rel) &&
	    write(to->mail_watch.fd, &one, sizeof(one)) < 0)
		return;
}

bool mail_send(struct loop *from, struct loop *to, enum mail kind, void *ptr, uint64_t word)
{
	if (!mpsc_push(&to->mail, (struct ring_item){ ptr, word << 8 | kind }))
		return false;
	if (from && ++from->owed[to->index] < from->cfg->batch)
		return true;
	if (from)
		from->owed[to->index] = 0;
	wake(to);
	return true;
}

void mail_settle(struct loop *from)
{
	for (size_t i = 0; i < from->server->n_loops; i++) {
		struct loop *to = from->server->loops[i];

		if (!from->owed[to->index])
			continue;
		from->owed[to->index] = 0;
		wake(to);
	}
}

bool mail_may_sleep(struct loop *l)
{
	atomic_exchange_explicit(&l->asleep, true, memory_order_acq_rel);
	return mpsc_empty(&l->mail);
}
