/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rules_holds.c - the loop's own work in the tail, and holds that no tail shows: few exchanges met them,
 * because clients that wait for their answers don't ask meanwhile, or none was answered at all.
 *
 * From holds a rule fires only where somebody waited behind them, and where a request that comes at a
 * random moment fares much worse than the percentiles say.
 */
#include <stdio.h>
#include <string.h>

#include "explain/finding.h"

const char *rule_loop_own(const struct finding_input *in, struct finding *f)
{
	const struct blame_sums *b = in->b;

	if ((double)b->own_max_ns < LIMIT(TURN))
		return NULL;
	finding_say(f, "The event loop's own work held it for up to %s: %s of the tail's time went by "
		    "behind work that was done for no connection (a timer, or what follows the last "
		    "event of a turn).", format_ns(b->own_max_ns).s, format_share(f->share).s);
	EVIDENCE(f, { "own_max_ns", b->own_max_ns }, { "turns_held", b->own_count },
		 { "behind_share", f->share });
	if (b->loops.n)
		evidence_name(f, "thread", b->loops.row[0].comm);
	return "Find the timer or the work after the events; do it in slices, or on another thread; "
	       "`epollscope flame --mode tail` shows its code.";
}

/* --- holds --- */

#define HIDDEN	2	/* times the P99: the percentiles hide it */

/* What the kept holds went by with. */
struct held {
	uint64_t all_ns, oncpu_ns, runnable_ns;
	uint64_t blocked_ns[OFFCPU_COUNT];
	const struct hold *first;	/* the longest that counts */
	uint32_t waiting_max;
};

static bool holds_tell(const struct finding_input *in)
{
	const struct holds *h = &in->r->holds;

	return h->known && h->waiting && (double)h->p99_ns >= LIMIT(TURN) &&
	       h->p99_ns >= HIDDEN * in->r->latency.p99_ns;
}

static void sum_up(const struct finding_input *in, struct held *sum)
{
	const struct holds *h = &in->r->holds;

	*sum = (struct held){ .first = h->worst };
	for (size_t i = 0; i < h->n_worst; i++) {
		const struct hold *w = &h->worst[i];

		if ((double)hold_ns(w) < LIMIT(TURN))
			continue;
		sum->all_ns += hold_ns(w);
		sum->oncpu_ns += hold_oncpu_ns(w);
		sum->runnable_ns += w->runnable_ns;
		sum->blocked_ns[w->call_ns && w->kind < OFFCPU_COUNT ? w->kind : OFFCPU_OTHER] +=
			w->blocked_ns;
		if (w->waiting > sum->waiting_max)
			sum->waiting_max = w->waiting;
	}
}

static bool is_enough(const struct finding_input *in, const struct held *sum, uint64_t ns)
{
	return sum->all_ns && ratio(ns, sum->all_ns) >= LIMIT(CAUSE);
}

static void say_how_often(const struct finding_input *in, struct finding *f)
{
	const struct holds *h = &in->r->holds;
	const struct hold *w = h->worst;

	if (w->flags & TURN_BEFORE && w->flags & TURN_UNENDED)
		finding_say(f, "The event loop has been held since before the watch, for more than %s",
			    format_ns(hold_ns(w)).s);
	else if (h->long_count == 1)
		finding_say(f, "The event loop was held for %s%s, %s of the time",
			    w->flags & TURN_UNENDED ? "more than " : "", format_ns(h->max_ns).s,
			    format_share(h->deaf).s);
	else
		finding_say(f, "The event loop was held %s times for %s or longer, at most %s, %s of "
			    "the time", format_count(h->long_count).s, format_ns(HOLD_MAX_NS).s,
			    format_ns(h->max_ns).s, format_share(h->deaf).s);
}

static void say_what_it_costs(const struct finding_input *in, const struct held *sum,
			      struct finding *f)
{
	const struct holds *h = &in->r->holds;

	if (h->worst->flags & TURN_UNENDED)
		finding_say(f, " %u connections wait with data that nobody has read.",
			    h->worst->waiting);
	else
		finding_say(f, " Up to %u events waited behind it.", sum->waiting_max);
	finding_say(f, " A request that comes at a random moment waits %s at P99", format_ns(h->p99_ns).s);
	if (in->r->latency.count)
		finding_say(f, "; the clients' own P99 of %s hides it, for they don't ask meanwhile",
			    format_ns(in->r->latency.p99_ns).s);
	finding_say(f, ".");
	f->severity = h->deaf >= 0.1 || h->p99_ns >= 1000000000ULL ? SEVERITY_SEVERE :
		      SEVERITY_WARNING;
	EVIDENCE(f, { "holds", h->long_count }, { "hold_max_ns", h->max_ns },
		 { "deaf_share", h->deaf }, { "open_loop_p99_ns", h->p99_ns },
		 { "waiting_max", sum->waiting_max });
	evidence_name(f, "thread", h->worst->comm);
}

/* Which rule speaks: its part of the holds' time is large enough. */
static bool begins(const struct finding_input *in, struct held *sum, struct finding *f,
		   uint64_t (*part)(const struct held *sum))
{
	if (!holds_tell(in))
		return false;
	sum_up(in, sum);
	if (!is_enough(in, sum, part(sum)))
		return false;
	say_how_often(in, f);
	return true;
}

