/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* config.h - what the command line asks for; read-only once parsed, shared by all threads. */
#ifndef EPOLLLOAD_CONFIG_H
#define EPOLLLOAD_CONFIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define EXIT_USAGE 64
#define TARGETS_MAX 64
#define UNSET UINT32_MAX	/* while it is parsed */

struct protocol;

struct target {
	struct sockaddr_storage address;
	socklen_t len;
};

struct config {
	bool help;			/* is all that is asked for */
	struct target target[TARGETS_MAX];	/* connections take them by turns */
	uint32_t targets;
	char host[280];			/* the first as HOST:PORT */
	const struct protocol *protocol;
	const char *path;		/* HTTP */

	bool closed;			/* closed loop: the next request follows the answer */
	uint64_t rate;			/* open loop: requests a second over all threads */
	uint64_t requests;		/* 0: as many as fit the duration */
	uint64_t duration_ns;		/* 0: until the requests are done */
	uint64_t ramp_ns;		/* until the full rate, or until all connections are busy */
	uint64_t timeout_ns;		/* without any progress */
	uint64_t spin_ns;		/* before a send is due, watch the clock, do not sleep */

	uint32_t connections, threads;
	uint32_t active;		/* the first so many carry requests, the rest stay open */
	uint32_t topics;		/* push: active ones publish to them, others subscribe */
	bool hold;			/* stays connected after the last request until a signal */
	bool announce;			/* says on stderr how far it got */
	uint32_t depth;			/* requests under way on a connection */
	uint32_t size;			/* of a request's payload, bytes */
	bool conn_per_request;

	uint32_t source_first;		/* host order; sources 0: the kernel chooses */
	uint32_t sources;

	uint32_t slow_connections;	/* the first so many are slow */
	uint32_t send_pieces;		/* 1: whole */
	uint64_t send_pause_ns;
	uint32_t read_bytes;		/* 0: no limit */
	uint64_t read_pause_ns;

	const char *truth;		/* file to write; NULL: none (truth.h) */
	bool json, quiet;
	bool has_expect;
	uint64_t expect;		/* answers */

	char error[200];		/* after a failed parse: the line to print */
};

/* The part of n that falls to one of several who take turns, the id-th from 0. */
static inline uint32_t share_of(uint32_t n, uint32_t several, uint32_t id)
{
	return n / several + (id < n % several);
}

/* Fills cfg, defaults included. 0, or -EINVAL with cfg->error set. */
int config_parse(struct config *cfg, int argc, char *const argv[]);

#endif
