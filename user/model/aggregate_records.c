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
#include "bpf/stages.h"

static void hist_add(struct hist *h, uint64_t ns)
{
	h->bucket[hist_bucket(ns)]++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
}

static unsigned stages_had(const struct ev_exchange *e)
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

static void add_split(struct counters *n, unsigned split, uint64_t stage_ns,
		      const struct split *off)
{
	n->split_ns[split] += stage_ns;
	if (!off)
		return;
	n->split[split].runnable_ns += off[split].runnable_ns;
	n->split[split].blocked_ns += off[split].blocked_ns;
}

static void add_aside(struct counters *n, uint32_t flags, const struct aside *aside)
{
	n->aside.others_ns += aside->others_ns;
	n->aside.idle_ns += aside->idle_ns;
	n->aside.upstream_ns += aside->upstream_ns;
	if (!(flags & EXCHANGE_UNARMED))
		return;
	n->unarmed++;
	n->aside.unarmed_ns += aside->unarmed_ns;
	/* That much of its busy time is known, whatever the rest was. */
	if (!(flags & EXCHANGE_SPLIT_BUSY))
		n->split_ns[SPLIT_BUSY] += aside->unarmed_ns;
}

/* `off`: time off the CPU, of stages that the flags say were split; NULL: none. */
static void add_flags(struct counters *n, uint32_t flags, const __u64 *stage_ns,
		      const struct split *off)
{
	if (flags & EXCHANGE_SPLIT_BUSY)
		add_split(n, SPLIT_BUSY, stage_ns[STAGE_BUSY], off);
	if (flags & EXCHANGE_SPLIT_DISPATCH)
		add_split(n, SPLIT_DISPATCH, stage_ns[STAGE_DISPATCH], off);
	if (flags & EXCHANGE_SPLIT_SERVICE)
		add_split(n, SPLIT_SERVICE, stage_ns[STAGE_SERVICE], off);
	n->clamped += (flags & EXCHANGE_CLAMPED) != 0;
	n->estimated += (flags & EXCHANGE_ESTIMATED) != 0;
	n->async += (flags & EXCHANGE_ASYNC) != 0;
	n->handoff += (flags & EXCHANGE_HANDOFF) != 0;
	n->merged += (flags & EXCHANGE_MERGED) != 0;
	n->no_wait += (flags & EXCHANGE_NO_WAIT) != 0;
}

static void add_stages(struct ledger_set *set, uint64_t latency_ns, unsigned present,
		       const __u64 *stage_ns)
{
	__u64 *shares = set->stage_ns[hist_bucket(latency_ns)];

	hist_add(&set->latency, latency_ns);
	for (; present; present &= present - 1) {
		unsigned stage = (unsigned)__builtin_ctz(present);

		hist_add(&set->stage[stage], stage_ns[stage]);
		shares[stage] += stage_ns[stage];
	}
}

void aggregate_add_exchange(struct aggregate *a, const struct ev_exchange *e)
{
	add_stages(&a->ledger, e->latency_ns, stages_had(e), e->stage_ns);
	add_flags(&a->counters, e->flags, e->stage_ns, e->split);
	add_aside(&a->counters, e->flags, &e->aside);
}

/* Without an exchange and an answer in between, whose making takes as long as this. */
void aggregate_add_record(struct aggregate *a, const struct ev_record *r)
{
	bool is_long = r->head.size > RECORD_SHORT;
	struct ledger l;

	stages_of(&l, r, is_long ? r->accepted_ns : 0);
	add_stages(&a->ledger, l.latency_ns, l.present, l.stage_ns);
	add_flags(&a->counters, l.flags, l.stage_ns, is_long ? r->split : NULL);
	if (is_long)
		add_aside(&a->counters, l.flags, &r->aside);
	if (!r->prev_sends)
		return;
	hist_add(&a->ledger.send, r->prev_send_ns);
	if (r->prev_deliver_ns != ~0ULL)
		hist_add(&a->ledger.deliver, r->prev_deliver_ns);
	aggregate_add_sends(a, r->prev_sends, r->prev_bytes_out, r->prev_send_ns);
}

void aggregate_add_answer(struct aggregate *a, const struct ev_answer *answer)
{
	hist_add(&a->ledger.send, answer->send_ns);
	if (answer->flags & ANSWER_DELIVERED)
		hist_add(&a->ledger.deliver, answer->deliver_ns);
}

void aggregate_add_overlapping(struct aggregate *a, uint64_t ns)
{
	hist_add(&a->hists[H_OVERLAPPING], ns);
}

void aggregate_add_sends(struct aggregate *a, uint32_t sends, uint32_t bytes, uint64_t send_ns)
{
	struct counters *n = &a->counters;

	n->answers++;
	n->answer_sends += sends;
	if (sends <= SMALL_SENDS)
		return;
	if (send_ns >= (sends - 1) * SMALL_GAP_NS)
		n->answers_streamed++;
	else
		n->answers_small += bytes / sends < SMALL_BYTES;
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
	hist_sum(&to->hists[H_OVERLAPPING], &from->hists[H_OVERLAPPING]);
	sum_words(&to->sampled, &from->sampled, sizeof(to->sampled));
}
