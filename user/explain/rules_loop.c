/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules_loop.c - how epoll is used, whether or not it has made a tail yet. */
#include <string.h>

#include "explain/finding.h"

const struct loop_info *overloaded_loop(const struct finding_input *in, uint64_t *all)
{
	const struct report *r = in->r;
	const struct loop_info *most = NULL;
	uint32_t serving = 0;
	bool idle = false;

	*all = 0;
	if ((double)r->window_ns < LIMIT(IMBALANCE_TIME) || in->facts->go)
		return NULL;
	for (size_t i = 0; i < r->n_loops; i++) {
		*all += r->loops[i].exchanges;
		serving += r->loops[i].exchanges != 0;	/* one that only accepts is no peer */
		if (!most || r->loops[i].exchanges > most->exchanges)
			most = &r->loops[i];
	}
	for (size_t i = 0; i < r->n_loops; i++)
		idle = idle || (&r->loops[i] != most && r->loops[i].exchanges &&
				r->loops[i].busy_share < 0.5);
	/* A loop with time to spare keeps up with an unequal share: only a busy one suffers. */
	if (serving < 2 || (double)*all < LIMIT(EXCHANGES) || !idle || most->busy_share < 0.7 ||
	    (double)most->exchanges * (serving - 1) <=
	    LIMIT(IMBALANCE) * (double)(*all - most->exchanges))
		return NULL;
	return most;
}

const char *rule_imbalance(const struct finding_input *in, struct finding *f)
{
	const struct report *r = in->r;
	uint64_t all;
	const struct loop_info *most = overloaded_loop(in, &all);

	if (!most)
		return NULL;
	/* What queues in that loop would be served elsewhere. */
	if (in->b->loops.n && in->b->loops.row[0].tid == most->tid)
		f->share = cause_share(in, CAUSE_BATCH) + cause_share(in, CAUSE_HELD);
	f->severity = severity_of(f->share);
	finding_say(f, "One loop does the work: tid %u served %s of %s exchanges and was busy %s "
		    "of the time, while others idled.", most->tid, format_count(most->exchanges).s,
		    format_count(all).s, format_share(most->busy_share).s);
	EVIDENCE(f, { "tid", most->tid }, { "exchanges_share", ratio(most->exchanges, all) },
		 { "busy_share", most->busy_share }, { "loops", r->n_loops });
	return "Spread connections by load when they are accepted, or by SO_REUSEPORT.";
}

const char *rule_edge_undrained(const struct finding_input *in, struct finding *f)
{
	uint64_t n = in->r->counters.undrained;

	if (!n)
		return NULL;
	finding_say(f, "Edge-triggered connections stalled with bytes left unread: %s times, %s on "
		    "average.", format_count(n).s, format_ns(in->r->counters.undrained_ns / n).s);
	EVIDENCE(f, { "stalls", n },
		 { "stall_mean_ns", (double)in->r->counters.undrained_ns / (double)n });
	return "With EPOLLET read until EAGAIN, or remember that there is more.";
}

/* Most exchanges were answered by threads that wait for no events: the loop hands them over. */
static bool loop_hands_over(const struct report *r)
{
	uint64_t own = 0;

	for (size_t i = 0; i < r->n_loops; i++)
		own += r->loops[i].exchanges;
	return own * 2 < r->latency.count;
}

static uint64_t all_events(const struct report *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n_loops; i++)
		n += r->loops[i].events;
	return n;
}

static uint64_t less(uint64_t from, uint64_t n)
{
	return from > n ? from - n : 0;
}

/*
 * Calls of epoll_ctl that a server need not make, and which kind most are. A connection, to an
 * upstream too, takes an ADD and a DEL; each request to an upstream may need a connection of its own.
 * EPOLLOUT and back is right where an answer goes on in a later turn: its send was incomplete, or the
 * server yielded to other connections.
 */
