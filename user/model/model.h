/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model.h - everything a report says, as plain data: what aggregate fills and render prints.
 *
 * All times in nanoseconds. Strings are raw bytes from the kernel or /proc (a renderer escapes
 * them); they are terminated here. Arrays are owned by the report: report_free() releases them.
 */
#ifndef EPOLLSCOPE_MODEL_H
#define EPOLLSCOPE_MODEL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hist.h"
#include "bpf/events.h"
#include "bpf/syscalls.h"
#include "model/budget.h"
#include "model/holds.h"

/* A distribution. Percentiles are bucket upper bounds, never above max; all 0 when count is 0. */
struct dist {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t p50_ns, p90_ns, p99_ns, p999_ns;
	uint64_t max_ns;
};

struct target_info {
	uint32_t pid;
	char comm[COMM_LEN + 1];
	char exe[256];	/* "" when /proc would not tell */
};

struct stage_info {
	struct dist dist;
	double tail_share;	/* of the time of the exchanges at or above the P99; sums to 1 */
	bool has_split;		/* busy, dispatch, service */
	uint64_t split_ns;	/* time that could be split: the sum of the following */
	uint64_t oncpu_ns, runnable_ns, blocked_ns;
	uint64_t others_ns, idle_ns;	/* service: see struct aside */
	uint64_t unarmed_ns;		/* busy */
};

struct syscall_info {
	const char *name;
	struct dist dist;
	uint64_t errors;	/* without EAGAIN */
	uint64_t eagain;
	/* Of a call that was seen in windows: count, sum_ns, errors and eagain are estimates. */
	uint64_t windows;	/* 0: every call was seen */
	double sampled;		/* share of the time */
	uint32_t error_known;
	double error;		/* of the count: relative standard error */
};

struct loop_info {
	uint32_t pid, tid;
	char comm[COMM_LEN + 1];
	uint64_t turns, events, wakeups, exchanges, accepts;
	double busy_share;	/* of the time between its first and last wait: 0..1 */
	struct dist turn, wait;
};

/* One eventpoll: several threads may wait on it, one thread on several. */
struct eventpoll_info {
	uint64_t id;		/* opaque; the same for as long as it lives */
	uint32_t pid;
	uint64_t returns, events, wait_ns;
	uint32_t shared;	/* several threads wait on it */
};

struct waker_info {
	char comm[COMM_LEN + 1];
	uint64_t count;
};

struct listener_info {
	uint16_t port;
	uint32_t backlog, backlog_max, limit;
	uint64_t queued, accepted;
};

/* What the connections of one kind did. */
struct traffic_info {
	uint64_t connections;	/* that are of this kind, or were at their close */
	uint64_t exchanges;	/* of overlapping ones: a read and the next send */
	uint64_t bytes_in, bytes_out;
	struct dist latency;	/* none of one-way ones */
	uint64_t protocols[PROTOCOL_COUNT];	/* connections by enum protocol */
};

/* A slow exchange, with its answer when that was seen to its end. */
struct exchange_info {
	struct ev_exchange ex;
	struct ev_answer answer;
	bool has_answer;
};

struct finding;

struct report {
	const char *version;	/* of epollscope */
	char kernel[65];
	char host[65];
	uint64_t start_realtime_ns;	/* wall clock, since the epoch */
	int64_t realtime_offset_ns;	/* wall clock less CLOCK_MONOTONIC */
	uint64_t window_ns;

	struct target_info *targets;
	size_t n_targets;

	struct counters counters;	/* the kernel side's own, most of them shown only by the diagnosis */
	struct dist latency;
	struct stage_info stages[STAGE_COUNT];
	unsigned tail_permille;	/* where the tail begins; 0: at the P99, as 990 */
	uint64_t tail_at_ns;	/* that percentile, if it is another */
	uint64_t tail_count;	/* exchanges at or above its bucket */
	uint64_t tail_ns;	/* their latency, added up */
	struct dist send, deliver;
	uint64_t clamped, estimated, async, handoff, merged, no_wait, unarmed;
	struct dist client;	/* upstream side: first byte sent to first received */

