/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * faults.h - what can be made to go wrong, and how often.
 *
 * A fault strikes where all conditions of its rule hold: every so many times that it could, with a
 * probability, on every so many connections of a loop. Append only: the position is the bit in the
 * truth file.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum fault {
	FAULT_CPU, FAULT_SLEEP, FAULT_FSYNC, FAULT_LOCK, FAULT_ACCEPT_ONE, FAULT_ACCEPT_PAUSE,
	FAULT_UNDRAINED, FAULT_CTL_MOD, FAULT_OUT_ARMED, FAULT_HERD, FAULT_UNBALANCED,
	FAULT_SMALL_WRITES, FAULT_NEVER_CLOSE, FAULT_SPIN, FAULT_MAXEVENTS, FAULT_OTHER_THREAD,
	FAULT_SLOW_DRAIN, FAULT_HASH, FAULT_SORT, FAULTS
};

#define FAULT_BIT(f) (1u << (f))

struct fault_rule {
	bool on;
	uint64_t amount;	/* ns, bytes or a count: see the table */
	uint64_t every;		/* 1: each time */
	uint64_t conn;		/* each so many connections; 1: all */
	double p;
};

/* Of one loop. */
struct fault_state {
	const struct fault_rule *rules;
	uint64_t seen[FAULTS];
	uint64_t random;
	bool any;		/* some fault is on */
	FILE *scratch;		/* fault fsync; NULL until it strikes */
};

/* NAME[=AMOUNT][,every=N][,p=P][,conn=N] into rules[FAULTS]; false: no such fault or value. */
bool fault_parse(const char *text, struct fault_rule *rules);
void fault_list(FILE *out);
/* rules[FAULTS] stay the caller's; random is the seed of faults by probability. */
void faults_open(struct fault_state *s, const struct fault_rule *rules, uint64_t random);
/* Whether it strikes now; serial counts the connections of the loop from 1. */
bool fault_strikes(struct fault_state *s, enum fault f, uint32_t serial);
/* The same for all faults of a mask of bits; returns the bits of those that strike. */
uint32_t faults_strike(struct fault_state *s, uint32_t mask, uint32_t serial);

#endif
