/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * traffic.h - which kind of traffic a connection carries, judged from what passes over it. Pure: the
 * kernel side feeds it, and a unit test does.
 *
 *  what is seen                                         | what it says
 *  -----------------------------------------------------+---------------------------------------------
 *  answer in the turn that read its request             | request-response: signs against it fade
 *  answer in a later turn, or by another thread         | not known: the first SEEN_ENOUGH of a
 *                                                       | connection are in doubt, and wait for signs
 *  read while an answer is due, in another turn         | an answer more is owed, or the request is long
 *  sends in turns that read nothing, as many as are     | overlapping, +2
 *  owed or fewer                                        |
 *  more than that                                       | a streamed answer (overlapping, -1), or
 *                                                       | pushes: how far they are apart is the rhythm
 *  answer that comes in the rhythm of such sends, as    | one-way, +2 (out of it: -1)
 *  if the read had not been                             |
 *  four reads or more, evenly apart, then a send before | one-way, +1
 *  the next would come, but not at once                 |
 *  SCORE_ENOUGH of these                                | judged
 *  then PLAIN_ENOUGH answers without a sign             | request-response again
 *  sends long after the last read, or reads that nobody | one-way, weakly: until the next exchange
 *  answers, TALK_ENOUGH of them                         |
 *  MQTT, websocket, a replica's acknowledgement; HTTP/2 | one-way; overlapping: for good
 *
 * An HTTP/1 answer may be streamed for as long as its server likes: no send makes such a connection
 * one-way. What can't be told apart: a push and its acknowledgement in strict alternation, in a protocol
 * that is not known, look like a request that is answered late.
 */
#ifndef EPOLLSCOPE_TRAFFIC_H
#define EPOLLSCOPE_TRAFFIC_H

#define SEEN_ENOUGH	8
#define SCORE_ENOUGH	4
#define SCORE_MAX	8
#define PLAIN_ENOUGH	64
#define PLAIN_AT_ONCE	4	/* what an answer in the turn of its request counts for, a later one 1 */
#define TALK_ENOUGH	3
#define SMALL_READ	4096	/* bytes: a larger one goes on with a request, and begins none */
#define RHYTHM_NS	20000000ULL	/* what is closer than that are parts: of an answer, of a request */
#define STREAM_NS	3000000000ULL	/* an answer of a protocol not known may be streamed so long */

/* Beside the kind, in its byte: */
#define TRAFFIC_KIND	0x0f
#define TRAFFIC_SETTLED	0x40	/* answers of later turns are in no doubt */
#define TRAFFIC_SIGNS	0x80	/* a score, or a doubt, that the next answer may end */

struct traffic {
	union {
		struct {
			__u8 kind;	/* enum traffic_kind, and the bits above */
			__u8 late;	/* reads while the answer was due, in other turns */
			__u8 unasked;	/* sends since the last answer, in turns that read nothing */
			__u8 owed;	/* late ones of the last answer: answers that may follow it */
		};
		__u32 word;
	};
	__u8 protocol;		/* enum protocol */
	__u8 looked;		/* the next read's bytes need not be looked at */
	__u8 fixed : 1;		/* by its protocol: not judged again */
	__u8 strong : 1;	/* by its score */
	__u8 doubted : 1;	/* exchanges in doubt were handed over */
	__u8 seen;		/* answers of later turns without a sign */
	__u8 lapping, pushing;	/* scores */
	__u8 plain;		/* answers since the last sign */
	__u8 talk;		/* sends, or reads, of one side alone */
	__u32 gap_us;		/* the rhythm of unasked sends; 0: none */
	__u32 send_turn;	/* of the last unasked send, or late answer */
};

enum traffic_verdict {
	TRAFFIC_COUNTS,
	TRAFFIC_DOUBTFUL,	/* counts, unless its connection turns out to be of another kind */
	TRAFFIC_OTHER,		/* no request and its answer */
};

#define TRAFFIC_INLINE static inline __attribute__((always_inline))

TRAFFIC_INLINE __u32 traffic_kind(const struct traffic *t)
{
	return t->kind & TRAFFIC_KIND;
}

