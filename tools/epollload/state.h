/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * state.h - a connection, a thread with its share of the connections and of the schedule, and the
 * run: plain data. Threads share nothing but what is atomic here.
 */
#ifndef EPOLLLOAD_STATE_H
#define EPOLLLOAD_STATE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "counts.h"
#include "protocol.h"
#include "schedule.h"

#define BUFFER_BYTES 65536

/* What a connection may wait for. All but FREE are timers. */
enum queue_kind {
	Q_FREE,		/* has room for a request */
	Q_PROGRESS,	/* owes a greeting or an answer: the time-out */
	Q_PIECE,	/* slow sender: the next piece */
	Q_READ,		/* slow reader: the next read */
	Q_RETRY,	/* could not be opened */
	Q_BEAT,		/* push: the heartbeat */
	QUEUES
};

struct node {
	uint32_t next, prev;	/* 0: none */
	uint64_t due_ns : 63, queued : 1;
};

struct queue {
	uint32_t first, last;
};

enum conn_state { CONN_CLOSED, CONN_CONNECTING, CONN_OPEN };

struct conn {
	int fd;
	uint8_t state;			/* enum conn_state */
	bool slow, readable;
	bool useful;			/* answered since it was opened */
	bool spoke;			/* since the last heartbeat */
	uint16_t owed;			/* of the requests taken, the last so many have no answer */
	uint32_t index;			/* among all connections of the run */
	uint64_t taken;			/* requests, since it was opened */
	uint64_t pos;			/* bytes of the request stream that are sent */
	struct node node[QUEUES];
	struct wire wire;
};

_Static_assert(sizeof(struct conn) <= 240, "a million of them are to fit");

/* Shared by the threads and main. */
struct run {
	const struct config *cfg;
	struct traffic traffic;
	FILE *truth;			/* NULL: none */
	int stop_fd;			/* eventfd: readable once the run is to stop */
	atomic_bool stop;
	atomic_uint ready, done, ended;	/* threads that are through with opening, requests, all */
	atomic_uint published;		/* threads whose requests are through */
	atomic_int_fast64_t deliveries_left;
	sem_t go;
	uint64_t start_ns;		/* valid after go */
};

struct worker {
	struct run *run;
	const struct config *cfg;
	pthread_t thread;
	uint32_t id, n_conns;
	uint32_t n_active, n_started;	/* the first so many carry requests, do so by now (ramp) */
	int epoll;
	struct conn *conns;
	uint64_t *started_ns;		/* rings of each active connection: owed_time() */
	struct stamps *stamps;		/* of each connection, for the truth file; NULL: none */
	char *buffer, *scratch;
	struct queue queue[QUEUES];
	struct schedule schedule;
	uint64_t now;			/* the clock's last reading */
	uint64_t owed;			/* over all connections */
	uint64_t alive_ns;		/* a connection got ready, or an answer came */
	bool full;			/* what was due in full_from..full_to found no room */
	uint64_t full_from_ns, full_to_ns;
	bool began;			/* the schedule runs */
	bool draining;			/* only messages are awaited */
	int64_t told_left;		/* our part of run->deliveries_left */
	uint32_t opening;		/* connections on their way to be ready */
	uint32_t n_ready;		/* connections that are */
	int fatal;			/* errno that no connection could be opened with */
	struct counts counts;
	atomic_uint_fast64_t live_sent, live_answered;
};

#endif
