/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * loop.h - an event loop, which is all of a thread: what it waits for and whom it calls.
 *
 * A loop owns its poller, its timers and the state of the modules that work on it; no other thread
 * touches them. What other threads want of a loop comes as mail.
 */
#ifndef LOOP_H
#define LOOP_H

#include "faults.h"
#include "options.h"
#include "poller.h"
#include "ring.h"
#include "stats.h"
#include "timers.h"
#include "truth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_EVENTS 4096		/* of a turn */
#define INPUT_BYTES 65536	/* that a loop reads at once; the longest request */

/* What the loops of a process share. */
struct server {
	struct config cfg;
	int truth_fd;		/* -1: none is asked for */
	int file;		/* --file; -1: none */
	off_t file_bytes;
	struct loop *loops[MAX_LOOPS + 1];	/* of this process; an acceptor comes last */
	size_t n_loops, n_workers;		/* with and without the acceptor */
	struct stats *stats;	/* by loop, shared between processes */
};

enum watched { WATCH_MAIL, WATCH_TIMER, WATCH_LISTENER, WATCH_CONN, WATCHES };
enum mail { MAIL_CONN, MAIL_STOP, MAIL_MESSAGE, MAIL_ANSWERED, MAILS };

/* Whom a loop calls. It serves WATCH_MAIL and WATCH_TIMER itself. */
struct loop_calls {
	void (*ready[WATCHES])(struct loop *l, struct watch *w, uint32_t events);
	void (*mail[MAILS])(struct loop *l, void *ptr, uint64_t word);
	void (*before_wait)(struct loop *l);
	void (*turn_done)(struct loop *l);	/* all events and the mail were served */
	void (*drained)(struct loop *l, struct timer *t);	/* fire of an output's timer */
};

/* Where answers are composed; one for each loop is enough. */
struct reply {
	uint8_t *bytes;
	size_t fill, room;
};

struct loop {
	struct server *server;
	const struct config *cfg;
	const struct loop_calls *calls;
	unsigned index;
	struct poller poller;
	struct epoll_event events[MAX_EVENTS];	/* of a turn */
	struct timers timers;
	struct watch timer_watch, mail_watch;

	struct mpsc mail;	/* from other threads */
	atomic_bool asleep;	/* or about to be: mail needs a wake-up */
	uint32_t owed[MAX_LOOPS + 1];	/* items sent to other loops without a wake-up yet */

	uint64_t now;		/* ns; when this turn began */
	bool stopping;		/* serves what has arrived, and takes in nothing new */
	bool stopped;
	uint64_t busy_ns, busy_since;	/* --handoff weighted */
	atomic_uint load;	/* share of the time that it is busy, per mille */

	struct stats *stats;
	struct truth *truth;	/* NULL: none is asked for */
	struct record exchange;	/* stamps and faults of the exchange that is being served */
	struct fault_state faults;
	struct reply reply;
	uint8_t input[INPUT_BYTES];	/* most requests need no buffer of their own */
	struct timer tick, stop;

	/* Each belongs to the module of its name; only that module looks into it. */
	const struct protocol *protocol;
	struct conns *conns;
	struct helper *helper;		/* NULL: no fault needs it */
	struct overload *overload;	/* NULL: no --rate */
	struct outboxes *outboxes;
	struct topics *topics;
	struct listener *listener;
};

/* A loop for that thread of the server; NULL: no memory or descriptors. */
struct loop *loop_new(struct server *s, unsigned index, const struct loop_calls *calls);
/* Turns until it is stopped. Call it in the loop's own thread. */
void loop_run(struct loop *l);

/*
 * Sends an item to a loop; false if its mailbox is full. from is the loop that sends, which wakes
 * the other one up later, at the end of a turn or after --batch items; NULL wakes it at once. Of
 * word, 56 bits arrive.
 */
bool loop_mail(struct loop *from, struct loop *to, enum mail kind, void *ptr, uint64_t word);
void loop_read_mail(struct loop *l);

#endif
