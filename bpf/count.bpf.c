// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* count.bpf.c - one value into one of this processor's histograms. */
#include "count.h"

INLINE struct hist *hist_of(__u32 id)
{
	__u32 key = cpu_set() * H_MAX + id;

	return bpf_map_lookup_elem(&hists, &key);
}

__noinline int hist_add(__u32 id, __u64 v)
{
	struct hist *h = hist_of(id);

	if (h)
		hist_put(h, v, false);
	return 0;
}

__noinline int hist_add_shared(__u32 id, __u64 v)
{
	struct hist *h = hist_of(id);

	if (h)
		hist_put(h, v, true);
	return 0;
}

__noinline int bucket_of(__u64 v)
{
	return hist_bucket(v);
}
