/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* aggregate_since.c - what was accumulated between two readings of the same session. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/aggregate.h"

/* The longest duration in a bucket is not known exactly: the bucket's upper bound stands for it. */
static void hist_since(struct hist *d, const struct hist *now, const struct hist *then)
{
	unsigned last = HIST_BUCKETS;

	for (unsigned b = 0; b < HIST_BUCKETS; b++) {
		d->bucket[b] = now->bucket[b] - then->bucket[b];
		if (d->bucket[b])
			last = b;
	}
	d->sum = now->sum - then->sum;
	d->max = 0;
	if (last == HIST_BUCKETS)
		return;
	d->max = hist_bucket_upper(last);
	if (now->max > then->max || d->max > now->max)
		d->max = now->max;
}

static void words_since(void *d, const void *now, const void *then, size_t size)
{
	const uint64_t *a = now, *b = then;
	uint64_t *to = d;

	for (size_t i = 0; i < size / sizeof(*to); i++)
		to[i] = a[i] - b[i];
}

static void ledger_since(struct ledger_set *d, const struct ledger_set *now,
			 const struct ledger_set *then)
{
	hist_since(&d->latency, &now->latency, &then->latency);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		hist_since(&d->stage[stage], &now->stage[stage], &then->stage[stage]);
	hist_since(&d->send, &now->send, &then->send);
	hist_since(&d->deliver, &now->deliver, &then->deliver);
	words_since(d->stage_ns, now->stage_ns, then->stage_ns, sizeof(d->stage_ns));
}

/* Connection states and kinds and the age of the oldest are as of now: there is nothing to subtract. */
static void counters_since(struct counters *d, const struct counters *now,
			   const struct counters *then)
{
	words_since(d, now, then, sizeof(*d));
	memcpy(d->state, now->state, sizeof(d->state));
	memcpy(d->calls_open, now->calls_open, sizeof(d->calls_open));
	memcpy(d->kind_conns, now->kind_conns, sizeof(d->kind_conns));
	d->close_wait_max_ns = now->close_wait_max_ns;
}

static const struct loop *loop_of(const struct aggregate *a, const struct loop *like)
{
	for (size_t i = 0; i < a->n_loops; i++)
		if (a->loops[i].tid == like->tid && a->loops[i].pid == like->pid &&
		    a->loops[i].turns <= like->turns)
			return &a->loops[i];
	return NULL;
}

static void loop_since(struct loop *l, const struct loop *then)
{
	struct loop now = *l;

	l->turns -= then->turns;
	l->events -= then->events;
	l->wakeups -= then->wakeups;
	l->exchanges -= then->exchanges;
	l->accepts -= then->accepts;
	l->busy_ns -= then->busy_ns;
	l->wait_ns -= then->wait_ns;
	hist_since(&l->turn, &now.turn, &then->turn);
	hist_since(&l->wait, &now.wait, &then->wait);
}

static int loops_since(struct aggregate *d, const struct aggregate *now,
		       const struct aggregate *then)
{
	d->loops = calloc(now->n_loops + 1, sizeof(*d->loops));
	if (!d->loops)
		return -ENOMEM;
	for (size_t i = 0; i < now->n_loops; i++) {
		const struct loop *before = loop_of(then, &now->loops[i]);

		d->loops[d->n_loops] = now->loops[i];
		if (before)
			loop_since(&d->loops[d->n_loops], before);
		d->n_loops++;
	}
	return 0;
}

static int eventpolls_since(struct aggregate *d, const struct aggregate *now,
			    const struct aggregate *then)
{
	d->eventpolls = calloc(now->n_eventpolls + 1, sizeof(*d->eventpolls));
	if (!d->eventpolls)
		return -ENOMEM;
	for (size_t i = 0; i < now->n_eventpolls; i++) {
		struct eventpoll_info e = now->eventpolls[i];

		for (size_t k = 0; k < then->n_eventpolls; k++) {
			const struct eventpoll_info *before = &then->eventpolls[k];

			if (before->id != e.id || before->pid != e.pid || before->returns > e.returns)
				continue;
			e.returns -= before->returns;
			e.events -= before->events;
			e.wait_ns -= before->wait_ns;
			break;
		}
		if (e.returns)
			d->eventpolls[d->n_eventpolls++] = e;
	}
	return 0;
}

/* The longest queue since the attach belongs to this interval only if it grew in it. */
static int listeners_since(struct aggregate *d, const struct aggregate *now,
			   const struct aggregate *then)
{
	d->listeners = calloc(now->n_listeners + 1, sizeof(*d->listeners));
	if (!d->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < now->n_listeners; i++) {
		struct aggregate_listener *l = &d->listeners[d->n_listeners++];

		*l = now->listeners[i];
		for (size_t k = 0; k < then->n_listeners; k++) {
			const struct listener *before = &then->listeners[k].listener;

			if (memcmp(&then->listeners[k].key, &l->key, sizeof(l->key)))
				continue;
			if (l->listener.queued >= before->queued)
				l->listener.queued -= before->queued;
			if (l->listener.accepted >= before->accepted)
				l->listener.accepted -= before->accepted;
			if (l->listener.backlog_max <= before->backlog_max)
				l->listener.backlog_max = l->listener.backlog > before->backlog ?
							  l->listener.backlog : before->backlog;
			break;
		}
	}
	return 0;
}

int aggregate_since(struct aggregate *d, const struct aggregate *now, const struct aggregate *then)
{
	int err;

	ledger_since(&d->ledger, &now->ledger, &then->ledger);
	counters_since(&d->counters, &now->counters, &then->counters);
	for (unsigned id = 0; id < H_MAX; id++)
		hist_since(&d->hists[id], &now->hists[id], &then->hists[id]);
	words_since(&d->sampled, &now->sampled, &then->sampled, sizeof(d->sampled));
	d->loops_handed_out = now->loops_handed_out;
	d->drained = now->drained - then->drained;
	d->missed = now->missed - then->missed;
	d->cost_ns = now->cost_ns - then->cost_ns;
	d->cost_runs = now->cost_runs - then->cost_runs;
	d->cost_exchanges = now->cost_exchanges - then->cost_exchanges;
	err = loops_since(d, now, then);
	err = err ? err : eventpolls_since(d, now, then);
	return err ? err : listeners_since(d, now, then);
}
