/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * options.h - the command line: one table gives parsing, help and defaults.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "faults.h"
#include "poller.h"

#include <stdbool.h>
#include <stdint.h>

enum protocol_kind { PROTO_ECHO, PROTO_HTTP, PROTO_PUSH };
enum trigger { TRIGGER_LEVEL, TRIGGER_EDGE, TRIGGER_ONESHOT };
enum share { SHARE_REUSEPORT, SHARE_SHARED, SHARE_EXCLUSIVE, SHARE_HANDOFF };
enum spread { SPREAD_RR, SPREAD_LEAST, SPREAD_WEIGHTED };
enum workers { WORKERS_THREADS, WORKERS_PROCESSES };

#define MAX_LOOPS 63	/* and an acceptor: client ids of push have 6 bits for the loop */

struct config {
	const char *address, *file, *truth;
	int protocol, trigger, share, spread, backend, workers;
	uint64_t port, loops, backlog, maxevents, message_bytes, answer_bytes;
	uint64_t keepalive_s, idle_ms, heartbeat_ms, drain_ms;	/* 0: off, off, off, not at all */
	uint64_t window, push_queue, batch, batch_us;
	uint64_t max_connections, rate, burst, queue;		/* 0: no limit */
	uint64_t truth_records, seed;
	struct fault_rule faults[FAULTS];
};

/* Fills the configuration, or prints help and exits: 0, or 64 for a wrong command line. */
void options_parse(int argc, char **argv, struct config *cfg);

#endif
