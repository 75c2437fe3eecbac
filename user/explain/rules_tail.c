/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules_tail.c - what made the tail slow. Shares are of the tail's latency, from the blame. */
#include <stdio.h>

#include "explain/finding.h"

/* "from 127.0.0.1:5000", or the connection's number. */
static struct fmt conn_of(const struct blame_row *c)
{
	struct fmt f;

	if (c->flow.family)
		return format_end(&c->flow, END_REMOTE);
	snprintf(f.s, sizeof(f.s), "number %llu", (unsigned long long)c->conn);
	return f;
}

/*
 * Handlers that compute for so long in one turn hold everybody up, whether the tail is those who
 * waited or, when few came meanwhile, the handlers' own exchanges.
 */
static bool loop_is_held(const struct finding_input *in)
{
	const struct blame_sums *b = in->b;
	bool own = (double)b->service_max_ns >= LIMIT(TURN) &&
		   cause_share(in, CAUSE_SERVICE) >= LIMIT(CAUSE);

	return (double)b->hold_max_ns >= LIMIT(TURN) &&
	       (own || cause_share(in, CAUSE_HELD) >= LIMIT(CAUSE));
}

const char *rule_loop_blocked(const struct finding_input *in, struct finding *f)
{
	const struct blame_sums *b = in->b;
	double others = cause_share(in, CAUSE_HELD);

	if (!loop_is_held(in))
		return NULL;
	f->share = others + cause_share(in, CAUSE_SERVICE);
	f->severity = severity_of(f->share);
	finding_say(f, "Single handlers computed for up to %s and held the event loop: %s of the "
		    "tail's time was theirs or went by behind them",
		    format_ns(b->hold_max_ns).s, format_share(f->share).s);
	if (others >= LIMIT(CAUSE) && b->conns.n)
		finding_say(f, ", %s of the waiting behind the connection from %s",
			    format_share(ratio(b->conns.row[0].ns, b->cause_ns[CAUSE_HELD])).s,
			    conn_of(&b->conns.row[0]).s);
	finding_say(f, ".");
	EVIDENCE(f, { "handler_max_ns", b->hold_max_ns },
		 { "handler_mean_ns", ratio(b->hold_sum_ns, b->hold_count) },
		 { "turns_held", b->hold_count }, { "behind_share", others });
	if (b->conns.n)
		evidence_name(f, "connection", conn_of(&b->conns.row[0]).s);
	if (b->loops.n)
		evidence_name(f, "thread", b->loops.row[0].comm);
	return "Move the work off the event loop (a worker thread, or slices between turns); "
	       "`epollscope flame --mode tail` shows its code.";
}

const char *rule_cpu_throttled(const struct finding_input *in, struct finding *f)
{
	const struct facts *facts = in->facts;

	f->share = cause_share(in, CAUSE_CPU);
	if (!facts->throttled || (in->b->count && f->share < LIMIT(CAUSE)))
		return NULL;
	f->severity = severity_of(f->share);
	finding_say(f, "The control group %s used up its CPU quota in %s periods and stood still "
		    "for %s in all; %s of the tail's time went to waiting for a CPU.",
		    format_comm(facts->cgroup, sizeof(facts->cgroup), 48).s,
		    format_count(facts->throttled).s, format_ns(facts->throttled_ns).s,
		    format_share(f->share).s);
	EVIDENCE(f, { "throttled_periods", facts->throttled },
		 { "throttled_ns", facts->throttled_ns },
		 { "runqueue_max_ns", in->r->runqueue.max_ns });
	return "Raise the group's CPU limit, or use fewer threads than it allows.";
}

static bool is_ours(const struct report *r, uint32_t pid)
{
	for (size_t i = 0; i < r->n_targets; i++)
		if (r->targets[i].pid == pid)
			return true;
	return false;
}

/*
 * Who had the CPU meanwhile is known of a part of the waiting. Returns our own threads' share of
 * that part; the other threads' first, if it had a fifth of it or more, is `other`.
 */
