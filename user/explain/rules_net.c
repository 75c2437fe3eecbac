/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules_net.c - connections and the network. */
#include "explain/finding.h"

const char *rule_close_wait_leak(const struct finding_input *in, struct finding *f)
{
	uint64_t old = in->r->counters.close_wait_old;
	uint64_t queued = in->r->counters.close_wait_unaccepted;

	if (!old)
		return NULL;
	if (queued * 2 > old)
		finding_say(f, "%s clients have given up in the accept queue: their connections "
			    "were never accepted, the oldest for %s.", format_count(old).s,
			    format_ns(in->r->counters.close_wait_max_ns).s);
	else
		finding_say(f, "%s connections that their clients have closed are still open here "
			    "(CLOSE_WAIT), the oldest for %s.", format_count(old).s,
			    format_ns(in->r->counters.close_wait_max_ns).s);
	EVIDENCE(f, { "connections", old }, { "never_accepted", queued },
		 { "oldest_ns", in->r->counters.close_wait_max_ns });
	return queued * 2 > old ? "Accept them: the acceptor has stopped or is too slow." :
	       "Close a connection when a read returns 0, or on EPOLLRDHUP.";
}

/* Something that holds back the ends of answers, if it did often enough. */
static bool kept_back(const struct finding_input *in, struct finding *f, uint64_t delayed,
		      uint64_t delayed_ns)
{
	double share = ratio(delayed, in->r->counters.answer_sends);

	if (delayed < 5 || share <= LIMIT(NAGLE))
		return false;
	EVIDENCE(f, { "delayed", delayed }, { "delay_mean_ns", ratio(delayed_ns, delayed) },
		 { "share_of_sends", share });
	return true;
}

const char *rule_nagle_delay(const struct finding_input *in, struct finding *f)
{
	const struct counters *n = &in->r->counters;
	uint64_t mean = n->nagle_delayed ? n->nagle_delayed_ns / n->nagle_delayed : 0;
	const struct cluster delays = { n->nagle_delayed, mean, mean, mean };
	const struct clock *clock = clock_find(CLOCK_ANSWER_NAGLE, &delays, 0);

	if (kept_back(in, f, n->nagle_delayed, n->nagle_delayed_ns)) {
		finding_say(f, "The ends of %s answers were kept back by the Nagle algorithm until "
			    "the client acknowledged their beginnings, %s on average (%s of the "
			    "sends).", format_count(n->nagle_delayed).s,
			    format_ns(mean).s,
			    format_share(ratio(n->nagle_delayed, n->answer_sends)).s);
		if (clock)
			finding_say(f, " The pause is %s: %s.", format_ns(mean).s, clock->words);
		return "Set TCP_NODELAY, and send an answer with one call (writev).";
	}
	if (!kept_back(in, f, n->cork_delayed, n->cork_delayed_ns))
		return NULL;
	finding_say(f, "The ends of %s answers stayed in the socket because of TCP_CORK, %s on "
		    "average, although their clients had room for them: an answer that is sent is "
		    "not delivered then (the kernel lets go after 200 ms).",
		    format_count(n->cork_delayed).s,
		    format_ns(n->cork_delayed_ns / n->cork_delayed).s);
	return "Take TCP_CORK (nginx: tcp_nopush) off as soon as an answer is complete.";
}

const char *rule_small_writes(const struct finding_input *in, struct finding *f)
{
	double share = ratio(in->r->counters.answers_small, in->r->counters.answers);
	double each = ratio(in->r->counters.answer_sends, in->r->counters.answers);

	if ((double)in->r->counters.answers < LIMIT(EXCHANGES) || share <= LIMIT(SMALL))
		return NULL;
	finding_say(f, "Responses go out in many small writes: %s sends each, %s of them in more than "
		    "two of less than 256 bytes.", format_decimal(each, 1).s, format_share(share).s);
	EVIDENCE(f, { "sends_per_answer", each }, { "share_of_answers", share });
	return "Gather a response and send it with one call (writev, or MSG_MORE).";
}

