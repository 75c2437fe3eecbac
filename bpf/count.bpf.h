/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * count.bpf.h - histograms, counters and the ring: the ways out of the kernel side.
 *
 * Plain adds are for hooks that run in a task's context only. Anything that softirq may interrupt
 * or run itself uses the _shared forms, which are atomic. A histogram takes one kind or the other.
 */
#ifndef EPOLLSCOPE_COUNT_H
#define EPOLLSCOPE_COUNT_H

#include "maps.bpf.h"

#define INLINE static __always_inline

INLINE __u32 cpu_set(void)
{
	return bpf_get_smp_processor_id() & (cfg_sets - 1);
}

INLINE struct counters *counters(void)
{
	__u32 set = cpu_set();

	return bpf_map_lookup_elem(&counter_sets, &set);
}

INLINE struct cpu_words *words_of_cpu(void)
{
	return &cpu_words[bpf_get_smp_processor_id() & (CPU_SLOTS - 1)];
}

INLINE void add_shared(__u64 *word, __u64 n)
{
	__sync_fetch_and_add(word, n);
}

INLINE void add(__u64 *word, __u64 n)
{
	if (cfg_atomic)
		add_shared(word, n);
	else
		*word += n;
}

/* words[i] += n with the bound where the verifier sees it: on the register that indexes. */
#define ADD_AT(words, i, n) do {				\
	__u64 __i = (i);					\
	barrier_var(__i);					\
	if (__i < sizeof(words) / sizeof((words)[0]))		\
		add_shared(&(words)[__i], n);			\
} while (0)

#define COUNT(field) do {					\
	struct counters *__c = counters();			\
	if (__c)						\
		add_shared(&__c->field, 1);			\
} while (0)

/* v, whose bucket is b. */
INLINE void hist_put_at(struct hist *h, __u32 b, __u64 v, bool shared)
{
	if (b >= HIST_BUCKETS)
		return;
	if (shared || cfg_atomic) {
		add_shared(&h->bucket[b], 1);
		add_shared(&h->sum, v);
	} else {
		h->bucket[b]++;
		h->sum += v;
	}
	if (v > h->max)
		h->max = v;
}

INLINE void hist_put(struct hist *h, __u64 v, bool shared)
{
	hist_put_at(h, hist_bucket(v), v, shared);
}

INLINE struct hist *hist_of(__u32 id)
{
	__u32 key = cpu_set() * H_MAX + id;

	return bpf_map_lookup_elem(&hists, &key);
}

INLINE void hist_add(__u32 id, __u64 v)
{
	struct hist *h = hist_of(id);

	if (h)
		hist_put(h, v, false);
}

INLINE void hist_add_shared(__u32 id, __u64 v)
{
	struct hist *h = hist_of(id);

	if (h)
		hist_put(h, v, true);
}

/* end - start; an end before its start is counted and gives 0. */
INLINE __u64 elapsed(__u64 start_ns, __u64 end_ns)
{
	if (end_ns >= start_ns)
		return end_ns - start_ns;
	COUNT(clock);
	return 0;
}

/*
 * Room for a record in this processor's ring, or NULL (counted). The reader polls: no wake-up. Test
 * the result at once: with code between, Linux 6.1 takes the second test for a leak.
 */
INLINE void *event_reserve(__u64 size, __u16 kind, __u64 now)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct event_head *head = NULL;
	void *ring;

	ring = bpf_map_lookup_elem(&rings, &cpu);
	if (ring)
		head = bpf_ringbuf_reserve(ring, size, 0);
	if (!head) {
		COUNT(ring_lost);
		return NULL;
	}
	head->size = size;
	head->kind = kind;
	head->cpu = cpu;
	head->time_ns = now;
	return head;
}

INLINE void event_submit(void *event)
{
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	COUNT(ring_sent);
}

#endif
