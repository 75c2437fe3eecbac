/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * server.h - the few structures that all rooms share, and what each room offers.
 *
 * main starts a thread for each loop. A loop owns its poller, its connections and its buffers;
 * nothing else touches them. What others want of it comes as mail. Read loop.c first: it gives the
 * order of the rest.
 */
#ifndef SERVER_H
#define SERVER_H

#include "faults.h"
#include "options.h"
#include "poller.h"
#include "ring.h"
#include "stats.h"
#include "timers.h"
#include "truth.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#define INPUT_BYTES 65536	/* that a loop reads at once; the longest request */
#define MAIL_ITEMS 16384

enum watched { WATCH_LISTENER, WATCH_MAIL, WATCH_TIMER, WATCH_CONN };

struct server {
	struct config cfg;
	int truth_fd;		/* -1: off */
	int file;		/* --file, -1: none */
	off_t file_bytes;
	struct loop *loops[MAX_LOOPS + 1];	/* of this process; an acceptor comes last */
	size_t n_loops, n_workers;		/* with and without the acceptor */
	struct stats *stats;	/* by loop, shared between processes */
};

/* Bytes that came before the request they belong to was complete, or could be served. */
struct input {
	size_t fill, room;
	uint8_t bytes[];
};

/* Bytes, then a piece of the file, that the socket did not take yet. */
struct output {
	size_t head, fill, room;
	off_t file_at, file_end;
	bool unsent;		/* not a byte of this exchange's answer: */
	struct record record;
	struct timer timer;	/* fault slow-drain */
	struct conn *conn;
	uint8_t bytes[];
};

/* 80 bytes; buffers exist only while something is under way. */
struct conn {
	struct watch watch;	/* fd is -1 once it is closed */
	uint16_t paused : 1;	/* waits for a token */
	uint16_t granted : 1;	/* has waited for its token */
	uint16_t closing : 1;	/* closes when its output is out */
	uint16_t linger : 1;	/* not before its client has: the answer would be lost to a reset */
	uint16_t drain : 1;	/* output waits for its timer */
	uint16_t pressed : 1;	/* input came that could not be taken yet */
	uint16_t ended : 1;	/* our client sends nothing more */
	uint16_t lingers : 1;	/* has sent its end, and waits for the other */
	uint16_t lent : 1;	/* its descriptor is in another thread's hands */
	uint16_t refuse : 1;	/* one too many: its first request is told so */
	uint16_t joined : 1;	/* push: has said HELLO */
	uint16_t owing : 1;	/* push: an exchange is under way */
	uint16_t port;
	uint32_t serial;	/* on its loop, from 1 */
	struct conn *prev, *next;	/* the loop's list; if it matters, the least active first */
	struct input *in;
	struct output *out;
	uint64_t accept_ns;
	uint32_t number;	/* exchanges */
	uint32_t active_ms;	/* last read, loop->now / 1e6 */
	uint32_t skip;		/* bytes of an HTTP body to be thrown away */
	uint32_t hits;		/* faults of the connection */
};

struct conn_list {
	struct conn *first, *last;
};

/* The connections of a loop, in pieces of SLOTS that never move; who has left is replaced first. */
#define SLOTS 64
#define SLOTS_MOST (1u << 20)

struct slots {
	uint8_t **pieces;
	uint32_t count, n_pieces, room;
	size_t bytes;		/* of one: a protocol may keep more beside the connection */
	struct conn *free;
};

struct loop {
	struct server *server;
	const struct config *cfg;
	unsigned index;
	uint32_t tid;
	struct poller poller;
	struct epoll_event *events;	/* of a turn; more than a stack should hold */
	struct watch listener, mail_watch, timer_watch;
	struct timers timers;
	struct timer tick, accept_timer, token_timer, flush_timer, stop_timer, linger_timer;

	struct mpsc mail;	/* from other threads */
	atomic_bool asleep;	/* or about to be: mail needs a wake-up */
	uint32_t owed[MAX_LOOPS + 1];	/* items sent to other loops without a wake-up */

	uint64_t now;			/* when this turn began */
	struct record exchange;		/* stamps and faults of the one being served */
	struct slots slots;
	struct conn_list conns, dead;	/* dead are freed when the turn ends */
	struct conn_list lingering;	/* the first to be closed first */
	uint32_t serial, accept_hits;
	uint8_t *input;			/* INPUT_BYTES: most requests need no buffer of their own */
	uint8_t *reply;			/* answers are composed here */
	size_t reply_fill, reply_room;

	struct truth *truth;	/* NULL: off */
	struct stats *stats;
	struct fault_state faults;
	bool strikes_requests;	/* a fault of handlers or answers is on */
	struct helper *helper;	/* NULL: no fault needs it */
	FILE *scratch;
	struct overload *overload;	/* NULL: no --rate */
	struct topics *topics;
	struct outbox *dirty;		/* clients with something to send in this batch */
	uint64_t batched, batch_since;
	uint64_t busy_ns, busy_since;	/* --spread weighted */
	atomic_uint load;	/* share of the time it is busy, per mille */
	_Atomic uint64_t handed;	/* connections on their way to it */
	bool stopping, stopped;
};

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void sleep_ns(uint64_t ns);