/* Sends that found the buffer full are as frequent as answers that took long, or more so. */
static bool readers_are_slow(const struct report *r)
{
	return r->counters.send_eagain >= 5 && r->counters.send_eagain * 100 >= r->send.count;
}

const char *rule_send_blocked(const struct finding_input *in, struct finding *f)
{
	const struct dist *send = &in->r->send;

	if (send->count < 20 || (double)send->p99_ns <= LIMIT(SEND) || !readers_are_slow(in->r))
		return NULL;
	finding_say(f, "Answers take long to hand over: P99 %s between their first and last byte, "
		    "at most %s. The clients read slowly: %s sends found the socket's buffer full.",
		    format_ns(send->p99_ns).s, format_ns(send->max_ns).s,
		    format_count(in->r->counters.send_eagain).s);
	/* A shut window has a finding of its own, which says more. */
	f->severity = in->r->counters.window_theirs ? SEVERITY_WARNING : SEVERITY_SEVERE;
	EVIDENCE(f, { "send_p99_ns", send->p99_ns }, { "send_max_ns", send->max_ns },
		 { "buffer_full", in->r->counters.send_eagain });
	return "Bound what is queued for a slow reader, and close it when it stays behind.";
}

/* Whether the parts are in time only the application knows. */
const char *rule_streamed(const struct finding_input *in, struct finding *f)
{
	const struct dist *send = &in->r->send;

	if (send->count < 20 || (double)send->p99_ns <= LIMIT(SEND) || readers_are_slow(in->r))
		return NULL;
	finding_say(f, "Answers are sent in parts over some time: P99 %s between their first and last "
		    "byte, at most %s; %s found the socket's buffer full, so it is the server that "
		    "chose the times.", format_ns(send->p99_ns).s, format_ns(send->max_ns).s,
		    in->r->counters.send_eagain ? "few sends" : "no send");
	EVIDENCE(f, { "send_p99_ns", send->p99_ns }, { "send_max_ns", send->max_ns },
		 { "buffer_full", in->r->counters.send_eagain },
		 { "answers_streamed", in->r->counters.answers_streamed });
	return "If they are streamed on purpose all is well; else send an answer as soon as it is "
	       "complete.";
}

const char *rule_retransmits(const struct finding_input *in, struct finding *f)
{
	uint64_t n = in->r->connections.retransmits;
	double share = ratio(n, in->r->counters.segments_out);

	if (n < 10 || share <= LIMIT(RETRANSMITS))
		return NULL;
	finding_say(f, "The network loses packets: %s of %s segments were sent again (%s).",
		    format_count(n).s, format_count(in->r->counters.segments_out).s,
		    format_share(share).s);
	EVIDENCE(f, { "retransmits", n }, { "segments", in->r->counters.segments_out },
		 { "share_of_segments", share });
	return "Look at the path: drops on interfaces, a full queue, a policer.";
}

const char *rule_zero_window(const struct finding_input *in, struct finding *f)
{
	uint64_t theirs = in->r->counters.window_theirs, ours = in->r->counters.window_ours;

	if (!theirs && !ours)
		return NULL;
	if (theirs)
		finding_say(f, "Clients do not read: their receive window was shut %s times for %s "
			    "in all.", format_count(theirs).s,
			    format_ns(in->r->counters.window_theirs_ns).s);
	if (ours)
		finding_say(f, "%sThe server does not read what has come: its receive window was "
			    "shut %s times for %s in all.", theirs ? " " : "",
			    format_count(ours).s, format_ns(in->r->counters.window_ours_ns).s);
	EVIDENCE(f, { "theirs", theirs }, { "theirs_ns", in->r->counters.window_theirs_ns },
		 { "ours", ours }, { "ours_ns", in->r->counters.window_ours_ns });
	return theirs ?
	       "Bound what is queued for a slow reader, and close it when it stays behind." :
	       "Read in each turn, or shed load before it queues here.";
}