static uint64_t needless_ctl(const struct report *r, unsigned *most)
{
	const struct counters *n = &r->counters;
	uint64_t later = less(n->answer_sends, n->answers), mod[CTL_COUNT], calls;

	memcpy(mod, n->ctl, sizeof(mod));
	if (later > mod[CTL_MOD_OUT])
		later = mod[CTL_MOD_OUT];
	mod[CTL_MOD_OUT] -= later;
	mod[CTL_MOD] = less(mod[CTL_MOD], later);
	calls = less(n->ctl[CTL_ADD] + n->ctl[CTL_DEL],
		     2 * (r->connections.opened + r->connections.closed + r->client.count));
	*most = CTL_MOD;
	for (unsigned i = CTL_MOD; i < CTL_COUNT; i++) {
		calls += mod[i];
		if (mod[i] > mod[*most])
			*most = i;
	}
	if (calls > 2 * mod[*most])
		*most = CTL_ADD;
	return calls;
}

/* Of a processor, so much went by in a system call. */
static double call_cpu(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->n_syscalls; i++)
		if (!strcmp(r->syscalls[i].name, name))
			return ratio(r->syscalls[i].dist.sum_ns, r->window_ns);
	return 0;
}

const char *rule_ctl_churn(const struct finding_input *in, struct finding *f)
{
	static const char *const what[CTL_COUNT] = {
		"EPOLL_CTL_ADD", "EPOLL_CTL_DEL", "EPOLL_CTL_MOD", "EPOLL_CTL_MOD with EPOLLOUT",
		"EPOLL_CTL_MOD with EPOLLONESHOT",
	};
	unsigned most;
	uint64_t calls = needless_ctl(in->r, &most);
	double each = ratio(calls, in->r->latency.count);

	/* Exchanges may hold several requests: an event is at most one of a connection. */
	if ((double)in->r->latency.count < LIMIT(EXCHANGES) || each <= LIMIT(CTL) ||
	    ratio(calls, all_events(in->r)) <= LIMIT(CTL))
		return NULL;
	finding_say(f, "%s epoll_ctl calls for each exchange, most of them %s.",
		    format_decimal(each, 2).s, what[most]);
	EVIDENCE(f, { "ctl_per_exchange", each }, { "calls", calls },
		 { "cpu_share", call_cpu(in->r, "epoll_ctl") });
	evidence_name(f, "operation", what[most]);
	if (loop_hands_over(in->r)) {
		f->severity = SEVERITY_INFO;
		finding_say(f, " The loop hands each request to another thread, and keeps its "
			    "connection to itself no longer than that takes.");
		return "That is a price of handing over by the eventpoll: it is no fault.";
	}
	if (call_cpu(in->r, "epoll_ctl") >= LIMIT(CAUSE))
		f->severity = SEVERITY_SEVERE;
	return most == CTL_MOD_ONESHOT ?
	       "EPOLLONESHOT needs one call for each event: use edge triggering instead." :
	       "Register a connection once, edge-triggered for input and output, and "
	       "leave it so.";
}

/* --- events that lead to nothing, waits that return for nothing --- */

/* Of the events of turns that were looked at, the share that led to no input or output. */
static double spurious_share(const struct finding_input *in)
{
	const struct report *r = in->r;

	for (size_t i = 0; i < r->n_eventpolls; i++)
		if (r->eventpolls[i].shared)
			return 0;	/* who got the event is not who does the I/O */
	if (in->facts->go || loop_hands_over(r) || r->counters.events_spurious < 100)
		return 0;
	return ratio(r->counters.events_spurious,
		     r->sampled.on ? r->counters.events_windowed : all_events(r));
}

/* The most that one loop used. */
static double loop_cpu(const struct finding_input *in)
{
	uint64_t most = 0;

	for (size_t i = 0; i < in->r->n_loops; i++) {
		uint64_t cpu = facts_cpu_ns(in->facts, in->r->loops[i].tid);

		most = cpu > most ? cpu : most;
	}
	return ratio(most, in->r->window_ns);
}

#define SPIN_CPU	0.5	/* of a processor */
#define SPIN_ENDED_CPU	0.1	/* reads of 0 over and over are a spin, however little CPU it gets */

/* What a loop does that makes no progress, whatever its waits return. */
struct spin {
	uint64_t waits;
	double empty, ended, vain;	/* of the waits: without events; for reads of 0; for other events */
};

