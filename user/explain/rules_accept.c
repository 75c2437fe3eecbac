/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules_accept.c - connections on their way to whoever accepts them. */
#include "explain/finding.h"

#define DEAF_NS 1000000000ULL	/* the first in the queue of a listener that is served waits for less */

/* Whether the accepting thread was kept from the queue by its turns, or took too few from it. */
static void say_acceptor(const struct finding_input *in, struct finding *f)
{
	const struct loop_info *most = NULL;

	for (size_t i = 0; i < in->r->n_loops; i++)
		if (in->r->loops[i].accepts && (!most || in->r->loops[i].accepts > most->accepts))
			most = &in->r->loops[i];
	if (!most)
		return;
	if (most->turn.max_ns * 2 >= in->r->connections.accept_wait.max_ns)
		finding_say(f, " The accepting thread (tid %u) was held by its turns, for up to %s.",
			    most->tid, format_ns(most->turn.max_ns).s);
	else
		finding_say(f, " The accepting thread (tid %u) was back at its wait within %s each "
			    "time: it accepts too few connections per iteration.", most->tid,
			    format_ns(most->turn.max_ns).s);
	EVIDENCE(f, { "acceptor_tid", most->tid });
}

/* The queue that was fullest of those that are short of room; NULL if none is. */
static const struct listener_info *full_queue(const struct finding_input *in)
{
	const struct listener_info *full = NULL;

	for (size_t i = 0; i < in->r->n_listeners; i++) {
		const struct listener_info *l = &in->r->listeners[i];
		double fill = l->limit ? ratio(l->backlog_max, l->limit) : 0;

		if (fill > LIMIT(BACKLOG) &&
		    (!full || fill > ratio(full->backlog_max, full->limit)))
			full = l;
	}
	return full;
}

static bool own_port(const void *ctx, uint32_t port)
{
	const struct report *r = ctx;

	for (size_t i = 0; i < r->n_listeners; i++)
		if (r->listeners[i].port == port)
			return true;
	return false;
}

/*
 * Connections that a full queue of the target dropped. The kernel counts overflows for a whole
 * namespace, and a listener's drops of every kind: neither alone is an overflow of ours.
 */
static uint64_t own_overflows(const struct finding_input *in)
{
	uint64_t all = in->r->connections.listen_overflows, drops;

	if (!in->facts->n_listeners)
		return full_queue(in) ? all : 0;
	drops = facts_drops(in->facts, own_port, in->r);
	return drops < all ? drops : all;
}

/*
 * Whether nobody accepts from a listener. It is certain if the same connection is first in the queue
 * as at the attach; else the first waits much longer than anybody that was accepted.
 */
static bool is_deaf(const struct finding_input *in, const struct listener_fact *l)
{
	return l->queue && l->oldest_ns >= DEAF_NS && own_port(in->r, l->port) &&
	       (l->unmoved || l->oldest_ns > 10 * in->r->connections.accept_wait.max_ns);
}

/* The one with most connections waiting; NULL if there is none. */
static const struct listener_fact *deaf_listener(const struct finding_input *in)
{
	const struct listener_fact *worst = NULL;

	for (uint32_t i = 0; i < in->facts->n_listeners; i++) {
		const struct listener_fact *l = &in->facts->listeners[i];

		if (is_deaf(in, l) && (!worst || l->queue > worst->queue))
			worst = l;
	}
	return worst;
}

/* Another listening socket of the port, from which somebody does accept. */
static bool has_sibling(const struct finding_input *in, const struct listener_fact *l)
{
	const struct listener_fact *other = in->facts->listeners;

	for (; other < in->facts->listeners + in->facts->n_listeners; other++)
		if (other != l && other->port == l->port && !is_deaf(in, other))
			return true;
	return false;
}

static uint64_t accepted_at(const struct report *r, uint32_t port)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n_listeners; i++)
		if (r->listeners[i].port == port)
			n += r->listeners[i].accepted;
	return n;
}