static double own_part(const struct finding_input *in, const struct blame_row **other)
{
	const struct blame_sums *b = in->b;
	uint64_t own = 0, known = 0;

	*other = NULL;
	for (size_t i = 0; i < b->instead.n; i++) {
		known += b->instead.row[i].ns;
		if (is_ours(in->r, b->instead.row[i].pid))
			own += b->instead.row[i].ns;
		else if (!*other)
			*other = &b->instead.row[i];
	}
	if (*other && (*other)->ns * 5 < known)
		*other = NULL;
	return ratio(own, known);
}

static void say_instead(const struct finding_input *in, struct finding *f,
			const struct blame_row *other)
{
	const struct blame_sums *b = in->b;

	finding_say(f, "; %s (pid %u) ran instead, for at least %s of that",
		    format_comm(other->comm, sizeof(other->comm), 24).s, other->pid,
		    format_share(ratio(other->ns, b->cause_ns[CAUSE_CPU])).s);
	evidence_name(f, "instead", other->comm);
	EVIDENCE(f, { "instead_pid", other->pid },
		 { "instead_share", ratio(other->ns, b->latency_ns) });
}

/*
 * Waits for a CPU that are long by themselves: one wait in a hundred, if there are so many, or what each
 * exchange of the tail had of them. A request to a proxy has two waits or more, so theirs is not the
 * same P99.
 */
static bool waits_are_long(const struct finding_input *in)
{
	const struct dist *waits = &in->r->runqueue;

	return ((double)waits->count >= LIMIT(EXCHANGES) &&
		(double)waits->p99_ns >= LIMIT(RUNQUEUE)) ||
	       ratio(in->b->cause_ns[CAUSE_CPU], in->b->count) >= LIMIT(RUNQUEUE);
}

const char *rule_cpu_starved(const struct finding_input *in, struct finding *f)
{
	const struct blame_row *other;
	const char *advice;
	double own;

	if (!waits_are_long(in) || in->facts->throttled)
		return NULL;
	own = f->share * own_part(in, &other);
	finding_say(f, "The server was ready to run and got no CPU: %s of the tail's time (run "
		    "queue P99 %s, at most %s)", format_share(f->share).s,
		    format_ns(in->r->runqueue.p99_ns).s, format_ns(in->r->runqueue.max_ns).s);
	if (f->share - own < LIMIT(CAUSE)) {
		f->severity = SEVERITY_INFO;
		finding_say(f, "; mostly other threads of the server had it");
		advice = "It keeps its CPUs busy: more of them, or fewer threads, would help.";
	} else {
		f->severity = severity_of(f->share - own);
		advice = "Give it CPUs of its own (affinity, cpuset), or a larger weight than its "
			 "neighbours.";
		if (other)
			say_instead(in, f, other);
	}
	finding_say(f, ".");
	EVIDENCE(f, { "own_share", own }, { "runqueue_p99_ns", in->r->runqueue.p99_ns },
		 { "runqueue_max_ns", in->r->runqueue.max_ns },
		 { "runqueue_sum_ns", in->r->runqueue.sum_ns });
	return advice;
}

/* Go polls between goroutines: what its threads do meanwhile is to run these. */
static const char *say_goroutines(const struct finding_input *in, struct finding *f)
{
	const struct clock *clock = clock_find(CLOCK_LOOP, &in->b->dispatch, CLOCK_GO);

	finding_say(f, "The server's own goroutines kept the processors: %s of the tail's time data "
		    "waited for Go to poll, or its goroutine for a processor of Go's (dispatch P99 %s).",
		    format_share(f->share).s, format_ns(in->r->stages[STAGE_DISPATCH].dist.p99_ns).s);
	if (clock)
		finding_say(f, " The pause is %s: %s.", format_ns(in->b->dispatch.p50_ns).s,
			    clock->words);
	return "Raise GOMAXPROCS if there are CPUs, or have goroutines that compute yield "
	       "(runtime.Gosched) or run in another process.";
}

