/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dispatcher.c - a loop that only hands over: it takes a ready connection out of the eventpoll and
 * puts it into a queue, from which a worker takes it, reads, sleeps, answers and puts it back.
 *
 * dispatcher WORKERS SLEEP_US prints "port N"; at SIGTERM it says how many requests it answered and how
 * long they lay in the queue, as its own clock has it.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define QUEUE 1024

static struct {
	int fd;
	long long since_ns;
} queue[QUEUE];

static unsigned head, tail;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static long long waited_ns, count;
static int ep, sleep_us;

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int take(void)
{
	int fd;

	pthread_mutex_lock(&lock);
	while (head == tail)
		pthread_cond_wait(&more, &lock);
	fd = queue[tail % QUEUE].fd;
	waited_ns += now_ns() - queue[tail++ % QUEUE].since_ns;
	pthread_mutex_unlock(&lock);
	return fd;
}

static void hand_over(int fd)
{
	epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
	pthread_mutex_lock(&lock);
	queue[head % QUEUE].fd = fd;
	queue[head++ % QUEUE].since_ns = now_ns();
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
}

static void *work(void *arg)
{
	char buf[256];

	for (;;) {
		int fd = take();
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

		if (read(fd, buf, sizeof(buf)) <= 0) {
			close(fd);
			continue;
		}
		__sync_fetch_and_add(&count, 1);
		usleep(sleep_us);
		if (write(fd, "ok", 2) != 2)
			abort();
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	}
	return arg;
}

static void end(int sig)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "count=%lld waited_ns=%lld\n", count, waited_ns);

	(void)sig;
	_exit(write(1, line, n) != n);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), workers = argc > 1 ? atoi(argv[1]) : 1;
	struct epoll_event events[64], e = { .events = EPOLLIN, .data.fd = listener };
	socklen_t len = sizeof(at);
	pthread_t thread;

	sleep_us = argc > 2 ? atoi(argv[2]) : 0;
	ep = epoll_create1(0);
	if (bind(listener, (struct sockaddr *)&at, len) || listen(listener, 128) ||
	    getsockname(listener, (struct sockaddr *)&at, &len))
		return 1;
	signal(SIGTERM, end);
	epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
	while (workers--)
		pthread_create(&thread, NULL, work, NULL);
	printf("port %d\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(ep, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd != listener) {
				hand_over(events[i].data.fd);
				continue;
			}
			e.data.fd = accept(listener, NULL, NULL);
			epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e);
		}
	}
}
