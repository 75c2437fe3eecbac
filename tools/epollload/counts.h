/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * counts.h - what one thread, or the whole run, has seen. Exact:
 *
 *	intended = sent + unsent
 *	sent     = answered + refused + the sum of lost[]
 */
#ifndef EPOLLLOAD_COUNTS_H
#define EPOLLLOAD_COUNTS_H

#include <stdint.h>

#include "histogram.h"

/* Why a request that was sent has no answer. */
enum loss {
	LOST_CONNECT,		/* its own connection failed (a connection per request) */
	LOST_RESET,		/* the connection was reset or broke */
	LOST_CLOSED,		/* the server closed it */
	LOST_TIMEOUT,		/* no progress on the connection */
	LOST_GARBLED,		/* what came was no answer; later ones on the connection too */
	LOST_STOPPED,		/* under way when the run was interrupted */
	LOSSES
};

/* Why a connection could not be opened. */
enum refusal {
	FAILED_REFUSED,
	FAILED_TIMEOUT,
	FAILED_NO_PORT,		/* no free port at this source address */
	FAILED_NO_FILE,		/* too many open files */
	FAILED_OTHER,
	REFUSALS
};

struct counts {
	uint64_t sent, unsent, answered, refused;
	uint64_t held;		/* sent late because no connection had room */
	uint64_t lost[LOSSES];
	uint64_t opened, closed_by_peer, failed[REFUSALS];
	uint64_t kept;		/* connections that were open at the end */
	uint64_t bytes_sent, bytes_received;
	uint64_t last_sent_ns, last_answer_ns;	/* clock times; 0 if none */
	struct hist latency;	/* of answered ones, from the intended time */
	struct hist send_error;	/* of sent ones: actual minus intended time */
	struct hist own_error;	/* the same of those that were not held: our own fault */
	struct hist connect;	/* until established */
	uint64_t to_deliver;	/* topics: sum over published messages of their subscribers */
	uint64_t delivered;	/* of these */
	struct hist delivery;	/* from the publication's intended time */
};

/* What comes of a run. */
struct result {
	struct counts counts;
	uint64_t start_ns, end_ns;	/* clock times: first request due, no request left */
	int fatal;		/* errno that kept the run from starting; 0: it ran */
};

#endif
