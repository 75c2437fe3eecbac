/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live_private.h - struct live: live.c begins and ends it, live_tick.c does its regular work. */
#ifndef EPOLLSCOPE_LIVE_PRIVATE_H
#define EPOLLSCOPE_LIVE_PRIVATE_H

#include "kernel/session.h"
#include "stream/known.h"
#include "stream/stream.h"
#include "stream/tail.h"
#include "symbols/stack_names.h"
#include "target/alive.h"
#include "watch/live.h"

#define HOUSEKEEPING_EVERY_NS	1000000000ULL

/* Windows of system calls: one in each slot of time, anywhere in it. */
struct live_windows {
	bool on, open;
	uint64_t slot_ns;	/* the slot whose window is due, or open */
	uint64_t from_ns;	/* when that begins, or began */
	uint64_t begun[SC_COUNT];	/* calls so far when it opened */
	uint64_t looked_ns;	/* watched_ns is right up to then */
	uint64_t random;
};

struct live {
	struct live_config config;
	struct sinks sinks;		/* the owner's and ours */
	struct sink follower;		/* ours: processes and stacks that records speak of */
	struct needs needs;		/* of the owner's */
	struct watch_result *r;
	struct session *session;
	struct stream *stream;
	struct known *known;		/* names for the records */
	struct aggregate *sums;		/* of the records: what the kernel side has not added up */
	uint32_t beside;		/* exchanges since the last that was given beside the tail */
	struct live_windows windows;
	struct tail tail;
	struct alive alive;
	struct {
		uint32_t *tids;		/* threads that were at work, and not in a wait, at the attach */
		size_t n, room;
	} holds;
	struct stack_names *stacks;	/* NULL: none are taken */
	uint64_t tail_ns;		/* the threshold; 0: every exchange */
	uint64_t tail_sum_ns;		/* latency of all exchanges, at the last look */
	uint64_t next_tail_ns, next_house_ns, last_flush_ns;
	uint64_t next_slice_ns;		/* when our own cost is measured again */
	uint64_t slice_ns;		/* when the slice began; 0: none */
	uint64_t slice_seen, last_seen;	/* exchanges then, and at the last look */
	uint64_t next_forget_ns;
	bool ended;			/* processes of the target have, since the last time */
};

/* Feeds the stream with what the rings hold. How many records that was. */
long live_drain(struct live *live);

/* The latency of all exchanges so far. */
void live_latency(const struct live *live, struct hist *latency);

/* Gives that to the sinks that ask for it. */
void live_give_latency(struct live *live, uint64_t now_ns);

/* Opens and closes windows of system calls, as time passes. */
void live_windows_begin(struct live *live, uint64_t now_ns);
void live_windows_tick(struct live *live, uint64_t now_ns);
void live_windows_end(struct live *live, uint64_t now_ns);

/* Who is at work at the attach; after it. */
void live_holds_begin(struct live *live);

/* Names the connection of a turn; false: it is no turn of a loop after all. */
bool live_holds_turn(const struct live *live, struct ev_turn *turn);

/* Feeds the stream with the turns that have not ended: the hooks are silent, end_ns is known. */
void live_holds_end(struct live *live);

/* Lets go of processes that have ended, and adopts those that the target has by now. */
void live_find_processes(struct live *live);

#endif
