/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tail.c - which exchanges are the slow 1 %. */
#include "stream/tail.h"

static uint64_t window_of(const struct tail *t)
{
	return t->window_ns ? t->window_ns : TAIL_WINDOW_NS;
}

static void advance(struct tail *t, const struct hist *total, uint64_t now_ns)
{
	const uint64_t slot_len = window_of(t) / TAIL_SLOTS;

	if (!t->slot_ns)
		t->slot_ns = now_ns;
	while (now_ns - t->slot_ns >= slot_len) {
		t->slot = (t->slot + 1) % TAIL_SLOTS;
		t->then[t->slot] = *total;
		t->slot_ns += slot_len;
	}
}

uint64_t tail_threshold(struct tail *t, const struct hist *total, uint64_t now_ns)
{
	const struct hist *oldest;
	struct hist window = { 0 };

	advance(t, total, now_ns);
	oldest = &t->then[(t->slot + 1) % TAIL_SLOTS];
	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		window.bucket[b] = total->bucket[b] - oldest->bucket[b];
	return hist_count(&window) < TAIL_MIN_SAMPLES ? 0 : hist_slowest_ns(&window, 1);
}

void tail_judge_see(struct tail_judge *j, uint64_t latency_ns)
{
	j->seen.bucket[hist_bucket(latency_ns)]++;
}

void tail_judge_tick(struct tail_judge *j, uint64_t now_ns)
{
	struct tail *t = &j->tail;
	uint64_t threshold_ns;

	if (now_ns < j->next_ns || now_ns < t->slot_ns)
		return;
	if (t->slot_ns && now_ns - t->slot_ns > 2 * window_of(t)) {
		/* Nobody was recording for so long: the window begins anew. */
		for (unsigned i = 0; i < TAIL_SLOTS; i++)
			t->then[i] = j->seen;
		t->slot_ns = now_ns;
	}
	threshold_ns = tail_threshold(t, &j->seen, now_ns);
	/* Until there is a P99, everything is printed: look again at once. */
	j->next_ns = threshold_ns ? now_ns + TAIL_EVERY_NS : now_ns;
	if (threshold_ns == j->past[j->newest].threshold_ns)
		return;
	j->newest = (j->newest + 1) % TAIL_PAST;
	j->past[j->newest].since_ns = now_ns;
	j->past[j->newest].threshold_ns = threshold_ns;
}

uint64_t tail_judge_threshold(const struct tail_judge *j, uint64_t at_ns)
{
	unsigned i = j->newest;

	for (unsigned n = 1; n < TAIL_PAST && j->past[i].since_ns > at_ns; n++)
		i = (i + TAIL_PAST - 1) % TAIL_PAST;
	return j->past[i].threshold_ns;
}