const char *rule_batch_queueing(const struct finding_input *in, struct finding *f)
{
	const struct dist *dispatch = &in->r->stages[STAGE_DISPATCH].dist;
	uint64_t turns = 0, events = 0, all;
	double each;

	if ((double)dispatch->p99_ns < LIMIT(DISPATCH))
		return NULL;
	for (size_t i = 0; i < in->r->n_loops; i++) {
		turns += in->r->loops[i].turns;
		events += in->r->loops[i].events;
	}
	each = ratio(events, turns);
	EVIDENCE(f, { "dispatch_p99_ns", dispatch->p99_ns }, { "events_per_wait", each });
	if (in->facts->go)
		return say_goroutines(in, f);
	/* With idle loops beside it, that is the finding. */
	if (overloaded_loop(in, &all))
		f->severity = SEVERITY_INFO;
	finding_say(f, "Exchanges queued behind the others of their batch: %s of the tail's time "
		    "(dispatch P99 %s, %s events a wait on average).", format_share(f->share).s,
		    format_ns(dispatch->p99_ns).s, format_decimal(each, 1).s);
	return "Take fewer events a wait, serve more loops, or make each handler shorter.";
}

/* Not split: another thread answered, or what the thread did between read and answer is not known. */
static const char *late_answers(const struct finding_input *in, struct finding *f)
{
	f->share = cause_share(in, CAUSE_ASYNC);
	if (f->share < LIMIT(SERVICE))
		return NULL;
	f->severity = severity_of(f->share);
	finding_say(f, "Answers come from another thread than the one that was told of the request: "
		    "%s of the tail's time the request was in the application's hands, and which "
		    "thread had it when is not known.", format_share(f->share).s);
	EVIDENCE(f, { "service_p99_ns", in->r->stages[STAGE_SERVICE].dist.p99_ns });
	return "Look at the application's own queues and worker threads; `epollscope flame --mode "
	       "tail` shows what the answering thread did.";
}

const char *rule_slow_service(const struct finding_input *in, struct finding *f)
{
	const struct blame_sums *b = in->b;

	f->share = cause_share(in, CAUSE_SERVICE);
	if (f->share < LIMIT(SERVICE))
		return late_answers(in, f);
	/* One that holds the loop is told as what it does to the others. */
	if ((double)b->service_max_ns < LIMIT(TAIL) || loop_is_held(in))
		return NULL;
	f->severity = severity_of(f->share);
	finding_say(f, "The application computes: %s of the tail's time is its own work on the "
		    "CPU (median %s, at most %s an exchange).", format_share(f->share).s,
		    format_ns(b->service_p50_ns).s, format_ns(b->service_max_ns).s);
	EVIDENCE(f, { "service_p50_ns", b->service_p50_ns },
		 { "service_max_ns", b->service_max_ns });
	return "Profile it: `epollscope flame --mode tail` shows the code of the slow ones only.";
}

/*
 * The clock behind the pauses in requests: of the tail's, or, if those are merely the slowest of them
 * all, of all.
 */
static const struct clock *pause_clock(const struct finding_input *in, uint64_t *pause_ns)
{
	const struct dist *all = &in->r->stages[STAGE_RECEIVE].dist;
	const struct cluster whole = { .count = all->count, .p10_ns = all->p50_ns,
				       .p50_ns = all->p50_ns, .p90_ns = all->p90_ns };
	const struct clock *clock = clock_find(CLOCK_REQUEST, &in->b->receive, 0);

	*pause_ns = in->b->receive.p50_ns;
	if (clock || in->b->receive.p50_ns > 2 * whole.p50_ns)
		return clock;
	*pause_ns = whole.p50_ns;
	return clock_find(CLOCK_REQUEST, &whole, 0);
}

const char *rule_slow_request(const struct finding_input *in, struct finding *f)
{
	const struct dist *receive = &in->r->stages[STAGE_RECEIVE].dist;
	const struct clock *clock;
	uint64_t pause_ns;

	if (!receive->count)
		return NULL;
	f->severity = SEVERITY_WARNING;
	finding_say(f, "Requests arrive in pieces: %s of the tail's time passed between the first "
		    "and the last of them (P99 %s).", format_share(f->share).s,
		    format_ns(receive->p99_ns).s);
	EVIDENCE(f, { "receive_p99_ns", receive->p99_ns });
	clock = pause_clock(in, &pause_ns);
	if (clock) {
		finding_say(f, " The pause is %s: %s.", format_ns(pause_ns).s, clock->words);
		EVIDENCE(f, { "pause_ns", pause_ns });
		return clock->advice;
	}
	return "Either the client or the network is slow, or the client waits for something of this "
	       "side: look at a connection's packets. A header or body time-out bounds how long the "
	       "server waits.";
}
