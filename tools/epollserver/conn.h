/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.h - a connection, what a protocol is to it, its life from accept to close; its input, its
 * answers, its place in line.
 */
#ifndef CONN_H
#define CONN_H

#include "loop.h"

#define SLOTS_MOST (1u << 20)	/* connections of a loop */
#define PIECE 64		/* slots that are allocated together */

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
	uint16_t linger : 1;	/* closes only after its client: a reset would lose the answer */
	uint16_t drain : 1;	/* output waits for its timer */
	uint16_t pressed : 1;	/* input came that could not be taken yet */
	uint16_t ended : 1;	/* our client sends nothing more */
	uint16_t lingers : 1;	/* we have sent our end, and wait for the client's */
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
	uint32_t hits;		/* faults of the connection, as bits */
};

struct conn_list {
	struct conn *first, *last;
};

/* The connections of a loop. */
struct conns {
	uint8_t *pieces[SLOTS_MOST / PIECE];	/* slots for connections, which never move */
	uint32_t count;		/* of slots that were ever used */
	struct conn *free;	/* slots that may be used again */
	struct conn_list open, dead;	/* dead are freed when the turn ends */
	struct conn_list lingering;	/* the first to be closed first */
	struct timer linger_timer;
	uint32_t serial;
};

/* What a loop asks of the protocol that its clients speak. A member that is not needed is NULL. */
struct protocol {
	size_t conn_bytes;	/* of struct conn, and of what the protocol keeps behind it */
	bool mute;		/* it has no words to turn a connection away with */
	int (*open)(struct loop *l);	/* once for each loop: 0 or -1 */
	void (*close)(struct loop *l);
	void (*before_wait)(struct loop *l);

	/* place: of a slot that is used for the first time, else SLOTS_MOST. */
	void (*opened)(struct loop *l, struct conn *c, uint32_t place);
	void (*closed)(struct loop *l, struct conn *c);
	/*
	 * Takes what it can of the bytes and answers it. Returns how many it took: the rest comes
	 * again with more behind it; -1: close.
	 */
	ssize_t (*input)(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes);
	void (*writable)(struct loop *l, struct conn *c);	/* all output is out */
	void (*tick)(struct loop *l, struct conn *c);		/* some time has passed */
	/* The loop is stopping: says goodbye; false: not all is sent yet. */
	bool (*bye)(struct loop *l, struct conn *c);
};

int conns_open(struct loop *l);		/* it has its protocol; 0 or -1 */
void conns_close(struct loop *l);	/* and all connections */
/* Frees the dead; false: there are no connections any more. */
bool conns_bury(struct loop *l);
/* Closes those who were silent for --idle; the protocol looks at each. */
void conns_tick(struct loop *l);
/* Its client was not silent. */
void conn_active(struct loop *l, struct conn *c);

/* hits are the bits of the faults of its accept. NULL: no memory, or it is closed already. */
struct conn *conn_new(struct loop *l, int fd, uint16_t port, uint64_t accept_ns, uint32_t hits);
void conn_close(struct loop *l, struct conn *c);
void conn_broken(struct loop *l, struct conn *c);	/* by the client or the network */
void conn_drop_output(struct loop *l, struct conn *c);
/* Call it after anything that may have changed what the connection waits for, or that it stays. */
void conn_settle(struct loop *l, struct conn *c);

void *conn_at(const struct loop *l, uint32_t place);	/* NULL: that slot was never used */

/* Whether more may be read. A connection whose output is pending is not served. */
static inline bool conn_open(const struct conn *c)
{
	return c->watch.fd >= 0 && !c->paused && !c->lent && !c->out && !c->closing && !c->ended;
}

/* --- output.c --- */

/* Behind what the loop's reply holds already; false: no memory. Who begins a reply empties it. */
bool reply_add(struct loop *l, const void *data, size_t bytes);

/* Answers the loop's exchange, of so many messages; a piece of the file follows if file_bytes. */
void answer_exchange(struct loop *l, struct conn *c, const void *data, size_t bytes,
	uint32_t messages, off_t file_bytes);
/* The same in two steps. First: the exchange whose stamps are in r is the connection's next one. */
void answer_next(struct conn *c, struct record *r, uint32_t messages);
/* Then sends what ends exchange r; NULL: it ends none, and no fault strikes it. */
void answer_send(struct loop *l, struct conn *c, const void *data, size_t bytes, off_t file_bytes,
	struct record *r);

/* Sends what was kept, as far as the socket takes it; false: the connection is broken. */
bool output_flush(struct loop *l, struct conn *c);

/* --- input.c --- */

/* events happened to the connection that is watched by w. */
void input_ready(struct loop *l, struct watch *w, uint32_t events);
/* After a pause: sends what waits, then serves what waits in its buffer. */
void input_resume(struct loop *l, struct conn *c);
/* The pause of fault slow-drain is over. */
void input_drained(struct loop *l, struct timer *t);
/* MAIL_ANSWERED: a job of the helper is back, and so is the connection. */
void input_answered(struct loop *l, void *job, uint64_t unused);

/* --- overload.c: which requests are served now, which wait, which are refused --- */

enum verdict { ADMIT, QUEUE, REFUSE };

int overload_open(struct loop *l);	/* 0 or -1 */
/* Of the next request. QUEUE: the connection is paused, and the request comes again. */
enum verdict overload_admit(struct loop *l, struct conn *c);

/* --- The protocols, each in the file of its name --- */

extern const struct protocol echo_protocol, http_protocol, push_protocol;

/* MAIL_MESSAGE: a message from another loop, for clients of this one. */
void push_deliver(struct loop *l, void *message, uint64_t unused);

#endif
