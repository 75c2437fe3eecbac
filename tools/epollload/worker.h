/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * worker.h - a thread with its share of the connections and of the schedule, and nothing shared but
 * what is atomic here.
 */
#ifndef EPOLLLOAD_WORKER_H
#define EPOLLLOAD_WORKER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "counts.h"
#include "protocol.h"
#include "queue.h"
#include "schedule.h"

#define BUFFER_BYTES 65536

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
	uint64_t *started_ns;		/* rings of each active connection: owed_times() */
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

/* 0 or a negative errno; worker_destroy() in any case. */
int worker_init(struct worker *w, struct run *run, uint32_t id);
void worker_destroy(struct worker *w);

/*
 * The thread: opens the connections, says so in run->ready, waits for run->go, runs the schedule,
 * says so in run->done, holds the connections if that is asked for, counts in run->ended. Each is
 * announced to the process by SIGUSR1 when the last thread is there.
 */
void *worker_main(void *worker);

/* Sends what is due as far as there is room. */
void worker_pump(struct worker *w);

#endif
