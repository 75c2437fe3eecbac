/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stats.h - what each loop counts. A loop alone writes its own, others only read.
 */
#ifndef STATS_H
#define STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * open and memory_bytes are of now; memory_at_peak is of when peak_open was reached. Memory is that
 * of connections: their slots, buffers, queues, subscriptions; not what a loop has once, and not
 * push messages under way, which loops share. handed: by the acceptor, to a loop that accepts them.
 */
#define STATS(X) \
	X(open) X(peak_open) X(accepted) X(handed) X(closed) X(resets) \
	X(protocol_errors) X(idle_closed) X(leaked) X(accept_failed) X(exchanges) X(messages) \
	X(bytes_in) X(bytes_out) X(turns) X(events) X(wakeups) X(blocked_sends) \
	X(admitted) X(queued) X(refused) X(delivered) X(dropped) X(memory_bytes) X(memory_at_peak)

struct stats {
#define X(name) _Alignas(8) _Atomic uint64_t name;
	STATS(X)
#undef X
	_Alignas(64) char end[];
};

/* One writer: no locked instruction needed. */
static inline void stat_add(_Atomic uint64_t *s, uint64_t n)
{
	atomic_store_explicit(s, atomic_load_explicit(s, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static inline uint64_t stat_get(const _Atomic uint64_t *s)
{
	return atomic_load_explicit(s, memory_order_relaxed);
}

/* Zeroed, on pages that children share; NULL: no memory. */
struct stats *stats_open(size_t loops);
/*
 * A line of name=value for the sum, and one for each loop if there are several; the acceptor's, if
 * there is one, is behind the loops'.
 */
void stats_print(FILE *out, const struct stats *s, size_t loops, bool acceptor);

/* malloc and free for connections, counted as it is taken, each with what malloc adds to it. */
void *memory_alloc(struct stats *s, size_t bytes);	/* NULL: none */
void memory_free(struct stats *s, void *p);		/* NULL is fine */

#endif
