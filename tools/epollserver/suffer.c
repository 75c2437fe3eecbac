/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * suffer.c - the faults that strike the handler of a request, and a second thread beside a loop.
 *
 * Jobs go to that thread through a single-producer ring and come back as mail. A connection that
 * was lent is not closed before its job is back.
 */
#include "suffer.h"

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
	free(h->ring.items);
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

/* Uses the processor for ns, however often it is taken away meanwhile. */
static void compute(uint64_t ns)
{
	uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

/*
 * Functions with names and work of their own, for those who look at stacks. The C library may keep
 * no frame pointer; a walk out of the library then misses the function that called it. So that
 * function is this one, and slow_hash and slow_sort are seen.
 */
static __attribute__((noinline)) uint64_t cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

#define LUMP_BYTES 4096

static __attribute__((noinline)) uint64_t slow_hash(uint64_t ns)
{
	uint64_t end = cpu_ns() + ns, hash = 0xcbf29ce484222325;

	do {
		for (uint32_t i = 0; i < LUMP_BYTES; i++)
			hash = (hash ^ (i & 0xff)) * 0x100000001b3;
	} while (cpu_ns() < end);
	return hash;
}

#define LUMP_WORDS 160

static __attribute__((noinline)) uint64_t slow_sort(uint64_t ns)
{
	uint64_t end = cpu_ns() + ns;
	uint32_t v[LUMP_WORDS], t;

	do {
		for (uint32_t i = 0; i < LUMP_WORDS; i++)
			v[i] = i * 2654435761u;
		for (uint32_t i = 1; i < LUMP_WORDS; i++)
			for (uint32_t k = i; k && v[k - 1] > v[k]; k--) {
				t = v[k];
				v[k] = v[k - 1];
				v[k - 1] = t;
			}
	} while (cpu_ns() < end);
	return v[0];
}

static void write_and_sync(struct fault_state *s, uint64_t bytes)
{
	static const char zeros[4096];

	if (!s->scratch)
		s->scratch = tmpfile();
	if (!s->scratch)
		return;
	rewind(s->scratch);
	for (uint64_t done = 0; done < bytes; done += sizeof(zeros))
		fwrite(zeros, 1, bytes - done < sizeof(zeros) ? bytes - done : sizeof(zeros),
			s->scratch);
	fflush(s->scratch);
	fsync(fileno(s->scratch));
}

/* A function of its own for the same reason. */
static __attribute__((noinline)) void slow_sleep(uint64_t ns)
{
	sleep_ns(ns);
}

static void suffer(struct loop *l, enum fault f, uint64_t amount)
{
	volatile uint64_t result;	/* so that the compiler leaves the work in */

	switch (f) {
	case FAULT_HASH:
		result = slow_hash(amount);
		break;
	case FAULT_SORT:
		result = slow_sort(amount);
		break;
	case FAULT_CPU:
		compute(amount);
		break;
	case FAULT_SLEEP:
		slow_sleep(amount);
		break;
	case FAULT_FSYNC:
		write_and_sync(&l->faults, amount);
		break;
	default:
		helper_hold_lock(l->helper, amount);
	}
	(void)result;
}

uint32_t suffer_request(struct loop *l, uint32_t serial)
{
	static const enum fault of_requests[] = {
		FAULT_HASH, FAULT_SORT, FAULT_CPU, FAULT_SLEEP, FAULT_FSYNC, FAULT_LOCK,
	};
	uint32_t hits = 0;

	for (size_t i = 0; i < sizeof(of_requests) / sizeof(of_requests[0]); i++) {
		enum fault f = of_requests[i];

		if (!fault_strikes(&l->faults, f, serial))
			continue;
		suffer(l, f, l->cfg->faults[f].amount);
		hits |= FAULT_BIT(f);
	}
	return hits;
}
