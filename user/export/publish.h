/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * publish.h - the hand-over between the collector and whoever wants a page: one asks and
 * waits, the other publishes when its tick allows. Neither holds the other up: the collector only
 * swaps a pointer under the lock, and a page is written from a snapshot that never changes.
 */
#ifndef EPOLLSCOPE_EXPORT_PUBLISH_H
#define EPOLLSCOPE_EXPORT_PUBLISH_H

#include <pthread.h>

#include "export/metrics.h"

struct snapshot {
	struct metrics metrics;
	uint64_t taken_ns;
	unsigned users;		/* under the publisher's lock */
};

struct publisher {
	pthread_mutex_t lock;
	pthread_cond_t published;
	int wake_fd;		/* readable when a snapshot is wanted */
	uint64_t wanted, done;	/* snapshots ever */
	struct snapshot *current;
	uint64_t tick_ns;	/* the collector's last sign of life */
};

/* 0 or -errno. */
int publisher_open(struct publisher *p);
void publisher_close(struct publisher *p);

/* Collector: at each tick; true when a snapshot is wanted. */
bool publisher_tick(struct publisher *p, uint64_t now_ns);

/* Collector: the targets' array and their loops go over to the snapshot. 0 or -ENOMEM. */
int publisher_put(struct publisher *p, const struct metrics *m, uint64_t now_ns);

/* Reader: a snapshot of now, to be given back; NULL when the collector does not answer. */
struct snapshot *publisher_get(struct publisher *p);
void publisher_give_back(struct publisher *p, struct snapshot *s);

/* Reader: the collector has ticked lately. */
bool publisher_alive(struct publisher *p);

#endif
