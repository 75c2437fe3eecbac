/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * finding.h - the diagnosis: rules over what was measured, each with its evidence in figures.
 *
 * A rule is a function without state. It fires or not. When there are too few samples, or too much
 * was lost, diagnose() says so and does not ask the rules that need a whole tail.
 */
#ifndef EPOLLSCOPE_FINDING_H
#define EPOLLSCOPE_FINDING_H

#include <stdio.h>

#include "base/term.h"
#include "explain/blame.h"
#include "explain/facts.h"
#include "model/aggregate.h"

enum threshold_unit {
	UNIT_COUNT,
	UNIT_SHARE,	/* 0..1; "20%" or 0.2 */
	UNIT_NS,	/* "10ms" */
};

/*
 * The limits of the rules: X(id, "name", default, unit, "what it is"). One list gives the defaults,
 * the option --threshold NAME=VALUE and its help.
 */
#define THRESHOLDS(X)								\
	X(EXCHANGES, "exchanges", 100, COUNT, "fewer make no diagnosis")	\
	X(LOST, "lost", 0.05, SHARE, "more lost events make none of the tail")	\
	X(TAIL, "tail", 1e6, NS, "a P99 below this is no tail to explain")	\
	X(TURN, "turn", 10e6, NS, "a handler that holds a turn so long blocks the loop") \
	X(CAUSE, "cause", 0.2, SHARE, "minimum share of tail time") \
	X(SERVICE, "service", 0.4, SHARE, "minimum share of tail time, for the application's own work") \
	X(RUNQUEUE, "runqueue", 1e6, NS, "run-queue P99 of a starved server")	\
	X(DISPATCH, "dispatch", 10e6, NS, "dispatch P99 of batches that are too large") \
	X(ACCEPT, "accept", 50e6, NS, "accept-queue P99 of a starved acceptor")	\
	X(BACKLOG, "backlog", 0.8, SHARE, "an accept queue so full is short of room") \
	X(HERD, "herd", 0.2, SHARE, "accepts that found nothing, of those that did") \
	X(IMBALANCE, "imbalance", 2, COUNT, "times the others' mean on one loop") \
	X(IMBALANCE_TIME, "imbalance-time", 10e9, NS, "for so long")		\
	X(CTL, "ctl", 0.5, COUNT, "epoll_ctl calls an exchange; severe at three times that") \
	X(SPURIOUS, "spurious", 0.1, SHARE, "events without input or output")	\
	X(SPIN, "spin", 0.9, SHARE, "waits that return nothing at once")	\
	X(CLOSE_WAIT, "close-wait", 60e9, NS, "age of a forgotten connection")	\
	X(NAGLE, "nagle", 0.01, SHARE, "sends kept back for 20 ms")		\
	X(SMALL, "small", 0.5, SHARE, "answers in more than two sends of < 256 bytes") \
	X(SEND, "send", 50e6, NS, "send P99 of slow readers")			\
	X(RETRANSMITS, "retransmits", 0.01, SHARE, "of all segments with data")

#define THRESHOLD_ENUM(id, name, value, unit, help) THRESHOLD_##id,
enum threshold { THRESHOLDS(THRESHOLD_ENUM) THRESHOLD_COUNT };
#undef THRESHOLD_ENUM

void thresholds_default(double *t);

/* "NAME=VALUE". NULL, or what is wrong with it. */
const char *threshold_set(double *t, const char *text);

void thresholds_help(FILE *out);

enum severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_SEVERE,
};

#define EVIDENCE_MAX 8

struct evidence {
	const char *name;	/* with its unit: "turn_max_ns" */
	double value;
	char text[COMM_LEN * 4 + 1];	/* instead of the value, if not "": escaped */
};

struct finding {
	const char *code;	/* "loop-blocked" */
	enum severity severity;
	double share;		/* of the tail's latency; below 0: not a matter of latency */
	char summary[512];	/* plain words that quote the figures */
	const char *advice;
	struct evidence evidence[EVIDENCE_MAX];
	size_t n_evidence;
};

struct finding_input {
	const struct report *r;
	const struct blame_sums *b;
	const struct facts *facts;
	const double *threshold;	/* THRESHOLD_COUNT of them */
};

