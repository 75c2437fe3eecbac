/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * helper.c - a second thread beside a loop, for the faults lock and other-thread.
 *
 * Jobs go to it through a single-producer ring and come back as mail. A connection that was lent is
 * not closed before its job is back.
 */
#include "helper.h"

#include "input.h"
#include "tools/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define JOBS 4096

struct job {
	struct conn *conn;
	struct record record;
	bool broken;
	size_t bytes;
	uint8_t data[];
};

struct helper {
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;		/* which the handler of a request will want */
	atomic_bool held;
	sem_t jobs;			/* in the ring; a post without a job is the end */
	struct spsc ring;
};

static void hold(struct helper *h, uint64_t ns)
{
	pthread_mutex_lock(&h->lock);
	atomic_store(&h->held, true);
	sleep_ns(ns);
	pthread_mutex_unlock(&h->lock);
}

static void send_answer(struct helper *h, struct job *j, uint32_t tid)
{
	struct pollfd p = { .fd = j->conn->watch.fd, .events = POLLOUT };

	j->record.tid = tid;
	for (size_t done = 0; done < j->bytes && !j->broken;) {
		uint64_t before = now_ns();
		ssize_t n = send(p.fd, j->data + done, j->bytes - done, MSG_NOSIGNAL);

		if (n > 0 && done == 0) {
			j->record.send_ns = before;
			j->record.answered_ns = now_ns();
		}
		if (n > 0)
			done += (size_t)n;
		else if (errno == EAGAIN)
			j->broken = poll(&p, 1, (int)h->loop->cfg->drain_ms) == 0;
		else
			j->broken = errno != EINTR;
	}
	while (!loop_mail(NULL, h->loop, MAIL_ANSWERED, j, 0))
		sched_yield();
}

static void *run(void *arg)
{
	struct helper *h = arg;
	uint32_t tid = (uint32_t)syscall(SYS_gettid);
	struct ring_item item;

	for (;;) {
		while (sem_wait(&h->jobs) && errno == EINTR)
			;
		if (!spsc_pop(&h->ring, &item, 1))
			return NULL;
		if (item.ptr)
			send_answer(h, item.ptr, tid);
		else
			hold(h, item.word);
	}
}

struct helper *helper_new(struct loop *l)
{
	struct helper *h = ring_owner_alloc(sizeof(*h));

	if (!h)
		return NULL;
	h->loop = l;
	pthread_mutex_init(&h->lock, NULL);
	sem_init(&h->jobs, 0, 0);
	if (!spsc_open(&h->ring, JOBS) && !pthread_create(&h->thread, NULL, run, h))
		return h;
	free(h);
	return NULL;
}

void helper_end(struct helper *h)
{
	if (!h)
		return;
	sem_post(&h->jobs);
	pthread_join(h->thread, NULL);
	spsc_close(&h->ring);
	free(h);
}

static bool give(struct helper *h, void *ptr, uint64_t word)
{
	struct ring_item item = { ptr, word };

	if (!h || !spsc_push(&h->ring, &item, 1))
		return false;
	sem_post(&h->jobs);
	return true;
}

/* Waits a short time until the helper has the lock, and then for the lock: that is the fault. */
void helper_hold_lock(struct helper *h, uint64_t ns)
{
	if (!h)
		return;
	atomic_store(&h->held, false);
	if (!give(h, NULL, ns))
		return;
	while (!atomic_load(&h->held))
		sched_yield();
	pthread_mutex_lock(&h->lock);
	pthread_mutex_unlock(&h->lock);
}

bool helper_answer(struct helper *h, struct conn *c, const void *data, size_t bytes,
	const struct record *r)
{
	struct job *j = h ? malloc(sizeof(*j) + bytes) : NULL;

	if (!j)
		return false;
	*j = (struct job){ .conn = c, .record = *r, .bytes = bytes };
	memcpy(j->data, data, bytes);
	if (give(h, j, 0))
		return true;
	free(j);
	return false;
}

void helper_answered(struct loop *l, void *job, uint64_t unused)
{
	struct job *j = job;
	struct conn *c = j->conn;

	(void)unused;
	c->lent = 0;
	if (l->truth && j->record.answered_ns)
		truth_add(l->truth, &j->record);
	stat_add(&l->stats->bytes_out, j->bytes);
	if (j->broken)
		conn_close(l, c);
	else
		input_resume(l, c);
	conn_settle(l, c);
	free(j);
}
