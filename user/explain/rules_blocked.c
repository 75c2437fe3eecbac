/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules_blocked.c - the loop slept where it should not: in calls, page faults, timed waits, locks. */
#include <string.h>

#include "explain/finding.h"

/* The call that took most of a cause's time; NULL if it is not known. */
static const struct blame_row *first_call(const struct blame_sums *b, enum cause cause)
{
	for (size_t i = 0; i < b->calls.n; i++)
		if (blame_cause(b->calls.row[i].kind) == cause)
			return &b->calls.row[i];
	return NULL;
}

static bool is_fault(const struct blame_row *call)
{
	return call && call->nr == SYSCALL_NONE;
}

/* A futex whose time-out ended it has the kind of a sleep. */
static bool is_timed_lock(const struct blame_row *call)
{
	return call && call->kind == OFFCPU_SLEEP && syscall_is_futex(call->nr);
}

/* Another thread of the server that computes: while a wait runs out, that one has the CPU. */
static void say_busiest(const struct finding_input *in, struct finding *f, uint32_t waiter)
{
	const struct facts *facts = in->facts;

	for (unsigned i = 0; i < FACTS_BUSIEST; i++) {
		uint64_t ns = facts_cpu_ns(facts, facts->busiest[i]);

		if (!facts->busiest[i] || facts->busiest[i] == waiter ||
		    (double)ns < 0.2 * (double)in->r->window_ns)
			continue;
		finding_say(f, " Its thread %s (tid %u) used %s of a CPU meanwhile.",
			    format_comm(facts->busiest_comm + i * COMM_LEN, COMM_LEN, 24).s,
			    facts->busiest[i], format_share(ratio(ns, in->r->window_ns)).s);
		EVIDENCE(f, { "busiest_tid", facts->busiest[i] });
		return;
	}
}

static const char *say_fault(const struct finding_input *in, struct finding *f,
			     const struct blame_row *call)
{
	bool disk = call->kind == OFFCPU_DISK;

	finding_say(f, "The event loop slept in page faults, no system call: %s of the tail's time "
		    "went to memory that was not there%s, up to %s at a time.",
		    format_share(ratio(call->ns, in->b->latency_ns)).s,
		    disk ? " and came from a disk" : "", format_ns(call->max_ns).s);
	return "Touch that memory beforehand (MAP_POPULATE, madvise), lock it (mlock), keep it from "
	       "being swapped or reclaimed, or read the file on another thread.";
}

/* The lengths of the waits of one call, as far as their mean and their maximum tell. */
static struct cluster row_cluster(const struct blame_row *call)
{
	uint64_t mean = call->count ? call->whole_ns / call->count : 0;

	return (struct cluster){ .count = call->count, .p10_ns = mean, .p50_ns = mean,
				 .p90_ns = call->max_ns };
}

static bool is_python(const struct report *r)
{
	for (size_t i = 0; i < r->n_targets; i++) {
		const char *name = strrchr(r->targets[i].exe, '/');

		if (name && !strncmp(name, "/python", 7))
			return true;
	}
	return false;
}

/* Says it, if the waits have the length of a well-known clock; its advice then, else `advice`. */
static const char *say_clock(struct finding *f, enum clock_place place, const struct blame_row *call,
			     unsigned evidence, const char *advice)
{
	struct cluster waits = row_cluster(call);
	const struct clock *clock = clock_find(place, &waits, evidence);

	if (!clock)
		return advice;
	finding_say(f, " The pause is %s: %s.", format_ns(waits.p50_ns).s, clock->words);
	EVIDENCE(f, { "pause_ns", waits.p50_ns });
	return clock->advice ? clock->advice : advice;
}

static const char *say_timed(const struct finding_input *in, struct finding *f,
			     const struct blame_row *call)
{
	finding_say(f, "The event loop slept in timed waits that expired: %s of the tail's time went "
		    "by in futex, up to %s at a time, until its time-out; no thread released it.",
		    format_share(ratio(call->ns, in->b->latency_ns)).s, format_ns(call->max_ns).s);
	say_busiest(in, f, in->b->loops.n ? in->b->loops.row[0].tid : 0);
	return say_clock(f, CLOCK_TIMED_LOCK, call, is_python(in->r) ? CLOCK_PYTHON : 0,
			 "See what it waits for (a lock or condition with a time-out): wait for that "
			 "elsewhere, or have it signalled.");
}