/* Most answers: nothing has ever been odd about their connection. */
TRAFFIC_INLINE int traffic_plain(const struct traffic *t, int at_once)
{
	return t->word == KIND_REQUEST ? at_once : t->word == (KIND_REQUEST | TRAFFIC_SETTLED);
}

TRAFFIC_INLINE void traffic_kind_is(struct traffic *t, __u32 kind)
{
	t->kind = kind;
	if (kind == KIND_REQUEST && t->seen >= SEEN_ENOUGH)
		t->kind |= TRAFFIC_SETTLED;
	if (t->lapping || t->pushing || t->doubted)
		t->kind |= TRAFFIC_SIGNS;
}

TRAFFIC_INLINE void traffic_protocol(struct traffic *t, __u32 protocol)
{
	__u32 kind = protocol == PROTOCOL_HTTP2 ? KIND_OVERLAPPING : KIND_ONE_WAY;

	t->protocol = protocol;
	if (protocol != PROTOCOL_HTTP2 && protocol != PROTOCOL_MQTT && protocol != PROTOCOL_WEBSOCKET)
		return;
	t->fixed = 1;
	traffic_kind_is(t, kind);
}

TRAFFIC_INLINE void score_up(__u8 *score, __u8 by)
{
	*score = *score + by > SCORE_MAX ? SCORE_MAX : *score + by;
}

TRAFFIC_INLINE void score_down(__u8 *score)
{
	if (*score)
		--*score;
}

TRAFFIC_INLINE void traffic_judge(struct traffic *t)
{
	__u32 kind = KIND_NONE;

	if (t->fixed)
		return;
	if (t->lapping >= SCORE_ENOUGH)
		kind = KIND_OVERLAPPING;
	else if (t->pushing >= SCORE_ENOUGH && !t->lapping)
		kind = KIND_ONE_WAY;
	if (kind) {
		t->strong = 1;
		t->plain = 0;
	} else {
		kind = t->strong ? traffic_kind(t) : KIND_REQUEST;
	}
	traffic_kind_is(t, kind);
}

/* One side alone talks: since_read_ns after the last read of a request. */
TRAFFIC_INLINE void traffic_talks(struct traffic *t)
{
	if (t->talk < TALK_ENOUGH)
		t->talk++;
	if (t->talk == TALK_ENOUGH && !t->fixed && !t->strong)
		t->kind = KIND_ONE_WAY;
}

/* A read while an answer is due, in another turn than the read before it. */
TRAFFIC_INLINE void traffic_late_read(struct traffic *t, __u32 bytes, __u64 since_request_ns)
{
	if (bytes >= SMALL_READ)
		return;
	if (t->late < 255)
		t->late++;
	if (since_request_ns > STREAM_NS && t->protocol != PROTOCOL_HTTP1)
		traffic_talks(t);
}

/*
 * A send without an answer being due, in a turn that has read nothing: `since_send_ns` after the last
 * one, `since_read_ns` after the last read; acked: the peer has all that was sent before.
 */
TRAFFIC_INLINE void traffic_unasked(struct traffic *t, __u32 turn, __u64 since_send_ns,
				    __u64 since_read_ns, int acked)
{
	__u64 gap_us = since_send_ns / 1000;

	if (t->send_turn == turn)
		return;
	t->send_turn = turn;
	if (t->unasked < 255)
		t->unasked++;
	if (t->unasked <= t->owed || t->protocol == PROTOCOL_HTTP1)
		return;
	t->looked = t->fixed || t->protocol == PROTOCOL_TLS;
	if (gap_us > 0xffffffff / 4)
		gap_us = 0xffffffff / 4;
	t->gap_us = t->gap_us ? (t->gap_us * 3ULL + gap_us) / 4 : gap_us;
	if (acked && (since_read_ns > STREAM_NS || t->protocol == PROTOCOL_REDIS))
		traffic_talks(t);
}

/*
 * The next request is answered: what followed the answer before it? As many sends as requests that were read
 * early, or fewer, were their answers; more were parts of one.
 */