/* loop.c: the thread of a loop */
struct loop *loop_new(struct server *s, unsigned index, int listener);
void *loop_run(void *loop);

/* mail.c: items to a loop, and the wake-up if it sleeps */
enum mail { MAIL_CONN, MAIL_STOP, MAIL_MESSAGE, MAIL_ANSWERED };
/* from: the loop that sends, which wakes the other up later; NULL wakes it at once. */
bool mail_send(struct loop *from, struct loop *to, enum mail kind, void *ptr, uint64_t word);
void mail_settle(struct loop *from);	/* wakes those it owes it */
bool mail_may_sleep(struct loop *l);	/* false: something came meanwhile */
void mail_read(struct loop *l);

/* listen.c */
int listen_on(struct config *cfg);	/* sets cfg->port if it was 0; -errno */
void listen_watch(struct loop *l, bool on);
void listen_accept(struct loop *l);

/* memory.c: counted; NULL: none */
void *loop_alloc(struct loop *l, size_t bytes);
void loop_free(struct loop *l, void *p);
/* place: of a slot that is used for the first time, else SLOTS_MOST. */
struct conn *slot_take(struct loop *l, uint32_t *place);
struct conn *slot_at(struct loop *l, uint32_t place);	/* NULL: never used; it may be free */
void slot_give(struct loop *l, struct conn *c);
void slots_close(struct loop *l);

/* conn.c: the life of a connection, and its answers */
void conn_new(struct loop *l, int fd, uint16_t port, uint64_t accept_ns, uint32_t hits);
void conn_close(struct loop *l, struct conn *c);
void conn_broken(struct loop *l, struct conn *c);
void conn_bury(struct loop *l);		/* frees the dead */
void conn_active(struct loop *l, struct conn *c);
/* After anything that may have changed what it waits for, or that it stays. */
void conn_settle(struct loop *l, struct conn *c);
/* The exchange whose stamps are in r is its next one. */
void conn_exchange(struct conn *c, struct record *r, uint32_t messages);
/* Sends an answer of that many messages, and a piece of the file if file_bytes. */
void conn_answer(struct loop *l, struct conn *c, const void *data, size_t bytes,
	uint32_t messages, off_t file_bytes);
/* Sends, with the faults of answers if it ends exchange r (NULL: none). */
void conn_send(struct loop *l, struct conn *c, const void *data, size_t bytes, off_t file_bytes,
	struct record *r);

/* Whether more may be read. One whose output is pending is not served. */
static inline bool conn_open(const struct conn *c)
{
	return c->watch.fd >= 0 && !c->paused && !c->lent && !c->out && !c->closing && !c->ended;
}

/* input.c: the reading half */
void conn_ready(struct loop *l, struct conn *c, uint32_t events);
/* Serves what waits in its buffer, after a pause. */
void conn_resume(struct loop *l, struct conn *c);

/*
 * output.c: the sending half. Both return false if the connection is broken. r is the exchange that
 * it answers, whose first byte is stamped in it, NULL: none.
 */
bool output_send(struct loop *l, struct conn *c, const void *data, size_t bytes,
	off_t file_bytes, struct record *r);
bool output_flush(struct loop *l, struct conn *c);
void output_drop(struct loop *l, struct conn *c);

/*
 * Protocols: take what they can of the bytes and answer it. Return how many they took, the rest
 * comes again with more behind it; -1: close.
 */
ssize_t echo_input(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes);
ssize_t http_input(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes);
ssize_t push_input(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes);
bool reply_add(struct loop *l, const void *data, size_t bytes);

/* topics.c */
struct message;
int topics_open(struct loop *l);
void topics_close(struct loop *l);
void topics_deliver(struct loop *l, struct message *m);

/* push.c, push_out.c: what other rooms want of the protocol */
size_t push_client_bytes(void);
void push_opened(struct loop *l, struct conn *c, uint32_t place);	/* see slot_take */
void push_closed(struct loop *l, struct conn *c);
void push_tick(struct loop *l, struct conn *c);
void push_writable(struct loop *l, struct conn *c);
bool push_bye(struct loop *l, struct conn *c);	/* false: not all is sent yet */
void push_flush(struct loop *l, struct timer *t);
void push_flush_due(struct loop *l);	/* before the loop sleeps */

/* overload.c */
enum verdict { ADMIT, QUEUE, REFUSE };
int overload_open(struct loop *l);
enum verdict overload_admit(struct loop *l, struct conn *c);
void overload_forget(struct loop *l, struct conn *c);

/* helper.c: the other thread that two faults need */
struct helper *helper_new(struct loop *l);
void helper_end(struct helper *h);
void helper_hold_lock(struct helper *h, uint64_t ns);
bool helper_answer(struct helper *h, struct conn *c, const void *data, size_t bytes,
	const struct record *r);
void helper_answered(struct loop *l, void *job);

#endif
