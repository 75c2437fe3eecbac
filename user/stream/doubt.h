/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * doubt.h - exchanges of connections of which is not known yet what they carry: held back until the kernel
 * side has judged (EV_KIND), the connection closes or the doubt has lasted long enough.
 *
 * A pure state machine: no clock, no I/O, memory fixed at creation. Records of one connection come out
 * in the order in which they went in.
 */
#ifndef EPOLLSCOPE_DOUBT_H
#define EPOLLSCOPE_DOUBT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hist.h"
#include "bpf/events.h"

#define DOUBT_CAPACITY	4096
#define DOUBT_NS	(10000ULL * 1000000)

struct doubt;

/* A record that was held, ev_record or ev_answer, and what its connection turned out to be. */
typedef void (*doubt_fn)(void *ctx, const struct event_head *record, enum traffic_kind kind);

/* NULL when out of memory or the capacity is 0. */
struct doubt *doubt_new(size_t capacity, uint64_t wait_ns, doubt_fn fn, void *ctx);
void doubt_free(struct doubt *d);	/* gives nothing back; NULL is fine */

/* Holds a record, or gives it back at once: a judgement that is as new as it is known. */
void doubt_record(struct doubt *d, const struct ev_record *r);

/* The same of an answer, if its exchange is held; false: it is not. */
bool doubt_answer(struct doubt *d, const struct ev_answer *answer);

/* Time is that of the events: a judgement is for what is not younger. */
void doubt_judged(struct doubt *d, const struct ev_kind *k);

/* No sign will come any more: what is held is request-response. */
void doubt_close(struct doubt *d, uint64_t conn);
void doubt_tick(struct doubt *d, uint64_t now_ns);
void doubt_flush(struct doubt *d);

size_t doubt_held(const struct doubt *d);

#endif