/* What a rule rests on. */
enum finding_needs {
	NEEDS_TAIL = 1 << 0,		/* a tail that is long enough, with little lost */
	NEEDS_CALLS = 1 << 1,		/* every system call was seen */
	NEEDS_RUNTIME = 1 << 2,		/* facts.go: the rule would fire on what is normal for Go */
	NEEDS_DESCRIPTORS = 1 << 3,	/* what the target holds was looked at */
	NEEDS_END = 1 << 4,		/* what is only counted when a watch ends */
};

/*
 * What a watch does not have because its budget left it out for more than this share of the time or of
 * the exchanges: NEEDS_TAIL, NEEDS_CALLS.
 */
unsigned finding_lacks(const struct report *r, double lost);

/* Codes of the rules that need nothing of `lacks`: static strings. Returns how many. */
size_t finding_codes(unsigned lacks, const char **codes, size_t room);

#define FINDINGS_MAX 40		/* more than there are rules */

/* Strongest first. Returns how many. */
size_t diagnose(const struct finding_input *in, struct finding out[FINDINGS_MAX]);

/*
 * Fills a zeroed report, but for what says where, when and how it was watched (version, host,
 * times, targets, notes, events, listen overflows) and the worst exchanges. The window's length, events,
 * overflows and, if they are known, targets come before: the diagnosis rests on them. 0 or -ENOMEM;
 * report_free() in either case.
 */
int report_build(struct report *r, const struct aggregate *a, const struct facts *facts,
		 struct history *h, const double *threshold);

const char *severity_name(unsigned severity);	/* "info", "warning", "severe" */

/* --- for rules --- */

/* A threshold by its name in THRESHOLDS. */
#define LIMIT(id) (in->threshold[THRESHOLD_##id])

static inline double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

struct figure {
	const char *name;
	double value;
};

/* EVIDENCE(f, { "name", value }, ...): what finds no room is left out. */
#define EVIDENCE(f, ...) do {							\
	const struct figure list_[] = { __VA_ARGS__ };				\
	evidence_add(f, list_, sizeof(list_) / sizeof(list_[0]));		\
} while (0)

