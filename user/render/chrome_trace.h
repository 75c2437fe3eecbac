/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * chrome_trace.h - a watch as a timeline: trace-event JSON, as Perfetto and speedscope read it.
 *
 * A track for each thread: its turns ("X"), in them what it was off the CPU for ("B", "E"),
 * "blocked: KIND" and then "runnable". Exchanges are asynchronous slices ("b", "e") with their stages
 * inside; their id is that of the connection and their number in it. Who ended a wait for a futex or
 * a pipe is tied to it by a flow ("s", "f"); other wake-ups come from interrupts, in whatever thread
 * these hit, and get none.
 *
 * Times are microseconds of CLOCK_MONOTONIC with three decimals. Written as records come, in any
 * order, and bounded: what comes after the limit is counted. Write errors stay in the FILE.
 */
#ifndef EPOLLSCOPE_CHROME_TRACE_H
#define EPOLLSCOPE_CHROME_TRACE_H

#include <stdio.h>

#include "model/model.h"

#define CHROME_TRACE_LIMIT (2u << 20)	/* records; some 500 bytes each */

struct chrome_trace;

/* limit 0 is CHROME_TRACE_LIMIT. NULL when out of memory. out stays the caller's. */
struct chrome_trace *chrome_trace_new(FILE *out, uint64_t limit);

void chrome_trace_turn(struct chrome_trace *t, const struct ev_turn *e);
void chrome_trace_offcpu(struct chrome_trace *t, const struct ev_offcpu *e);
void chrome_trace_exchange(struct chrome_trace *t, const struct ev_exchange *e);

/* Ends the document and frees; NULL is fine. Returns how many records were left out. */
uint64_t chrome_trace_end(struct chrome_trace *t, int64_t realtime_offset_ns, uint64_t lost_events);

#endif