const char *rule_blocking_call(const struct finding_input *in, struct finding *f)
{
	const struct blame_row *call = first_call(in->b, CAUSE_BLOCKED);
	const char *advice = "Use the asynchronous form of the call, or make it on another thread; "
			     "while it sleeps, every connection of the loop waits.";

	if (is_fault(call)) {
		advice = say_fault(in, f, call);
	} else if (is_timed_lock(call)) {
		advice = say_timed(in, f, call);
	} else {
		finding_say(f, "The event loop slept in blocking calls: %s of the tail's time",
			    format_share(f->share).s);
		if (call)
			finding_say(f, ", most of it in %s (%s), for up to %s at a time",
				    syscall_word(call->nr).s, offcpu_name(call->kind),
				    format_ns(call->max_ns).s);
		finding_say(f, ".");
		if (call && !strcmp(syscall_word(call->nr).s, "poll"))
			advice = say_clock(f, CLOCK_POLL, call, 0, advice);
		else if (call && !strcmp(syscall_word(call->nr).s, "connect"))
			advice = say_clock(f, CLOCK_CONNECT, call, 0, advice);
	}
	if (call) {
		evidence_name(f, "call", syscall_word(call->nr).s);
		evidence_name(f, "kind", offcpu_name(call->kind));
		EVIDENCE(f, { "blocked_max_ns", call->max_ns },
			 { "call_share", ratio(call->ns, in->b->latency_ns) });
	}
	if (in->b->loops.n)
		evidence_name(f, "thread", in->b->loops.row[0].comm);
	return advice;
}

static void say_chain(const struct finding_input *in, struct finding *f)
{
	const struct blame_sums *b = in->b;

	for (size_t i = 0; i < b->n_chain; i++) {
		const struct blame_link *l = &b->chain[i];
		struct fmt comm = format_comm(l->comm, sizeof(l->comm), 24);

		if (i == 0)
			finding_say(f, " It was released by %s (tid %u), which", comm.s, l->tid);
		else
			finding_say(f, "; that one was woken by tid %u, which", l->tid);
		if (l->blocked_ns > l->oncpu_ns && l->blocked_ns > l->runnable_ns)
			finding_say(f, " slept in %s for %s meanwhile",
				    syscall_word(l->nr).s, format_ns(l->blocked_ns).s);
		else if (l->runnable_ns > l->oncpu_ns)
			finding_say(f, " waited for a CPU for %s", format_ns(l->runnable_ns).s);
		else
			finding_say(f, " computed for %s meanwhile", format_ns(l->oncpu_ns).s);
	}
	if (b->n_chain)
		finding_say(f, ".");
}

const char *rule_lock_contention(const struct finding_input *in, struct finding *f)
{
	const struct blame_sums *b = in->b;
	const struct blame_row *call = first_call(b, CAUSE_LOCK);

	/* A holder that got no CPU: what is short is the CPU, not the lock's order. */
	if (b->n_chain &&
	    b->chain[0].runnable_ns > b->chain[0].oncpu_ns + b->chain[0].blocked_ns)
		f->severity = SEVERITY_INFO;
	finding_say(f, "The event loop waited for locks (futex): %s of the tail's time",
		    format_share(f->share).s);
	if (call) {
		finding_say(f, ", for up to %s at a time", format_ns(call->max_ns).s);
		EVIDENCE(f, { "blocked_max_ns", call->max_ns });
	}
	finding_say(f, ".");
	say_chain(in, f);
	if (b->wakers.n) {
		evidence_name(f, "waker", b->wakers.row[0].comm);
		EVIDENCE(f, { "waker_tid", b->wakers.row[0].tid });
	}
	return "Shorten what the holder does under the lock, or keep the loop from needing it.";
}

const char *rule_stopped(const struct finding_input *in, struct finding *f)
{
	const struct blame_row *stop = first_call(in->b, CAUSE_STOPPED);

	finding_say(f, "The server was stopped by a signal (SIGSTOP) or a debugger: %s of the "
		    "tail's time", format_share(f->share).s);
	if (stop) {
		finding_say(f, ", for up to %s", format_ns(stop->max_ns).s);
		EVIDENCE(f, { "stopped_max_ns", stop->max_ns });
	}
	finding_say(f, ".");
	return "Find who stops it: a debugger, a checkpoint, a container's freezer.";
}
