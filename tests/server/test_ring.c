/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_ring.c - the rings of epollserver: order, bounds, wrap, and two and four threads at once.
 *
 * Also built with -fsanitize=thread. With an argument, so many items are passed in the thread tests.
 */
#include "tools/epollserver/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define SIZE 64
#define PRODUCERS 3

static int failed;

static void expect(const char *name, uint64_t wanted, uint64_t got)
{
	if (wanted == got) {
		printf("ok %s\n", name);
		return;
	}
	printf("not ok %s: expected %llu got %llu\n", name, (unsigned long long)wanted,
		(unsigned long long)got);
	failed = 1;
}

static void test_spsc(void)
{
	struct ring_item in[SIZE + 8], out[SIZE + 8];
	struct spsc r;
	uint64_t wrong = 0, next = 0, taken = 0;

	expect("spsc: a size that is no power of two", (uint64_t)-ENOMEM, (uint64_t)spsc_open(&r, 48));
	if (spsc_open(&r, SIZE))
		return;
	expect("spsc: empty", 0, spsc_pop(&r, out, 1));
	memset(in, 0, sizeof(in));
	expect("spsc: takes what fits", SIZE, spsc_push(&r, in, SIZE + 8));
	expect("spsc: full", 0, spsc_push(&r, in, 1));
	expect("spsc: gives what is there", SIZE, spsc_pop(&r, out, SIZE + 8));
	for (int round = 0; round < 1000; round++) {
		size_t n = (size_t)round % 37, m = (size_t)round % 41;

		for (size_t i = 0; i < n; i++)
			in[i].word = next + i;
		next += spsc_push(&r, in, n);
		m = spsc_pop(&r, out, m);
		for (size_t i = 0; i < m; i++)
			wrong += out[i].word != taken++;
	}
	expect("spsc: order over many laps", 0, wrong);
	free(r.items);
}

static void test_mpsc(void)
{
	struct ring_item item = { NULL, 0 };
	uint64_t pushed = 0, wrong = 0;
	struct mpsc r;

	if (mpsc_open(&r, SIZE))
		return;
	expect("mpsc: empty", 1, mpsc_empty(&r) && !mpsc_pop(&r, &item));
	while (mpsc_push(&r, (struct ring_item){ NULL, pushed }))
		pushed++;
	expect("mpsc: takes what fits", SIZE, pushed);
	for (uint64_t i = 0; i < 10000; i++) {
		wrong += !mpsc_pop(&r, &item) || item.word != i;
		wrong += !mpsc_push(&r, (struct ring_item){ NULL, pushed++ });
	}
	expect("mpsc: order over many laps", 0, wrong);
	free(r.slots);
}

struct run {
	struct spsc spsc;
	struct mpsc mpsc;
	uint64_t items;
};

static void *produce_spsc(void *arg)
{
	struct run *run = arg;
	struct ring_item items[16];
	uint64_t done = 0;

	while (done < run->items) {
		size_t n = 1 + done % 16, pushed;

		n = run->items - done < n ? run->items - done : n;
		for (size_t i = 0; i < n; i++)
			items[i] = (struct ring_item){ (void *)(uintptr_t)(done + i), done + i };
		pushed = spsc_push(&run->spsc, items, n);
		done += pushed;
		if (!pushed)
			sched_yield();
	}
	return NULL;
}

static void stress_spsc(uint64_t items)
{
	struct run run = { .items = items };
	struct ring_item out[32];
	uint64_t taken = 0, wrong = 0;
	pthread_t thread;

	if (spsc_open(&run.spsc, SIZE) || pthread_create(&thread, NULL, produce_spsc, &run))
		return;
	while (taken < items) {
		size_t n = spsc_pop(&run.spsc, out, 1 + taken % 32);

		for (size_t i = 0; i < n; i++, taken++)
			wrong += out[i].word != taken || (uintptr_t)out[i].ptr != taken;
		if (!n)
			sched_yield();
	}
	pthread_join(thread, NULL);
	expect("spsc: two threads, nothing lost or out of order", 0, wrong);
	free(run.spsc.items);
}

struct producer {
	struct run *run;
	uint64_t index;
};

static void *produce_mpsc(void *arg)
{
	struct producer *p = arg;

	for (uint64_t i = 0; i < p->run->items; i++)
		while (!mpsc_push(&p->run->mpsc, (struct ring_item){ p, i }))
			sched_yield();
	return NULL;
}

static void stress_mpsc(uint64_t items)
{
	struct run run = { .items = items };
	struct producer producers[PRODUCERS];
	pthread_t threads[PRODUCERS];
	uint64_t next[PRODUCERS] = { 0 }, taken = 0, wrong = 0;
	struct ring_item item;

	if (mpsc_open(&run.mpsc, SIZE))
		return;
	for (uint64_t i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){ &run, i };
		pthread_create(&threads[i], NULL, produce_mpsc, &producers[i]);
	}
	while (taken < items * PRODUCERS) {
		struct producer *p;

		if (!mpsc_pop(&run.mpsc, &item)) {
			sched_yield();
			continue;
		}
		p = item.ptr;
		wrong += item.word != next[p->index]++;
		taken++;
	}
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	expect("mpsc: four threads, nothing lost, each producer's in order", 0, wrong);
	free(run.mpsc.slots);
}

int main(int argc, char **argv)
{
	uint64_t items = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;

	test_spsc();
	test_mpsc();
	stress_spsc(items);
	stress_mpsc(items);
	return failed;
}
