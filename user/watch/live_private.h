/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live_private.h - struct live: live.c begins and ends it, live_tick.c does its regular work. */
#ifndef EPOLLSCOPE_LIVE_PRIVATE_H
#define EPOLLSCOPE_LIVE_PRIVATE_H

#include "kernel/session.h"
#include "stream/doubt.h"
#include "stream/known.h"
#include "stream/stream.h"
#include "stream/tail.h"
#include "symbols/stack_names.h"
#include "target/alive.h"
#include "watch/governor.h"
#include "watch/live.h"

#define HOUSEKEEPING_EVERY_NS	1000000000ULL

/* Windows of system calls. */
struct live_windows {
	bool on, open;
	bool shed;		/* for now there are none, to be cheaper */
	uint64_t from_ns;	/* when the next begins, or the one that is open began */
	uint64_t early_ns;	/* the hooks are to be there so long before */
	uint64_t begun[SC_COUNT];	/* calls so far when it opened */
	uint64_t looked_ns;	/* watched_ns is right up to then */
	uint64_t random;
};

/* What a process of the target had used at the last look. */
struct process_cpu {
	uint32_t pid;
	uint64_t ns;
};

/* Our own cost, measured, and what follows from it. r->budget says the same to others. */
struct live_budget {
	struct governor governor;
	uint64_t next_ns;		/* look; 0: there is no budget */
	uint64_t looked_ns;
	uint64_t slice_ns;		/* when the kernel is to count, or has begun to */
	bool in_slice, refused;
	uint64_t slice_from;		/* session_cost_ns() then */
	double bpf_rate;		/* CPU time by time, in the last slice */
	double bpf_ns;			/* so far */
	uint64_t collector_ns;		/* own_cpu_ns() when the watch began */
	uint64_t target_ns;
	struct process_cpu *processes;
	size_t n_processes;
	uint64_t shed_ns[SHED_STEPS];	/* up to when r->budget counts a step that is shed */
	uint64_t shed_exchanges[SHED_STEPS];
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
	struct doubt *doubt;		/* records that may be no exchanges */
	struct aggregate *sums;		/* of the records: what the kernel side has not added up */
	uint32_t beside;		/* exchanges since the last that was given beside the tail */
	struct live_windows windows;
	struct live_budget budget;
	uint32_t shed;			/* SHED_BIT() of what is left out to keep to it */
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

/* What was in doubt is of this kind: a doubt_fn. */
void live_doubt_over(void *ctx, const struct event_head *record, enum traffic_kind kind);

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

/* None from now on, or again. */
void live_windows_shed(struct live *live, bool shed, uint64_t now_ns);

/* A number from 0 to below n, anything but predictable to a load. */
uint64_t live_random(uint64_t *state, uint64_t n);

/* Holds the watch to its budget. */
void live_budget_begin(struct live *live, uint64_t now_ns);
void live_budget_tick(struct live *live, uint64_t now_ns);
void live_budget_end(struct live *live, uint64_t now_ns);

/* Lets go of processes that have ended, and adopts those that the target has by now. */
void live_find_processes(struct live *live);

#endif