static const char *say_deaf(const struct finding_input *in, struct finding *f,
			    const struct listener_fact *l)
{
	uint64_t accepted = accepted_at(in->r, l->port);
	bool sibling = has_sibling(in, l);

	f->severity = SEVERITY_SEVERE;
	if (sibling)
		finding_say(f, "A second listening socket of port %u is served by nobody: ", l->port);
	else
		finding_say(f, "Nobody accepts at port %u: ", l->port);
	finding_say(f, "%u connections are queued, the first for %s", l->queue,
		    format_ns(l->oldest_ns).s);
	if (l->unmoved)
		finding_say(f, ", and none was accepted");
	if (sibling && accepted)
		finding_say(f, ", while %s were accepted at the other (SO_REUSEPORT deals them out)",
			    format_count(accepted).s);
	finding_say(f, ".");
	if (l->pid) {
		finding_say(f, " It is open in %s (pid %u).",
			    format_comm(l->comm, sizeof(l->comm), 24).s, l->pid);
		evidence_name(f, "owner", format_comm(l->comm, sizeof(l->comm), 24).s);
		EVIDENCE(f, { "owner_pid", l->pid });
	}
	EVIDENCE(f, { "port", l->port }, { "queued", l->queue }, { "oldest_ns", l->oldest_ns },
		 { "accepted_elsewhere", accepted });
	return sibling ? "Accept from it, or close it in every process that has it (a process of "
			 "before a restart, a child that inherited it)." :
	       "See what the accepting thread does: it has stopped, or no longer watches the "
	       "listener.";
}

const char *rule_accept_starved(const struct finding_input *in, struct finding *f)
{
	const struct dist *wait = &in->r->connections.accept_wait;
	const struct listener_info *full = full_queue(in);
	const struct listener_fact *deaf = deaf_listener(in);
	uint64_t overflows = own_overflows(in);

	if (deaf)
		return say_deaf(in, f, deaf);
	if (!(wait->count >= 10 && (double)wait->p99_ns > LIMIT(ACCEPT)) && !overflows && !full)
		return NULL;
	/* Without descriptors nothing can be accepted: that is the finding. */
	f->severity = in->r->counters.accept_no_fd ? SEVERITY_WARNING : SEVERITY_SEVERE;
	f->share = cause_share(in, CAUSE_ACCEPT);
	finding_say(f, "Connections wait to be accepted: P99 %s, at most %s",
		    format_ns(wait->p99_ns).s, format_ns(wait->max_ns).s);
	if (full) {
		finding_say(f, "; the queue of port %u held %u of %u", full->port,
			    full->backlog_max, full->limit);
		EVIDENCE(f, { "port", full->port }, { "backlog_max", full->backlog_max },
			 { "backlog_limit", full->limit });
	}
	if (overflows)
		finding_say(f, "; %s were dropped because it was full", format_count(overflows).s);
	finding_say(f, ".");
	say_acceptor(in, f);
	EVIDENCE(f, { "accept_p99_ns", wait->p99_ns }, { "accept_max_ns", wait->max_ns },
		 { "overflows", overflows });
	return "Accept until EAGAIN in each turn, with more acceptors, or from a thread of its "
	       "own; raise the backlog (listen() and net.core.somaxconn).";
}

const char *rule_thundering_herd(const struct finding_input *in, struct finding *f)
{
	uint64_t opened = in->r->connections.opened, empty = in->r->counters.accept_empty;
	/* A thread that finds the event gone goes back to sleep within the same wait. */
	bool looked = in->facts->known && !in->facts->epoll_unread;
	uint64_t vain = looked ? in->r->counters.wakes_vain : 0;

	if (empty + vain < 20 || ratio(empty + vain, opened) <= LIMIT(HERD) ||
	    (looked && in->facts->herd_waiters < 2))
		return NULL;
	finding_say(f, "Several loops wake for one connection: %s accepts found nothing and %s "
		    "wake-ups were in vain, for %s connections", format_count(empty).s,
		    format_count(vain).s, format_count(opened).s);
	if (in->facts->herd_waiters)
		finding_say(f, "; %u eventpolls share a listener without EPOLLEXCLUSIVE",
			    in->facts->herd_waiters);
	finding_say(f, ".");
	EVIDENCE(f, { "empty_accepts", empty }, { "vain_wakeups", vain }, { "accepts", opened },
		 { "waiters", in->facts->herd_waiters });
	return "Add EPOLLEXCLUSIVE to the listener's registration, or give each loop a listener of "
	       "its own (SO_REUSEPORT).";
}

const char *rule_fd_exhaustion(const struct finding_input *in, struct finding *f)
{
	if (!in->r->counters.accept_no_fd)
		return NULL;
	finding_say(f, "The server has run out of file descriptors: %s accepts failed with EMFILE "
		    "or ENFILE.", format_count(in->r->counters.accept_no_fd).s);
	EVIDENCE(f, { "failed_accepts", in->r->counters.accept_no_fd });
	return "Raise RLIMIT_NOFILE (systemd: LimitNOFILE=), and look for descriptors that are "
	       "never closed.";
}
