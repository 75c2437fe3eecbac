/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * known.h - the threads and connections that exchanges speak of: names and addresses come once, before
 * the records that need them.
 *
 * Bounded: what comes beyond KNOWN_MAX of each kind stays without a name.
 */
#ifndef EPOLLSCOPE_KNOWN_H
#define EPOLLSCOPE_KNOWN_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/hist.h"
#include "bpf/events.h"

#define KNOWN_MAX (1u << 20)

struct known;

struct known *known_new(void);	/* NULL when out of memory */
void known_free(struct known *k);	/* NULL is fine */

void known_conn(struct known *k, const struct ev_conn *c);
void known_thread(struct known *k, const struct ev_thread *t);

/* The connection is closed: forgotten at the next known_settle(), for its records may still come. */
void known_close(struct known *k, __u64 conn);
void known_settle(struct known *k);

/* The address of a connection; false if nobody told it. */
bool known_flow(const struct known *k, __u64 conn, struct flow *flow);

/* Those that the next known_settle() forgets. */
void known_closed(const struct known *k, void (*fn)(void *ctx, __u64 conn), void *ctx);

/* Fills in comm and flow; what is not known stays zero. */
void known_name(const struct known *k, struct ev_exchange *x);

#endif
