/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* doctor_cost.h - what watching costs on this host, measured on a target that is at work. */
#ifndef EPOLLSCOPE_DOCTOR_COST_H
#define EPOLLSCOPE_DOCTOR_COST_H

#include <stdio.h>

#include "base/json.h"
#include "cli/options.h"

enum cost_way { COST_BARE, COST_REPORT, COST_STACKS, COST_WAYS };

/*
 * The kernel's own count of our programs' run time, anybody's firings included, over the exchanges
 * of the target in the same time.
 */
struct cost {
	uint64_t bpf_ns;
	uint64_t firings;
	uint64_t exchanges;	/* 0: the target was idle, nothing is known */
};

/*
 * Attaches to o->target three times, for about a second each. EXIT_OK, or an exit status whose
 * line is already printed.
 */
int costs_measure(const struct options *o, struct cost costs[COST_WAYS]);

void costs_print(FILE *out, const struct cost costs[COST_WAYS]);

/* The member "cost"; null for NULL. */
void costs_json(struct json *j, const struct cost *costs);

#endif
