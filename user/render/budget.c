/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* budget.c - sentences on what a watch was allowed to cost, and on what it left out for that. */
#include <math.h>

#include "render/render.h"

bool budget_sentence(const struct budget_info *b, char *text, size_t len)
{
	double measured = budget_measured(b);
	bool any = false;

	if (!(b->share > 0))
		return false;
	for (unsigned step = 0; step < SHED_STEPS; step++)
		any |= b->shed[step].times > 0;
	snprintf(text, len, "%s of the target's CPU time; watching took %s%s%s.",
		 format_share(b->share).s, isfinite(measured) ? format_share(measured).s : "-",
		 b->bpf_known ? "" : " (the collector alone: the kernel did not count its part)",
		 any ? "" : "; nothing was left out");
	return true;
}

bool shed_sentence(const struct budget_info *b, unsigned step, int64_t realtime_offset_ns,
		   char *text, size_t len)
{
	const uint64_t offset = (uint64_t)realtime_offset_ns;
	const struct shed_info *s = &b->shed[step];
	char times[96] = "", back[96] = "not back at the end";

	if (!s->times)
		return false;
	if (s->times > 1)
		snprintf(times, sizeof(times), " in %s times", format_count(s->times).s);
	if (s->back_ns)
		snprintf(back, sizeof(back), "back at %s", format_clock(s->back_ns + offset, 3).s);
	snprintf(text, len, "Left out to be cheaper: %s, for %s%s, from %s on, %s; %s exchanges "
		 "ended meanwhile.", shed_words(step), format_ns(s->ns).s, times,
		 format_clock(s->first_ns + offset, 3).s, back, format_count(s->exchanges).s);
	return true;
}
