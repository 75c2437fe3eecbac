/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * aggregate_records.c - exchanges added up one by one: those of a live watch, and those of a capture
 * without its sums. What found no room among the records is in the kernel side's sums (ledger_add in
 * bpf/ledger.bpf.c), which add up by the same rules.
 *
 * Of a stage of 0 ns the flags say whether the exchange had it. Captures up to 1.1 of programs before
 * EXCHANGE_ASLEEP lack that flag: there the stages of a thread that slept are had if one of them took
 * time, which is wrong only where every stamp was clamped to one moment.
 */
#include "model/aggregate.h"

static void hist_add(struct hist *h, uint64_t ns)
{
	h->bucket[hist_bucket(ns)]++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
}

static unsigned stages_of(const struct ev_exchange *e)
{
	unsigned present = 1 << STAGE_DISPATCH | 1 << STAGE_SERVICE;
	const __u64 *ns = e->stage_ns;

	if (ns[STAGE_ACCEPT])
		present |= 1 << STAGE_ACCEPT;
	if (ns[STAGE_RECEIVE])
		present |= 1 << STAGE_RECEIVE;
	if (e->flags & (EXCHANGE_MERGED | EXCHANGE_NO_WAIT))
		return present;
	if (e->flags & EXCHANGE_ASLEEP || ns[STAGE_WAKEUP] || ns[STAGE_RUNQUEUE] || ns[STAGE_RETURN])
		return present | 1 << STAGE_WAKEUP | 1 << STAGE_RUNQUEUE | 1 << STAGE_RETURN;
	return present | 1 << STAGE_BUSY;
}

static void add_split(struct counters *n, const struct ev_exchange *e, unsigned split, unsigned stage)
{
	n->split_ns[split] += e->stage_ns[stage];
	n->split[split].runnable_ns += e->split[split].runnable_ns;
	n->split[split].blocked_ns += e->split[split].blocked_ns;
}

void aggregate_add_exchange(struct aggregate *a, const struct ev_exchange *e)
{
	unsigned bucket = hist_bucket(e->latency_ns), present = stages_of(e);
	struct counters *n = &a->counters;

	hist_add(&a->ledger.latency, e->latency_ns);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		if (!(present & 1u << stage))
			continue;
		hist_add(&a->ledger.stage[stage], e->stage_ns[stage]);
		a->ledger.stage_ns[bucket][stage] += e->stage_ns[stage];
	}
	if (e->flags & EXCHANGE_SPLIT_BUSY)
		add_split(n, e, SPLIT_BUSY, STAGE_BUSY);
	if (e->flags & EXCHANGE_SPLIT_DISPATCH)
		add_split(n, e, SPLIT_DISPATCH, STAGE_DISPATCH);
	if (e->flags & EXCHANGE_SPLIT_SERVICE)
		add_split(n, e, SPLIT_SERVICE, STAGE_SERVICE);
	n->clamped += (e->flags & EXCHANGE_CLAMPED) != 0;
	n->async += (e->flags & EXCHANGE_ASYNC) != 0;
	n->handoff += (e->flags & EXCHANGE_HANDOFF) != 0;
	n->merged += (e->flags & EXCHANGE_MERGED) != 0;
	n->no_wait += (e->flags & EXCHANGE_NO_WAIT) != 0;
}

void aggregate_add_answer(struct aggregate *a, const struct ev_answer *answer)
{
	hist_add(&a->ledger.send, answer->send_ns);
	if (answer->flags & ANSWER_DELIVERED)
		hist_add(&a->ledger.deliver, answer->deliver_ns);
}

void aggregate_add_sends(struct aggregate *a, uint32_t sends, uint32_t bytes)
{
	struct counters *n = &a->counters;

	n->answers++;
	n->answer_sends += sends;
	n->answers_small += sends > SMALL_SENDS && bytes / sends < SMALL_BYTES;
}

/* Words of these are all 64 bits wide: sets add up word by word, but for a histogram's maximum. */
static void sum_words(void *sum, const void *set, size_t size)
{
	const __u64 *from = set;
	__u64 *to = sum;

	for (size_t i = 0; i < size / sizeof(*to); i++)
		to[i] += from[i];
}

void aggregate_add_sums(struct aggregate *a, const struct ledger_set *set,
			const struct counters *counters)
{
	struct ledger_set *sum = &a->ledger;

	hist_sum(&sum->latency, &set->latency);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		hist_sum(&sum->stage[stage], &set->stage[stage]);
	hist_sum(&sum->send, &set->send);
	hist_sum(&sum->deliver, &set->deliver);
	sum_words(sum->stage_ns, set->stage_ns, sizeof(sum->stage_ns));
	sum_words(&a->counters, counters, sizeof(a->counters));
}

void aggregate_merge(struct aggregate *to, const struct aggregate *from)
{
	aggregate_add_sums(to, &from->ledger, &from->counters);
	sum_words(&to->sampled, &from->sampled, sizeof(to->sampled));
}
