/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clocks.c - see clocks.h. */
#include <stdbool.h>
#include <stdlib.h>

#include "explain/clocks.h"

#define MS 1000000ULL

#define CLUSTER_LEAST	10	/* fewer waits make no length */
#define CLUSTER_WIDTH	1.25	/* the longer ones by the shorter ones, at most */

/*
 * A timer is late rather than early: by a tick of the kernel's (up to 10 ms), and by what the thread
 * then waits for its processor.
 */
static const struct clock clocks[] = {
	{ CLOCK_REQUEST, 0, 38 * MS, 51 * MS,
	  "that is a delayed acknowledgement (40 ms). The client's Nagle algorithm keeps the rest of a "
	  "request back until this side acknowledges its beginning",
	  "Set TCP_NODELAY in the client, or have it send a request with one call; TCP_QUICKACK here "
	  "acknowledges at once." },
	{ CLOCK_REQUEST, 0, 198 * MS, 225 * MS,
	  "the client's kernel sends a lost segment again after 200 ms at the earliest, and lets go of "
	  "what TCP_CORK keeps back after 200 ms",
	  "Look for losses on the way from the clients (nstat there: TcpRetransSegs), and for "
	  "TCP_CORK in them." },
	{ CLOCK_REQUEST, 0, 980 * MS, 1050 * MS,
	  "clients that ask with Expect: 100-continue wait so long for a 100 Continue. If these do, "
	  "this server does not send it",
	  "Answer Expect: 100-continue at once, or have the clients leave it out (curl -H 'Expect:')." },
	{ CLOCK_ANSWER_NAGLE, 0, 38 * MS, 51 * MS,
	  "that is the client's delayed acknowledgement (40 ms)", NULL },
	{ CLOCK_TIMED_LOCK, CLOCK_PYTHON, 4900000, 6 * MS,
	  "that is CPython's switch interval. Another thread holds the interpreter's lock and is "
	  "asked for it after 5 ms",
	  "Keep computing threads out of the process, or shorten sys.setswitchinterval()." },
	{ CLOCK_POLL, 0, 4950 * MS, 5100 * MS,
	  "that is how long the C library's resolver waits for a name server that does not answer",
	  "Look at /etc/resolv.conf, and resolve names on another thread." },
	{ CLOCK_CONNECT, 0, 990 * MS, 1080 * MS,
	  "a SYN that nobody answers is sent again after 1 s",
	  "See why the other side drops SYNs (a full accept queue, a packet filter), and connect "
	  "without blocking." },
	{ CLOCK_LOOP, CLOCK_GO, 8 * MS, 14 * MS,
	  "that is how long Go lets a goroutine compute before it takes the processor away", NULL },
};

const struct clock *clock_find(enum clock_place place, const struct cluster *c, unsigned evidence)
{
	if (c->count < CLUSTER_LEAST || (double)c->p90_ns > CLUSTER_WIDTH * (double)c->p10_ns)
		return NULL;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		const struct clock *k = &clocks[i];

		if (k->place == place && c->p50_ns >= k->least_ns && c->p50_ns <= k->most_ns &&
		    (k->needs & evidence) == k->needs)
			return k;
	}
	return NULL;
}

static int ns_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct cluster cluster_of(uint64_t *ns, size_t n)
{
	if (!n)
		return (struct cluster){ 0 };
	qsort(ns, n, sizeof(*ns), ns_order);
	return (struct cluster){
		.count = n, .p10_ns = ns[n / 10], .p50_ns = ns[n / 2], .p90_ns = ns[n - 1 - n / 10],
	};
}
