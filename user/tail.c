// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* tail.c - which exchanges are the slow 1 %. */
#include "tail.h"

static void advance(struct tail *t, const struct hist *total, uint64_t now_ns)
{
	const uint64_t slot_len = TAIL_WINDOW_NS / TAIL_SLOTS;

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
	uint64_t count = 0, above = 0;

	advance(t, total, now_ns);
	oldest = &t->then[(t->slot + 1) % TAIL_SLOTS];
	for (unsigned b = 0; b < HIST_BUCKETS; b++)
		count += total->bucket[b] - oldest->bucket[b];
	if (count < TAIL_MIN_SAMPLES)
		return 0;
	for (unsigned b = HIST_BUCKETS; b-- > 0;) {
		above += total->bucket[b] - oldest->bucket[b];
		if (above * 100 >= count)
			return b ? hist_bucket_upper(b - 1) + 1 : 0;
	}
	return 0;
}
