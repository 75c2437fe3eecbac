/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * blocker.c - functions that block, or burn, inside of a C library that has no frame pointers, and
 * know how long: blocker ROUNDS. Says "ready", begins when a line comes, prints "NAME NS" for each.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MS 5	/* of each blocking */
/* Built with frame pointers; no call may be its last instruction, since that would take its place. */
#define FRAMED __attribute__((noinline))
#define STAY() __asm__ volatile("")

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int pipe_fds[2];
static sem_t begin_read, begin_lock, locked;

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

FRAMED static void blk_usleep(void)
{
	usleep(MS * 1000);
	STAY();
}

FRAMED static void blk_nanosleep(void)
{
	struct timespec t = { .tv_nsec = MS * 1000000 };

	nanosleep(&t, NULL);
	STAY();
}

FRAMED static void blk_read(void)
{
	char byte;

	sem_post(&begin_read);
	if (read(pipe_fds[0], &byte, 1) != 1)
		exit(1);
}

FRAMED static void blk_lock(void)
{
	sem_post(&begin_lock);
	while (sem_wait(&locked))
		;
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	STAY();
}

/* Of the processor's time: what others take is not it. */
FRAMED static void burn_clock(void)
{
	uint64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + MS * 1000000;
	struct timespec t;

	do {
		for (int i = 0; i < 1000; i++)
			clock_gettime(CLOCK_MONOTONIC, &t);
	} while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end);
}

static void *write_later(void *arg)
{
	for (;;) {
		while (sem_wait(&begin_read))
			;
		usleep(MS * 1000);
		if (write(pipe_fds[1], "", 1) != 1)
			return arg;
	}
}

static void *lock_before(void *arg)
{
	for (;;) {
		while (sem_wait(&begin_lock))
			;
		pthread_mutex_lock(&mutex);
		sem_post(&locked);
		usleep(MS * 1000);
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

FRAMED static void run(const char *name, void (*fn)(void), long rounds)
{
	clockid_t clock = fn == burn_clock ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
	uint64_t start = now_ns(clock);

	for (long i = 0; i < rounds; i++)
		fn();
	printf("%s %llu\n", name, (unsigned long long)(now_ns(clock) - start));
}

FRAMED int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} all[] = {
		{ "blk_usleep", blk_usleep }, { "blk_nanosleep", blk_nanosleep },
		{ "blk_read", blk_read }, { "blk_lock", blk_lock }, { "burn_clock", burn_clock },
	};
	long rounds = argc > 1 ? atol(argv[1]) : 40;
	pthread_t thread;

	if (pipe(pipe_fds) || sem_init(&begin_read, 0, 0) || sem_init(&begin_lock, 0, 0) ||
	    sem_init(&locked, 0, 0) || pthread_create(&thread, NULL, write_later, NULL) ||
	    pthread_create(&thread, NULL, lock_before, NULL))
		return 1;
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		run(all[i].name, all[i].fn, rounds);
	return fflush(stdout) ? 1 : 0;
}