void evidence_add(struct finding *f, const struct figure *list, size_t n);
void evidence_name(struct finding *f, const char *name, const char *comm);
void finding_say(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A cause's share of the tail's time; 0 without a tail. */
double cause_share(const struct finding_input *in, enum cause cause);

/*
 * Which gates the diagnosis did not pass, as one sentence, where there is neither a tail nor a hold to
 * explain and nothing was found; "" else.
 */
void diagnosis_gates(const struct report *r, const double *threshold, char *text, size_t len);

#define SYSCALL_NONE UINT32_MAX

/* The kernel's number of a system call in words: "fsync", "call 300", or "page fault" for none. */
struct fmt syscall_word(uint32_t nr);
bool syscall_is_futex(uint32_t nr);

/* What a thread slept in: "fsync (disk)", "a page fault (disk)", "a timed wait (futex) that expired". */
struct fmt sleep_word(uint32_t nr, uint32_t kind);

enum severity severity_of(double share);

/*
 * The loop that does too much while other loops that serve are idle; NULL if there is none.
 * `all`: the exchanges of every loop.
 */
const struct loop_info *overloaded_loop(const struct finding_input *in, uint64_t *all);

/*
 * X(function, "code", needs, severity, cause, threshold). The function returns its advice, or NULL:
 * it does not fire. BY_SHARE: the rule is asked if the cause's
 * share of the tail's time, which is the finding's then, reaches the threshold; it is severe from
 * half of that time on. Of several rows with one code the first that fires is the finding: those of
 * the holds come after those of the tail.
 */
#define BY_SHARE (SEVERITY_SEVERE + 1)
#define RULES(X)								\
	X(stopped, "stopped", NEEDS_TAIL, BY_SHARE, CAUSE_STOPPED, THRESHOLD_CAUSE) \
	X(lock_contention, "lock-contention", NEEDS_TAIL, BY_SHARE, CAUSE_LOCK, THRESHOLD_CAUSE) \
	X(blocking_call, "blocking-call", NEEDS_TAIL, BY_SHARE, CAUSE_BLOCKED, THRESHOLD_CAUSE) \
	X(cpu_throttled, "cpu-throttled", 0, SEVERITY_WARNING, 0, 0) \
	X(cpu_starved, "cpu-starved", NEEDS_TAIL, BY_SHARE, CAUSE_CPU, THRESHOLD_CAUSE) \
	X(loop_blocked, "loop-blocked", NEEDS_TAIL, SEVERITY_WARNING, 0, 0) \
	X(loop_own, "loop-blocked", NEEDS_TAIL, BY_SHARE, CAUSE_OWN, THRESHOLD_CAUSE) \
	X(slow_service, "slow-service", NEEDS_TAIL, SEVERITY_WARNING, 0, 0) \
	X(slow_upstream, "slow-upstream", NEEDS_TAIL, SEVERITY_WARNING, 0, 0) \
	X(idle_wait, "idle-wait", NEEDS_TAIL, SEVERITY_WARNING, 0, 0) \
	X(worker_wait, "worker-wait", NEEDS_TAIL, BY_SHARE, CAUSE_WORKER, THRESHOLD_CAUSE) \
	X(unarmed, "unarmed", NEEDS_TAIL, BY_SHARE, CAUSE_UNARMED, THRESHOLD_CAUSE) \
	X(slow_request, "slow-request", NEEDS_TAIL, BY_SHARE, CAUSE_RECEIVE, THRESHOLD_SERVICE) \
	X(batch_queueing, "batch-queueing", NEEDS_TAIL, BY_SHARE, CAUSE_BATCH, THRESHOLD_CAUSE) \
	X(hold_stopped, "stopped", 0, SEVERITY_WARNING, 0, 0) \
	X(hold_locked, "lock-contention", 0, SEVERITY_WARNING, 0, 0) \
	X(hold_blocked, "blocking-call", 0, SEVERITY_WARNING, 0, 0) \
	X(hold_starved, "cpu-starved", 0, SEVERITY_WARNING, 0, 0) \
	X(hold_computed, "loop-blocked", 0, SEVERITY_WARNING, 0, 0) \
	X(accept_starved, "accept-starved", 0, SEVERITY_WARNING, 0, 0) \
	X(fd_exhaustion, "fd-exhaustion", 0, SEVERITY_SEVERE, 0, 0) \
	X(edge_undrained, "edge-undrained", 0, SEVERITY_SEVERE, 0, 0) \
	X(zero_window, "zero-window", 0, SEVERITY_SEVERE, 0, 0) \
	X(send_blocked, "send-blocked", 0, SEVERITY_WARNING, 0, 0) \
	X(streamed, "streamed", 0, SEVERITY_INFO, 0, 0) \
	X(nagle_delay, "nagle-delay", 0, SEVERITY_SEVERE, 0, 0) \
	X(retransmits, "retransmits", NEEDS_END, SEVERITY_SEVERE, 0, 0) \
	X(close_wait_leak, "close-wait-leak", NEEDS_END, SEVERITY_SEVERE, 0, 0) \
	X(thundering_herd, "thundering-herd", NEEDS_CALLS, SEVERITY_WARNING, 0, 0) \
	X(imbalance, "imbalance", NEEDS_RUNTIME, SEVERITY_WARNING, 0, 0) \
	X(ctl_churn, "ctl-churn", NEEDS_CALLS, SEVERITY_WARNING, 0, 0) \
	X(spurious_wakeups, "spurious-wakeups", NEEDS_CALLS | NEEDS_RUNTIME, SEVERITY_WARNING, \
	  0, 0) \
	X(poll_spin, "poll-spin", NEEDS_RUNTIME, SEVERITY_SEVERE, 0, 0) \
	X(small_writes, "small-writes", 0, SEVERITY_WARNING, 0, 0) \
	X(io_uring_bypass, "io-uring-bypass", NEEDS_DESCRIPTORS, SEVERITY_INFO, 0, 0)

#define RULE_DECLARE(function, ...) \
	const char *rule_##function(const struct finding_input *in, struct finding *f);
RULES(RULE_DECLARE)
#undef RULE_DECLARE

#endif