	struct traffic_info traffic[TRAFFIC_KINDS - 1];	/* in the order of the kinds, from KIND_REQUEST on */

	struct exchange_info *worst;	/* slowest first */
	size_t n_worst;

	struct syscall_info *syscalls;	/* only those that were called */
	size_t n_syscalls;
	struct {
		bool on;
		uint64_t windows;	/* 0: the watch was too short for one */
		double share;		/* of the time that was in windows */
		double error;		/* of the count of all of them: relative; NAN: not known */
		uint64_t unfinished;	/* began in a window; their end was not seen */
	} sampled;

	uint64_t wakeups, preemptions;
	uint64_t switches_missed;	/* not reported; whole sleeps are found even so */
	struct dist runqueue;
	uint64_t offcpu_count[OFFCPU_COUNT], offcpu_ns[OFFCPU_COUNT];
	struct waker_info *wakers;	/* most frequent first */
	size_t n_wakers;

	struct loop_info *loops;	/* busiest first */
	size_t n_loops;
	struct eventpoll_info *eventpolls;	/* most returns first */
	size_t n_eventpolls;
	struct holds holds;
	uint64_t loops_merged;		/* loops that had no slot of their own: shown as one */

	struct {
		uint64_t opened, closed, active, preexisting, unknown;
		uint64_t by_state[TCP_STATES];
		uint64_t by_reason[CLOSE_REASONS];
		uint64_t retransmits, resets;
		struct dist accept_wait;
		uint64_t listen_overflows;
	} connections;
	struct listener_info *listeners;
	size_t n_listeners;

	struct finding *findings;	/* strongest first (explain/finding.h) */
	size_t n_findings;
	char gates[240];		/* why none of them speaks of a tail; "" if one could */

	/* Of a capture without its end: what is not known is left out, not shown as 0. */
	bool exchanges_only;	/* no system calls, scheduler, loops, connections, listeners */
	bool loss_unknown;
	struct {
		uint64_t ring, map_full, missed, unmatched, clock, stacks;
	} loss;
	uint64_t events;	/* event stream: records that reached user space */

	struct {
		bool bpf_known;	/* run-time statistics could be enabled */
		double bpf_ns_per_exchange;
		double bpf_cpu_seconds;
		double collector_cpu_seconds;
	} overhead;
	struct budget_info budget;

	const char **notes;	/* what this kernel or target costs the report; static strings */
	size_t n_notes;
};

const char *stage_name(unsigned stage);		/* "accept" ... "service" */
const char *offcpu_name(unsigned kind);		/* "idle", "futex", ... */
const char *role_name(unsigned role);
const char *traffic_kind_name(unsigned kind);	/* "request-response", "overlapping", "one-way" */
const char *protocol_name(unsigned protocol);	/* "http/1", ... */
const char *tcp_state_name(unsigned state);	/* "ESTABLISHED", ... as in the kernel */
const char *close_reason_name(unsigned reason);
const char *close_side_name(unsigned side);

uint64_t hist_count(const struct hist *h);

/* Nearest rank, ceil(permille * count / 1000), without overflow for any count. */
uint64_t hist_rank(uint64_t count, unsigned permille);

/* A percentile as in struct dist; 0 without samples. */
uint64_t hist_percentile(const struct hist *h, unsigned permille);

/* The lower bound of the bucket that the slowest `percent` begin in; 0 without samples. */
uint64_t hist_slowest_ns(const struct hist *h, unsigned percent);

/* Fills d from a histogram; percentiles never exceed the exact maximum. */
void dist_from_hist(struct dist *d, const struct hist *h);

uint64_t dist_mean(const struct dist *d);	/* rounded to the nearest ns; 0 without samples */

/* The tail begins with the P99's bucket; a report's, with that of its own percentile. */
uint64_t dist_tail_ns(const struct dist *d);
uint64_t report_tail_at_ns(const struct report *r);
uint64_t report_tail_ns(const struct report *r);

void report_free(struct report *r);

#endif
