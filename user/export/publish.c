/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* publish.c - snapshots, counted, from one thread to another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "export/export.h"
#include "export/publish.h"

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

static void snapshot_free(struct snapshot *s)
{
	for (size_t i = 0; i < s->metrics.n_targets; i++)
		export_collect_free(&s->metrics.targets[i]);
	free(s->metrics.targets);
	free(s);
}

void publisher_close(struct publisher *p)
{
	if (p->current)
		snapshot_free(p->current);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	p->current = NULL;
	p->wake_fd = -1;
}

bool publisher_tick(struct publisher *p, uint64_t now_ns)
{
	uint64_t unused;
	bool wanted;

	pthread_mutex_lock(&p->lock);
	p->tick_ns = now_ns;
	wanted = p->wanted > p->done;
	pthread_mutex_unlock(&p->lock);
	if (wanted && read(p->wake_fd, &unused, sizeof(unused)) < 0)
		return wanted;	/* it was read for an earlier one */
	return wanted;
}

int publisher_put(struct publisher *p, const struct metrics *m, uint64_t now_ns)
{
	struct snapshot *s = malloc(sizeof(*s)), *old;

	if (!s)
		return -ENOMEM;
	*s = (struct snapshot){ .metrics = *m, .taken_ns = now_ns, .users = 1 };
	pthread_mutex_lock(&p->lock);
	old = p->current;
	p->current = s;
	p->done = p->wanted;
	if (old && --old->users)
		old = NULL;
	pthread_cond_broadcast(&p->published);
	pthread_mutex_unlock(&p->lock);
	if (old)
		snapshot_free(old);
	return 0;
}

/* Waits, with the lock held, for a snapshot that is asked for now. */
static bool ask(struct publisher *p)
{
	uint64_t mine = ++p->wanted, one = 1;
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	if (write(p->wake_fd, &one, sizeof(one)) != sizeof(one))
		return false;
	while (p->done < mine && !err)
		err = pthread_cond_timedwait(&p->published, &p->lock, &until);
	return p->done >= mine;
}

struct snapshot *publisher_get(struct publisher *p)
{
	struct snapshot *s = NULL;

	pthread_mutex_lock(&p->lock);
	if ((p->current && monotonic_ns() - p->current->taken_ns < FRESH_NS) || ask(p)) {
		s = p->current;
		s->users++;
	}
	pthread_mutex_unlock(&p->lock);
	return s;
}

void publisher_give_back(struct publisher *p, struct snapshot *s)
{
	bool last;

	pthread_mutex_lock(&p->lock);
	last = !--s->users;
	pthread_mutex_unlock(&p->lock);
	if (last)
		snapshot_free(s);
}

bool publisher_alive(struct publisher *p)
{
	bool alive;

	pthread_mutex_lock(&p->lock);
	alive = monotonic_ns() - p->tick_ns < STANDSTILL_NS;
	pthread_mutex_unlock(&p->lock);
	return alive;
}
