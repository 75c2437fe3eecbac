/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding.c - asks every rule, and puts what fired in order. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/finding.h"
#include "base/term.h"

static const struct {
	const char *code;
	rule_fn rule;
	unsigned needs;
} rules[] = {
	{ "stopped", rule_stopped, NEEDS_TAIL },
	{ "lock-contention", rule_lock_contention, NEEDS_TAIL },
	{ "blocking-call", rule_blocking_call, NEEDS_TAIL },
	{ "cpu-throttled", rule_cpu_throttled, 0 },
	{ "cpu-starved", rule_cpu_starved, NEEDS_TAIL },
	{ "loop-blocked", rule_loop_blocked, NEEDS_TAIL },
	{ "slow-service", rule_slow_service, NEEDS_TAIL },
	{ "slow-upstream", rule_slow_upstream, NEEDS_TAIL },
	{ "slow-request", rule_slow_request, NEEDS_TAIL },
	{ "batch-queueing", rule_batch_queueing, NEEDS_TAIL },
	{ "accept-starved", rule_accept_starved, 0 },
	{ "fd-exhaustion", rule_fd_exhaustion, 0 },
	{ "edge-undrained", rule_edge_undrained, 0 },
	{ "zero-window", rule_zero_window, 0 },
	{ "send-blocked", rule_send_blocked, 0 },
	{ "nagle-delay", rule_nagle_delay, 0 },
	{ "retransmits", rule_retransmits, NEEDS_END },
	{ "close-wait-leak", rule_close_wait_leak, NEEDS_END },
	{ "thundering-herd", rule_thundering_herd, NEEDS_CALLS },
	{ "imbalance", rule_imbalance, NEEDS_RUNTIME },
	{ "ctl-churn", rule_ctl_churn, NEEDS_CALLS },
	{ "spurious-wakeups", rule_spurious_wakeups, NEEDS_CALLS | NEEDS_RUNTIME },
	{ "poll-spin", rule_poll_spin, NEEDS_RUNTIME },
	{ "small-writes", rule_small_writes, 0 },
	{ "io-uring-bypass", rule_io_uring_bypass, NEEDS_DESCRIPTORS },
};

void evidence_number(struct finding *f, const char *name, double value)
{
	if (f->n_evidence < EVIDENCE_MAX)
		f->evidence[f->n_evidence++] = (struct evidence){ .name = name, .value = value };
}

void evidence_name(struct finding *f, const char *name, const char *comm)
{
	struct evidence *e;

	if (f->n_evidence == EVIDENCE_MAX)
		return;
	e = &f->evidence[f->n_evidence++];
	*e = (struct evidence){ .name = name };
	escape_text(e->text, sizeof(e->text), comm, strlen(comm));
}

void finding_say(struct finding *f, const char *format, ...)
{
	size_t used = strlen(f->summary);
	va_list args;

	va_start(args, format);
	vsnprintf(f->summary + used, sizeof(f->summary) - used, format, args);
	va_end(args);
}

double cause_share(const struct finding_input *in, enum cause cause)
{
	return in->b->latency_ns ? (double)in->b->cause_ns[cause] / (double)in->b->latency_ns : 0;
}

const char *severity_name(unsigned severity)
{
	return severity == SEVERITY_SEVERE ? "severe" :
	       severity == SEVERITY_WARNING ? "warning" : "info";
}

/* Severe before warning, then by share. */
static int by_strength(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? 1 : -1;
	return x->share < y->share ? 1 : x->share > y->share ? -1 : 0;
}

/* Why the tail can't be explained, as a finding of its own; false if it can. */
static bool withheld(const struct finding_input *in, struct finding *f)
{
	const struct report *r = in->r;
	double lost = r->events + r->loss.ring ?
		      (double)r->loss.ring / (double)(r->events + r->loss.ring) : 0;

	*f = (struct finding){ .code = "insufficient-data", .severity = SEVERITY_INFO,
			       .share = -1 };
	if ((double)r->latency.count < in->threshold[THRESHOLD_EXCHANGES]) {
		finding_say(f, "%s exchanges are too few to say what makes some of them slow.",
			    format_count(r->latency.count).s);
		f->advice = "Watch for longer.";
		evidence_number(f, "exchanges", (double)r->latency.count);
		return true;
	}
	if (lost > in->threshold[THRESHOLD_LOST]) {
		finding_say(f, "%s of the events were lost: too many to name a cause.",
			    format_share(lost).s);
		f->advice = "Raise --ring-size.";
		evidence_number(f, "lost_share", lost);
		return true;
	}
	return false;
}

size_t finding_codes(unsigned lacks, const char **codes, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && n < room; i++)
		if (!(rules[i].needs & lacks))
			codes[n++] = rules[i].code;
	return n;
}

size_t diagnose(const struct finding_input *in, struct finding *out, size_t room)
{
	bool tail = (double)in->r->latency.p99_ns >= in->threshold[THRESHOLD_TAIL];
	size_t n = 0;

	if (room && withheld(in, &out[0])) {
		tail = false;
		n = 1;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && n < room; i++) {
		if ((rules[i].needs & NEEDS_TAIL) && (!tail || !in->b->count))
			continue;
		if ((rules[i].needs & NEEDS_CALLS) && !in->r->n_syscalls)
			continue;
		out[n] = (struct finding){ .code = rules[i].code, .severity = SEVERITY_WARNING,
					   .share = -1 };
		if (rules[i].rule(in, &out[n]))
			n++;
	}
	qsort(out, n, sizeof(*out), by_strength);
	return n;
}
