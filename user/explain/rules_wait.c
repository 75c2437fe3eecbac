/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules_wait.c - requests that waited while nobody worked for them, or for somebody to do it. */
#include "explain/finding.h"

/* Mean time of a tail exchange in which its loop was idle, with its answer due. */
static double idle_mean(const struct finding_input *in)
{
	const struct blame_sums *b = in->b;

	return ratio(b->cause_ns[CAUSE_UPSTREAM] + b->cause_ns[CAUSE_IDLE], b->count);
}

/*
 * Which upstream exchange was for which of ours is known only where its answer is passed on at once. Else
 * the upstreams are named only if their slow answers take about as long as the loop was idle.
 */
static bool upstream_fits(const struct finding_input *in)
{
	const struct dist *client = &in->r->client;

	return client->count && (double)client->p99_ns * 2 >= idle_mean(in);
}

const char *rule_slow_upstream(const struct finding_input *in, struct finding *f)
{
	double known = cause_share(in, CAUSE_UPSTREAM), idle = cause_share(in, CAUSE_IDLE);
	const struct dist *client = &in->r->client;

	if (known >= LIMIT(SERVICE)) {
		f->share = known;
		f->severity = severity_of(known);
		finding_say(f, "The server waits for its upstreams: %s of the tail's time it was idle "
			    "and one of them owed it the answer that it passed on next, for up to %s",
			    format_share(known).s, format_ns(in->b->upstream_max_ns).s);
	} else if (known + idle >= LIMIT(SERVICE) && upstream_fits(in)) {
		f->share = known + idle;
		finding_say(f, "The server was idle for %s of the tail's time with answers due, and its "
			    "upstreams take about that long; which answer waited for which of them is "
			    "not known", format_share(f->share).s);
	} else {
		return NULL;
	}
	finding_say(f, " (upstream P99 %s, at most %s).", format_ns(client->p99_ns).s,
		    format_ns(client->max_ns).s);
	EVIDENCE(f, { "upstream_p99_ns", client->p99_ns }, { "upstream_max_ns", client->max_ns },
		 { "joined_share", known },
		 { "service_p99_ns", in->r->stages[STAGE_SERVICE].dist.p99_ns });
	return "Look at the upstream server; set time-outs, hedge or cache.";
}

const char *rule_idle_wait(const struct finding_input *in, struct finding *f)
{
	f->share = cause_share(in, CAUSE_IDLE);
	if (f->share < LIMIT(SERVICE) || upstream_fits(in))
		return NULL;
	finding_say(f, "Nobody worked for the request: %s of the tail's time its loop was idle with "
		    "the answer due, for up to %s. It waited for a timer, another thread or process, or "
		    "a free upstream connection.", format_share(f->share).s,
		    format_ns(in->b->idle_max_ns).s);
	EVIDENCE(f, { "idle_max_ns", in->b->idle_max_ns }, { "idle_mean_ns", idle_mean(in) },
		 { "upstream_p99_ns", in->r->client.p99_ns });
	return "Look at the application's timers, queues and pools; its upstreams are seen if it is "
	       "watched by -p or -c, not by -P. Of a request that waits for an event, this is no fault.";
}

const char *rule_worker_wait(const struct finding_input *in, struct finding *f)
{
	const struct blame_sums *b = in->b;
	double busy = ratio(b->worker_busy_ns, b->worker_span_ns);
	const struct blame_row *call = b->worker_calls.n ? &b->worker_calls.row[0] : NULL;

	finding_say(f, "Requests wait for a worker thread: %s of the tail's time they had been handed "
		    "over and every worker was busy, for up to %s; meanwhile %s of %s were busy on "
		    "average", format_share(f->share).s, format_ns(b->worker_max_ns).s,
		    format_decimal(busy, 1).s, format_count(b->workers).s);
	if (call) {
		finding_say(f, ", asleep in %s for %s of that time", syscall_word(call->nr).s,
			    format_share(ratio(call->ns, b->worker_busy_ns)).s);
		evidence_name(f, "call", syscall_word(call->nr).s);
	}
	finding_say(f, ". The loop that hands them over is not what they wait for.");
	EVIDENCE(f, { "workers", b->workers }, { "workers_busy", busy },
		 { "wait_max_ns", b->worker_max_ns });
	return call ? "More workers, or a shorter sleep in each: they are asleep, not short of CPU." :
		      "More workers if there are CPUs for them, or shorter work in each.";
}

const char *rule_unarmed(const struct finding_input *in, struct finding *f)
{
	finding_say(f, "Data waited at descriptors that no eventpoll watched: %s of the tail's time, for "
		    "up to %s, in %s exchanges. They were armed for one event (EPOLLONESHOT) and not "
		    "armed again, or taken out and not put back.", format_share(f->share).s,
		    format_ns(in->b->unarmed_max_ns).s, format_count(in->r->unarmed).s);
	EVIDENCE(f, { "unarmed_max_ns", in->b->unarmed_max_ns }, { "exchanges", in->r->unarmed },
		 { "unarmed_sum_ns", in->r->stages[STAGE_BUSY].unarmed_ns });
	return "Arm the descriptor again (EPOLL_CTL_MOD, or ADD) as soon as its request is answered.";
}