static bool is_spinning(const struct finding_input *in, struct spin *s)
{
	const struct counters *n = &in->r->counters;

	*s = (struct spin){ 0 };
	for (size_t i = 0; i < in->r->n_loops; i++)
		s->waits += in->r->loops[i].turns;
	s->empty = n->waits_empty >= 1000 ? ratio(n->waits_empty, s->waits) : 0;
	s->ended = n->eof_reads >= 1000 ? ratio(n->eof_reads, s->waits) : 0;
	/* EPOLLOUT left armed has a finding of its own, which says why. */
	if (s->waits >= 1000 && !in->facts->out_armed)
		s->vain = spurious_share(in);
	if (in->facts->go || loop_cpu(in) <= SPIN_ENDED_CPU)
		return false;
	return s->ended > LIMIT(SPIN) ||
	       (loop_cpu(in) > SPIN_CPU && (s->empty > LIMIT(SPIN) || s->vain > LIMIT(SPIN)));
}

const char *rule_spurious_wakeups(const struct finding_input *in, struct finding *f)
{
	double share = spurious_share(in);
	uint64_t spurious = (uint64_t)(share * (double)all_events(in->r));
	struct spin spin;

	if (share <= LIMIT(SPURIOUS) || is_spinning(in, &spin))
		return NULL;
	if (share > 0.5 && loop_cpu(in) > SPIN_CPU)
		f->severity = SEVERITY_SEVERE;
	finding_say(f, "%s of the events (%s) led to no input or output", format_share(share).s,
		    format_count(spurious).s);
	if (in->facts->out_armed)
		finding_say(f, ": EPOLLOUT is left armed, level-triggered, on %u of %u descriptors",
			    in->facts->out_armed, in->facts->out_watched);
	finding_say(f, ".");
	EVIDENCE(f, { "spurious_share", share }, { "spurious_events", spurious },
		 { "out_armed", in->facts->out_armed }, { "cpu_share", loop_cpu(in) });
	return in->facts->out_armed ?
	       "Ask for EPOLLOUT only while a send is incomplete, or edge-triggered." :
	       "Read what an event announces, or stop asking for it.";
}

static const char *say_ended(const struct finding_input *in, struct finding *f)
{
	const struct facts *facts = in->facts;

	finding_say(f, " %s reads returned 0, of connections whose end had been read before: they "
		    "stay ready for ever.", format_count(in->r->counters.eof_reads).s);
	EVIDENCE(f, { "eof_reads", in->r->counters.eof_reads });
	if (facts->eof_watched) {
		finding_say(f, " Descriptor %u of pid %u is one: its client has closed it "
			    "(CLOSE_WAIT), and it is still watched, level-triggered.",
			    facts->eof_fd, facts->eof_pid);
		EVIDENCE(f, { "descriptor", facts->eof_fd }, { "pid", facts->eof_pid },
			 { "descriptors", facts->eof_watched });
	}
	return "Close a descriptor when a read of it returns 0.";
}

const char *rule_poll_spin(const struct finding_input *in, struct finding *f)
{
	struct spin s;

	if (!is_spinning(in, &s))
		return NULL;
	EVIDENCE(f, { "cpu_share", loop_cpu(in) },
		 { "waits_per_second", ratio(s.waits * 1000, in->r->window_ns / 1000000) });
	finding_say(f, "The loop spins: a thread used %s of a CPU, and ",
		    format_share(loop_cpu(in)).s);
	if (s.ended <= LIMIT(SPIN) && s.empty > LIMIT(SPIN)) {
		finding_say(f, "%s of its waits returned nothing at once.", format_share(s.empty).s);
		EVIDENCE(f, { "empty_share", s.empty });
		return "Wait with a time-out, or -1, unless work is pending.";
	}
	if (s.ended > LIMIT(SPIN)) {
		finding_say(f, "its waits return at once without progress.");
		return say_ended(in, f);
	}
	finding_say(f, "%s of the events that its waits return at once led to no input or output.",
		    format_share(s.vain).s);
	EVIDENCE(f, { "spurious_share", s.vain });
	return "Read what an event announces, or stop asking for it.";
}

const char *rule_io_uring_bypass(const struct finding_input *in, struct finding *f)
{
	if (!in->facts->io_uring)
		return NULL;
	finding_say(f, "The target holds an io_uring: what it reads and sends that way is timed at "
		    "its sockets, but its system calls and turns are not seen.");
	return "Read the tables of system calls and loops with that in mind.";
}
