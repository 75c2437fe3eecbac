/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules_loop.c - how epoll is used, whether or not it has made a tail yet. */
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

const char *rule_ctl_churn(const struct finding_input *in, struct finding *f)
{
	static const char *const what[CTL_COUNT] = {
		"EPOLL_CTL_ADD", "EPOLL_CTL_DEL", "EPOLL_CTL_MOD", "EPOLL_CTL_MOD with EPOLLOUT",
		"EPOLL_CTL_MOD with EPOLLONESHOT",
	};
	uint64_t spare = 2 * (in->r->connections.opened + in->r->connections.closed +
			      in->r->client.count);
	uint64_t calls = in->r->counters.ctl[CTL_ADD] + in->r->counters.ctl[CTL_DEL];
	unsigned most = CTL_MOD;
	double each;

	/* A connection, to an upstream too, takes an ADD and a DEL; each request to an upstream may
	 * need a connection of its own. */
	calls = calls > spare ? calls - spare : 0;
	for (unsigned i = CTL_MOD; i < CTL_COUNT; i++) {
		calls += in->r->counters.ctl[i];
		if (in->r->counters.ctl[i] > in->r->counters.ctl[most])
			most = i;
	}
	if (calls > 2 * in->r->counters.ctl[most])
		most = CTL_ADD;
	each = ratio(calls, in->r->latency.count);
	if ((double)in->r->latency.count < LIMIT(EXCHANGES) || each <= LIMIT(CTL))
		return NULL;
	f->severity = each > 3 * LIMIT(CTL) ? SEVERITY_SEVERE : SEVERITY_WARNING;
	finding_say(f, "%s epoll_ctl calls for each exchange, most of them %s.",
		    format_decimal(each, 2).s, what[most]);
	EVIDENCE(f, { "ctl_per_exchange", each }, { "calls", calls });
	evidence_name(f, "operation", what[most]);
	return most == CTL_MOD_ONESHOT ?
	       "EPOLLONESHOT needs one call for each event: use edge triggering instead." :
	       "Register a connection once, edge-triggered for input and output, and "
	       "leave it so.";
}

const char *rule_spurious_wakeups(const struct finding_input *in, struct finding *f)
{
	uint64_t events = 0, all, spurious = in->r->counters.events_spurious;
	double share;

	for (size_t i = 0; i < in->r->n_loops; i++)
		events += in->r->loops[i].events;
	all = events;
	/* Of turns that were not looked at whole it is not known what their events led to. */
	if (in->r->sampled.on)
		events = in->r->counters.events_windowed;
	for (size_t i = 0; i < in->r->n_eventpolls; i++)
		if (in->r->eventpolls[i].shared)
			return NULL;	/* who got the event is not who does the I/O */
	share = ratio(spurious, events);
	if (in->facts->go || spurious < 100 || share <= LIMIT(SPURIOUS))
		return NULL;
	if (in->r->sampled.on)
		spurious = (uint64_t)(share * (double)all);
	f->severity = share > 0.5 ? SEVERITY_SEVERE : SEVERITY_WARNING;
	finding_say(f, "%s of the events (%s) led to no input or output", format_share(share).s,
		    format_count(spurious).s);
	if (in->facts->out_armed)
		finding_say(f, ": EPOLLOUT is left armed, level-triggered, on %u of %u descriptors",
			    in->facts->out_armed, in->facts->out_watched);
	finding_say(f, ".");
	EVIDENCE(f, { "spurious_share", share }, { "spurious_events", spurious },
		 { "out_armed", in->facts->out_armed });
	return in->facts->out_armed ?
	       "Ask for EPOLLOUT only while a send is incomplete, or edge-triggered." :
	       "Read what an event announces, or stop asking for it.";
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

const char *rule_poll_spin(const struct finding_input *in, struct finding *f)
{
	uint64_t waits = 0, empty = in->r->counters.waits_empty, most = 0;
	double share, cpus;

	for (size_t i = 0; i < in->r->n_loops; i++) {
		uint64_t cpu = facts_cpu_ns(in->facts, in->r->loops[i].tid);

		waits += in->r->loops[i].turns;
		if (cpu > most)
			most = cpu;
	}
	share = ratio(empty, waits);
	cpus = ratio(most, in->r->window_ns);
	if (in->facts->go || empty < 1000 || share <= LIMIT(SPIN) || cpus <= 0.5)
		return NULL;
	finding_say(f, "The loop spins: %s of its waits returned nothing at once, and a thread used "
		    "%s of a CPU.", format_share(share).s, format_share(cpus).s);
	EVIDENCE(f, { "empty_share", share }, { "cpu_share", cpus },
		 { "waits_per_second", ratio(waits * 1000, in->r->window_ns / 1000000) });
	return "Wait with a time-out, or -1, unless work is pending.";
}

const char *rule_io_uring_bypass(const struct finding_input *in, struct finding *f)
{
	if (!in->facts->io_uring)
		return NULL;
	finding_say(f, "The target holds an io_uring: what it reads and sends that way is timed at "
		    "its sockets, but its system calls and turns are not seen.");
	return "Read the tables of system calls and loops with that in mind.";
}
