/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hold_list.h - the longest turns, however many shorter ones pass, each with the call that it was
 * blocked in longest and with what had waited behind it.
 *
 * Pure and bounded: fed with turns, off-CPU intervals and what waited, nearly in the order of time.
 */
#ifndef EPOLLSCOPE_HOLD_LIST_H
#define EPOLLSCOPE_HOLD_LIST_H

#include "model/holds.h"

#define HOLDS_KEPT	256
#define HOLD_THREADS	64	/* whose turn may be under way: their longest blocking is known */

struct hold_block {
	uint32_t tid;
	uint32_t call, kind;
	uint64_t turn, ns;
};

struct hold_list {
	struct hold hold[HOLDS_KEPT];
	size_t n;
	struct hold_block block[HOLD_THREADS];	/* by thread, modulo */
};

void hold_list_turn(struct hold_list *l, const struct ev_turn *t);
void hold_list_offcpu(struct hold_list *l, const struct ev_offcpu *o);
void hold_list_behind(struct hold_list *l, const struct ev_behind *b);
void hold_list_forget(struct hold_list *l, uint64_t before_ns);

#endif