static uint64_t computed(const struct held *sum)
{
	return sum->oncpu_ns;
}

static uint64_t starved(const struct held *sum)
{
	return sum->runnable_ns;
}

static uint64_t locked(const struct held *sum)
{
	return sum->blocked_ns[OFFCPU_FUTEX];
}

static uint64_t was_stopped(const struct held *sum)
{
	return sum->blocked_ns[OFFCPU_STOPPED];
}

static uint64_t slept(const struct held *sum)
{
	uint64_t ns = 0;

	for (unsigned kind = 0; kind < OFFCPU_COUNT; kind++)
		if (kind != OFFCPU_FUTEX && kind != OFFCPU_STOPPED)
			ns += sum->blocked_ns[kind];
	return ns;
}

static void say_holder(struct finding *f, const struct hold *h)
{
	static const char *const words[] = {
		[HELD_UNKNOWN] = "", [HELD_OWN] = ", at work of its own (a timer, or what follows a turn's last event)",
		[HELD_SEVERAL] = " for several connections in turn",
	};
	enum held_by by = hold_by(h);

	if (by != HELD_CONN) {
		finding_say(f, "%s", words[by]);
		return;
	}
	if (h->flow.family)
		finding_say(f, " for the connection from %s", format_end(&h->flow, END_REMOTE).s);
	else
		finding_say(f, " for one connection");
}

const char *rule_hold_computed(const struct finding_input *in, struct finding *f)
{
	struct held sum;

	if (!begins(in, &sum, f, computed))
		return NULL;
	finding_say(f, ": it computed");
	say_holder(f, sum.first);
	finding_say(f, ".");
	say_what_it_costs(in, &sum, f);
	return "Move the work off the event loop (a worker thread, or slices between turns); "
	       "`epollscope flame --mode cpu` shows its code.";
}

/* The longest hold of those that slept so. */
static const struct hold *longest_in(const struct holds *h, bool (*is)(uint32_t kind))
{
	for (size_t i = 0; i < h->n_worst; i++)
		if (h->worst[i].call_ns && is(h->worst[i].kind))
			return &h->worst[i];
	return NULL;
}

static bool is_sleep(uint32_t kind)
{
	return kind != OFFCPU_FUTEX && kind != OFFCPU_STOPPED;
}

const char *rule_hold_blocked(const struct finding_input *in, struct finding *f)
{
	const struct hold *h;
	struct held sum;

	if (!begins(in, &sum, f, slept))
		return NULL;
	h = longest_in(&in->r->holds, is_sleep);
	if (h) {
		finding_say(f, ": asleep in %s", sleep_word(h->call, h->kind).s);
		evidence_name(f, "call", syscall_word(h->call).s);
	} else {
		finding_say(f, ": asleep");
	}
	if (h)
		say_holder(f, h);
	finding_say(f, ".");
	say_what_it_costs(in, &sum, f);
	if (h && h->call == SYSCALL_NONE)
		return "Touch that memory beforehand, lock it (mlock), or keep it from being swapped.";
	return "Use the asynchronous form of the call, or make it on another thread; while it "
	       "sleeps, every connection of the loop waits.";
}

const char *rule_hold_locked(const struct finding_input *in, struct finding *f)
{
	struct held sum;

	if (!begins(in, &sum, f, locked))
		return NULL;
	finding_say(f, ": it waited for a lock (futex).");
	say_what_it_costs(in, &sum, f);
	return "Shorten what the holder does under the lock, or keep the loop from needing it.";
}

const char *rule_hold_stopped(const struct finding_input *in, struct finding *f)
{
	struct held sum;

	if (!begins(in, &sum, f, was_stopped))
		return NULL;
	finding_say(f, ": it was stopped by a signal (SIGSTOP) or a debugger.");
	say_what_it_costs(in, &sum, f);
	return "Find who stops it: a debugger, a checkpoint, a container's freezer.";
}

const char *rule_hold_starved(const struct finding_input *in, struct finding *f)
{
	struct held sum;

	if (!begins(in, &sum, f, starved) || in->facts->throttled)
		return NULL;
	finding_say(f, ": it was at work and got no CPU for %s of that.",
		    format_share(ratio(sum.runnable_ns, sum.all_ns)).s);
	say_what_it_costs(in, &sum, f);
	return "Give it CPUs of its own (affinity, cpuset), or a larger weight than its neighbours.";
}

/* --- nothing to explain --- */

void diagnosis_gates(const struct report *r, const double *threshold, char *text, size_t len)
{
	const struct finding_input input = { .r = r, .threshold = threshold }, *in = &input;

	*text = '\0';
	if (r->n_findings || !r->latency.count || (double)report_tail_at_ns(r) >= LIMIT(TAIL))
		return;
	snprintf(text, len, "Nothing to explain: the P%g of %s is below %s (--threshold tail=), and "
		 "the open-loop wait's P99 of %s below %s, the length of a hold (--threshold turn=).",
		 r->tail_permille ? r->tail_permille / 10.0 : 99.0, format_ns(report_tail_at_ns(r)).s,
		 format_ns((uint64_t)LIMIT(TAIL)).s, format_ns(r->holds.p99_ns).s,
		 format_ns((uint64_t)LIMIT(TURN)).s);
}
