/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_ring.c - how fast items go through a ring from one thread to another, by batch.
 *
 * Build it with and without -DRING_UNPADDED to compare. Prints a line for each case:
 *   ring padded|unpadded spsc|mpsc batch=N ns_per_item=X
 */
#include "tools/clock.h"
#include "tools/epollserver/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#define SIZE 4096
#define BATCH_MOST 64
#define SPINS 64	/* before the processor is given away: there may be only one */

#ifdef RING_UNPADDED
#define LAYOUT "unpadded"
#else
#define LAYOUT "padded"
#endif

struct run {
	struct spsc spsc;
	struct mpsc mpsc;
	size_t batch;
	uint64_t items;
};

static void rest(unsigned *idle)
{
	if (++*idle % SPINS == 0)
		sched_yield();
}

static void *produce_spsc(void *arg)
{
	struct run *run = arg;
	struct ring_item items[BATCH_MOST] = { { NULL, 0 } };
	unsigned idle = 0;

	for (uint64_t done = 0, n; done < run->items; done += n) {
		n = run->items - done < run->batch ? run->items - done : run->batch;
		n = spsc_push(&run->spsc, items, n);
		if (!n)
			rest(&idle);
	}
	return NULL;
}

static void *produce_mpsc(void *arg)
{
	struct run *run = arg;
	unsigned idle = 0;

	for (uint64_t i = 0; i < run->items; i++)
		while (!mpsc_push(&run->mpsc, (struct ring_item){ NULL, i }))
			rest(&idle);
	return NULL;
}

static void consume(struct run *run, int mpsc)
{
	struct ring_item items[BATCH_MOST];
	unsigned idle = 0;

	for (uint64_t taken = 0, n; taken < run->items; taken += n) {
		n = mpsc ? mpsc_pop(&run->mpsc, items) : spsc_pop(&run->spsc, items, run->batch);
		if (!n)
			rest(&idle);
	}
}

static void measure(int mpsc, size_t batch, uint64_t items)
{
	struct run run = { .batch = batch, .items = items };
	pthread_t thread;
	uint64_t start;

	if (spsc_open(&run.spsc, SIZE) || mpsc_open(&run.mpsc, SIZE))
		exit(1);
	start = now_ns();
	if (pthread_create(&thread, NULL, mpsc ? produce_mpsc : produce_spsc, &run))
		exit(1);
	consume(&run, mpsc);
	pthread_join(thread, NULL);
	printf("ring %s %s batch=%zu ns_per_item=%.1f\n", LAYOUT, mpsc ? "mpsc" : "spsc", batch,
		(double)(now_ns() - start) / (double)items);
	free(run.spsc.items);
	free(run.mpsc.slots);
}

int main(int argc, char **argv)
{
	uint64_t items = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;

	measure(0, 1, items);
	measure(0, 16, items);
	measure(0, 64, items);
	measure(1, 1, items);
	return 0;
}
