/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * budget.h - what a watch was allowed to cost (--budget), what it cost, and what it left out to keep
 * to that: plain data, the same from a live watch and from a capture.
 */
#ifndef EPOLLSCOPE_BUDGET_H
#define EPOLLSCOPE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* What is left out, in this order; it comes back in the opposite one. Counts and latency stay. */
enum shed_step {
	SHED_STACKS,	/* samples, and stacks of off-CPU intervals */
	SHED_RECORDS,	/* of single exchanges, turns, off-CPU intervals: sums alone are kept */
	SHED_WINDOWS,	/* of system calls */
	SHED_SPLITS,	/* stages by on the CPU, runnable, blocked; kinds of blocking; wakers */
	SHED_STEPS,
};

#define SHED_BIT(step) (1u << (step))

struct shed_info {
	uint64_t times;
	uint64_t ns;		/* altogether */
	uint64_t first_ns;	/* when it was shed for the first time, CLOCK_MONOTONIC; 0: never */
	uint64_t back_ns;	/* when it last came back; 0: never, or it is shed now */
	uint64_t exchanges;	/* that ended meanwhile */
};

struct budget_info {
	double share;		/* of the target's CPU time; 0: there is no budget */
	uint64_t own_ns;	/* CPU time of the collector and, if they are known, of the programs */
	uint64_t target_ns;	/* CPU time of the target meanwhile */
	bool bpf_known;		/* the kernel told what the programs take */
	struct shed_info shed[SHED_STEPS];
};

/* "stacks", "records", "syscall_windows", "splits"; what that is, as the end of a sentence. */
const char *shed_name(unsigned step);
const char *shed_words(unsigned step);

/* What was shed between two looks at one watch. */
void shed_since(struct shed_info since[SHED_STEPS], const struct budget_info *now,
		const struct budget_info *then);

/* Our CPU time by the target's; NAN if there was none. */
double budget_measured(const struct budget_info *b);

/* The share of so many ns, or of so many exchanges, for which this was shed: the larger one. */
double shed_share(const struct shed_info *s, uint64_t ns, uint64_t exchanges);

#endif
