/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* publish.c - snapshots handed from one thread to another. */
#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "export/export.h"

#define FRESH_NS	(50 * 1000000ULL)	/* young enough to be used again */
#define PATIENCE_S	3
#define STANDSTILL_NS	(10 * 1000000000ULL)

int publisher_open(struct publisher *p)
{
	pthread_condattr_t attr;

	*p = (struct publisher){ .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	if (p->wake_fd < 0)
		return -errno;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->published, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

void publisher_close(struct publisher *p)
{
	metrics_free(&p->ready);
	metrics_free(&p->taken);
	close(p->wake_fd);
}

bool publisher_tick(struct publisher *p, uint64_t now_ns)
{
	eventfd_t unused;

	p->tick_ns = now_ns;
	if (!p->wanted)
		return false;
	eventfd_read(p->wake_fd, &unused);
	return true;
}

void publisher_put(struct publisher *p, struct metrics *m)
{
	pthread_mutex_lock(&p->lock);
	metrics_free(&p->ready);
	p->ready = *m;
	p->wanted = false;
	pthread_cond_signal(&p->published);
	pthread_mutex_unlock(&p->lock);
}

/* Waits, with the lock held, for a snapshot that is asked for now. */
static void ask(struct publisher *p)
{
	struct timespec until;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	p->wanted = true;
	err = eventfd_write(p->wake_fd, 1);
	while (p->wanted && !err)
		err = pthread_cond_timedwait(&p->published, &p->lock, &until);
}

static bool is_fresh(const struct metrics *m)
{
	return m->targets && monotonic_ns() - m->taken_ns < FRESH_NS;
}

const struct metrics *publisher_get(struct publisher *p)
{
	bool got = is_fresh(&p->taken);

	if (got)
		return &p->taken;
	pthread_mutex_lock(&p->lock);
	/* One that came too late for who asked may be there. */
	if (!is_fresh(&p->ready))
		ask(p);
	got = !p->wanted;
	if (got) {
		metrics_free(&p->taken);
		p->taken = p->ready;
		p->ready = (struct metrics){ 0 };
	}
	pthread_mutex_unlock(&p->lock);
	return got ? &p->taken : NULL;
}

bool publisher_alive(const struct publisher *p)
{
	return monotonic_ns() - p->tick_ns < STANDSTILL_NS;
}
