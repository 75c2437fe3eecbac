/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* budget.c - the words for what a budget left out, and its shares. */
#include <math.h>

#include "model/budget.h"

const char *shed_name(unsigned step)
{
	static const char *const names[SHED_STEPS] = {
		[SHED_STACKS] = "stacks",
		[SHED_RECORDS] = "records",
		[SHED_WINDOWS] = "syscall_windows",
		[SHED_SPLITS] = "splits",
	};

	return step < SHED_STEPS ? names[step] : "?";
}

const char *shed_words(unsigned step)
{
	static const char *const words[SHED_STEPS] = {
		[SHED_STACKS] = "stacks",
		[SHED_RECORDS] = "single exchanges, turns and off-CPU intervals",
		[SHED_WINDOWS] = "windows of system calls",
		[SHED_SPLITS] = "on-CPU, runnable and blocked time of stages",
	};

	return step < SHED_STEPS ? words[step] : "?";
}

void shed_since(struct shed_info since[SHED_STEPS], const struct budget_info *now,
		const struct budget_info *then)
{
	for (unsigned step = 0; step < SHED_STEPS; step++) {
		since[step] = now->shed[step];
		since[step].ns -= then->shed[step].ns;
		since[step].exchanges -= then->shed[step].exchanges;
	}
}

double budget_measured(const struct budget_info *b)
{
	return b->target_ns ? (double)b->own_ns / (double)b->target_ns : NAN;
}

double shed_share(const struct shed_info *s, uint64_t ns, uint64_t exchanges)
{
	double time = ns ? (double)s->ns / (double)ns : 0;
	double part = exchanges ? (double)s->exchanges / (double)exchanges : 0;

	return time > part ? time : part;
}