TRAFFIC_INLINE void traffic_owed(struct traffic *t)
{
	if (!t->owed || !t->unasked)
		return;
	if (t->unasked > t->owed) {
		score_down(&t->lapping);
		return;
	}
	t->seen = 0;
	score_up(&t->lapping, 2);
}

/* An answer without a sign: so many, and what was judged is out of date. */
TRAFFIC_INLINE void traffic_is_plain(struct traffic *t, __u8 by)
{
	if (!t->strong)
		return;
	t->plain += by;
	if (t->plain < PLAIN_ENOUGH)
		return;
	t->strong = 0;
	t->lapping = t->pushing = 0;
}

/* An answer in the turn that read its request, by the thread that did. */
TRAFFIC_INLINE void traffic_at_once(struct traffic *t)
{
	score_down(&t->lapping);
	score_down(&t->pushing);
	traffic_is_plain(t, PLAIN_AT_ONCE);
	t->gap_us = t->unasked ? t->gap_us : 0;
}

/*
 * It would have been sent then if nothing had been read: `span_ns` after the send before it. After a read
 * that came in time for that, for what comes later is asked when a stream has ended; and not as soon after
 * it as an answer that begins to be streamed.
 */
TRAFFIC_INLINE int traffic_in_rhythm(const struct traffic *t, __u64 span_ns, __u64 since_read_ns)
{
	__u64 gap_ns = t->gap_us * 1000ULL;

	return gap_ns >= RHYTHM_NS && span_ns >= gap_ns / 2 && span_ns <= gap_ns * 2 &&
	       span_ns - since_read_ns <= gap_ns && since_read_ns > gap_ns / 8;
}

/* Several reads, evenly far apart, and a send before the next of them would have been due. */
TRAFFIC_INLINE int traffic_between_reads(const struct traffic *t, __u64 since_first_ns,
					 __u64 since_read_ns)
{
	__u64 gap_ns = t->late ? (since_first_ns - since_read_ns) / t->late : 0;

	return t->late >= TALK_ENOUGH && gap_ns >= RHYTHM_NS && since_read_ns > gap_ns / 8 &&
	       since_read_ns < gap_ns * 3 / 2;
}

/* An answer in a later turn, or by another thread, than the reads. */
TRAFFIC_INLINE void traffic_later(struct traffic *t, __u32 turn, __u64 span_ns, __u64 since_first_ns,
				  __u64 since_read_ns)
{
	__u8 before = t->pushing;

	t->send_turn = turn;
	if (t->protocol == PROTOCOL_HTTP1)
		t->pushing = 0;
	else if (traffic_in_rhythm(t, span_ns, since_read_ns))
		score_up(&t->pushing, 2);
	else if (traffic_between_reads(t, since_first_ns, since_read_ns))
		score_up(&t->pushing, 1);
	else
		score_down(&t->pushing);
	if (t->pushing > before)
		t->seen = 0;
	else if (t->seen < SEEN_ENOUGH)
		t->seen++;
	if (t->pushing > before || t->late || t->unasked) {
		t->plain = 0;
	} else {
		score_down(&t->lapping);
		traffic_is_plain(t, 1);
	}
}

/*
 * What a send that ends an exchange says. at_once: by the thread and in the turn that read the request;
 * else it comes span_ns after the send before it, since_first_ns after the request's arrival and
 * since_read_ns after the last read.
 */
TRAFFIC_INLINE enum traffic_verdict traffic_answer(struct traffic *t, int at_once, __u32 turn,
						   __u64 span_ns, __u64 since_first_ns,
						   __u64 since_read_ns)
{
	traffic_owed(t);
	if (at_once)
		traffic_at_once(t);
	else
		traffic_later(t, turn, span_ns, since_first_ns, since_read_ns);
	t->owed = at_once ? 0 : t->late;
	t->talk = 0;
	t->late = 0;
	t->unasked = 0;
	traffic_judge(t);
	if (traffic_kind(t) != KIND_REQUEST)
		return TRAFFIC_OTHER;
	return at_once || t->seen >= SEEN_ENOUGH ? TRAFFIC_COUNTS : TRAFFIC_DOUBTFUL;
}

#endif
