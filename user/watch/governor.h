/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * governor.h - when a watch leaves something out to keep to its budget, and when that comes back.
 *
 *            over the budget for GOVERNOR_OVER_NS, or for one look at twice the budget
 *   step n shed ------------------------------------------------------------> step n + 1 shed
 *               <------------------------------------------------------------
 *            room for what the step cost when it was shed, for wait_ns without a break
 *
 * Pure: fed with the time and with CPU time used so far, it says what is to be shed. What was measured
 * before a change says nothing of the time after it: each begins a new sliding period. The wait doubles
 * each time that what came back had to go again at once, so that a watch at its limit does not swing.
 */
#ifndef EPOLLSCOPE_GOVERNOR_H
#define EPOLLSCOPE_GOVERNOR_H

#include "model/budget.h"

#define GOVERNOR_EVERY_NS	1000000000ULL	/* between two looks */
#define GOVERNOR_PERIOD		5		/* looks that are averaged, at most */
#define GOVERNOR_OVER_NS	2000000000ULL
#define GOVERNOR_WAIT_NS	10000000000ULL	/* the shortest, */
#define GOVERNOR_WAIT_MAX_NS	320000000000ULL	/* and the longest */
#define GOVERNOR_ROOM		0.9		/* of the budget may be used by what has come back */

/*
 * A target that is nearly idle is taken for one that uses this share of a processor: our clock ticks
 * cost what they cost, and to shed what is not used saves nothing.
 */
#define GOVERNOR_LEAST_TARGET	0.25

struct governor_look {
	uint64_t now_ns, own_ns, target_ns;
};

/* Zeroed but for the first two. */
struct governor {
	double share;		/* the budget */
	uint32_t steps;		/* SHED_BIT() of those that the watch has at all */

	uint32_t shed;		/* SHED_BIT() of those that are shed: always the first of `steps` */
	struct governor_look look[GOVERNOR_PERIOD + 1];	/* since the last change; the oldest first */
	unsigned n_looks;
	double saved[SHED_STEPS];	/* by the step, of the target's CPU time */
	double before;		/* the share at which the last was shed; 0: what it saves is known */
	uint64_t room_ns;	/* since when there is room; 0: there is none */
	uint64_t back_ns;	/* when a step last came back; 0: never */
	uint64_t wait_ns;	/* how long there has to be room */
};

/* Our own and the target's CPU time so far. What is to be shed from now on. */
uint32_t governor_feed(struct governor *g, uint64_t now_ns, uint64_t own_ns, uint64_t target_ns);

#endif
