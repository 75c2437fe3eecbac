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

#include "counts.h"
#include "protocol.h"
#include "queue.h"
#include "schedule.h"

#define BUFFER_BYTES 65536

/* What a connection may wait for. All but FREE are timers. */
enum queue_kind {
	Q_FREE,		/* has room for a request */
	Q_PROGRESS,	/* owes a greeting or an answer: the time-out */
	Q_PIECE,	/* slow sender: the next piece */
	Q_READ,		/* slow reader: the next read */
	Q_RETRY,	/* could not be opened */
	Q_START,	/* closed loop: its place in the ramp */
	Q_BEAT,		/* push: the heartbeat */
	QUEUES
};

enum conn_state { CONN_CLOSED, CONN_CONNECTING, CONN_OPEN };

struct conn {
	int fd;
	enum conn_state state;
	uint32_t index;			/* among all connections of the run */
	bool slow, readable, useful;	/* useful: answered since it was opened */
	uint32_t head, owed;		/* ring of started times of requests that are owed an answer */
	uint64_t *started_ns;		/* cfg->depth of them */
	uint64_t opened_ns;		/* connect() called */
	uint64_t pos, end;		/* bytes of the request stream: sent, to be sent */
	uint64_t beat_pos;		/* pos at the last heartbeat */
	struct node node[QUEUES];
	struct wire wire;
};

/* Shared by the threads and main. */
struct run {
	const struct config *cfg;
	struct traffic traffic;
	int stop_fd;			/* eventfd: readable once the run is to stop */
	atomic_bool stop;
	atomic_uint ready, ended;	/* threads that are through with opening, with everything */
	sem_t go;
	uint64_t start_ns;		/* valid after go */
};

struct worker {
	struct run *run;
	const struct config *cfg;
	pthread_t thread;
	uint32_t id, n_conns;
	int epoll;
	struct conn *conns;
	uint64_t *started_ns;		/* all the rings */
	char *buffer, *scratch;
	struct queue queue[QUEUES];
	struct schedule schedule;
	uint64_t now;			/* the clock's last reading */
	uint64_t owed;			/* over all connections */
	uint64_t alive_ns;		/* a connection got ready, or an answer came */
	bool full;			/* what was due in full_from..full_to found no room */
	uint64_t full_from_ns, full_to_ns;
	bool began;			/* the schedule runs */
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
 * counts in run->ended. Either is announced to the process by SIGUSR1 when the last thread is there.
 */
void *worker_main(void *worker);

/* Sends what is due as far as there is room. */
void worker_pump(struct worker *w);

#endif
