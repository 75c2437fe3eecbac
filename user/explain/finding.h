/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * finding.h - the diagnosis: rules over what was measured, each with its evidence in figures.
 *
 * A rule is a function without state. It fires or not; when there are too few samples, or more was
 * lost than it bears, diagnose() says that instead of asking it.
 */
#ifndef EPOLLSCOPE_FINDING_H
#define EPOLLSCOPE_FINDING_H

#include "explain/blame.h"
#include "explain/facts.h"
#include "explain/threshold.h"

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
	char summary[360];	/* plain words that quote the figures */
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

#define FINDINGS_MAX 32

/* What a rule rests on. */
enum finding_needs {
	NEEDS_TAIL = 1 << 0,		/* a tail that is worth a word, and whole */
	NEEDS_CALLS = 1 << 1,		/* every system call was seen */
	NEEDS_RUNTIME = 1 << 2,		/* facts.go: it would fire on what is normal for Go */
	NEEDS_DESCRIPTORS = 1 << 3,	/* what the target holds was looked at */
	NEEDS_END = 1 << 4,		/* what is only counted when a watch ends */
};

/* Codes of the rules that need nothing of `lacks`: static strings. Returns how many. */
size_t finding_codes(unsigned lacks, const char **codes, size_t room);

/* Strongest first. Returns how many. */
size_t diagnose(const struct finding_input *in, struct finding *out, size_t room);

const char *severity_name(unsigned severity);	/* "info", "warning", "severe" */

/* --- for rules --- */

typedef bool (*rule_fn)(const struct finding_input *in, struct finding *f);

/* A threshold by its name in THRESHOLDS. */
#define AT(id) (in->threshold[THRESHOLD_##id])

static inline double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

void evidence_number(struct finding *f, const char *name, double value);
void evidence_name(struct finding *f, const char *name, const char *comm);
void finding_say(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Of the tail's time; 0 without a tail. */
double cause_share(const struct finding_input *in, enum cause cause);

/* The kernel's number of a system call in words: "fsync", or "call 300". */
const char *syscall_word(uint32_t nr, char *room, size_t len);

/* What made the tail slow (rules_tail.c). */
bool rule_loop_blocked(const struct finding_input *in, struct finding *f);
bool rule_blocking_call(const struct finding_input *in, struct finding *f);
bool rule_lock_contention(const struct finding_input *in, struct finding *f);
bool rule_stopped(const struct finding_input *in, struct finding *f);
bool rule_cpu_throttled(const struct finding_input *in, struct finding *f);
bool rule_cpu_starved(const struct finding_input *in, struct finding *f);
bool rule_batch_queueing(const struct finding_input *in, struct finding *f);
bool rule_slow_service(const struct finding_input *in, struct finding *f);
bool rule_slow_upstream(const struct finding_input *in, struct finding *f);
bool rule_slow_request(const struct finding_input *in, struct finding *f);

/* How epoll and accept are used (rules_loop.c). */
bool rule_accept_starved(const struct finding_input *in, struct finding *f);
bool rule_thundering_herd(const struct finding_input *in, struct finding *f);
bool rule_imbalance(const struct finding_input *in, struct finding *f);
bool imbalanced(const struct finding_input *in);
bool rule_ctl_churn(const struct finding_input *in, struct finding *f);
bool rule_spurious_wakeups(const struct finding_input *in, struct finding *f);
bool rule_edge_undrained(const struct finding_input *in, struct finding *f);
bool rule_poll_spin(const struct finding_input *in, struct finding *f);
bool rule_fd_exhaustion(const struct finding_input *in, struct finding *f);
bool rule_io_uring_bypass(const struct finding_input *in, struct finding *f);

/* Connections and the network (rules_net.c). */
bool rule_close_wait_leak(const struct finding_input *in, struct finding *f);
bool rule_nagle_delay(const struct finding_input *in, struct finding *f);
bool rule_small_writes(const struct finding_input *in, struct finding *f);
bool rule_send_blocked(const struct finding_input *in, struct finding *f);
bool rule_retransmits(const struct finding_input *in, struct finding *f);
bool rule_zero_window(const struct finding_input *in, struct finding *f);

#endif
