/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pool.c - a loop that only hands over: pool WORKERS HOLD_US EVERY. A connection that is ready is taken
 * out of the eventpoll and given to a worker thread, which reads a line, answers and puts it back; every
 * EVERYth request makes its worker sleep for HOLD_US first. Prints "port N".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 64

static int ep, hand_over[2];
static useconds_t hold_us;
static unsigned every;
static atomic_uint requests;

static void *need(const char *what, int failed)
{
	if (failed) {
		perror(what);
		exit(1);
	}
	return NULL;
}

static void arm(int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	need("epoll_ctl", epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0);
}

static void *worker(void *arg)
{
	char line[4096];
	int fd;

	while (read(hand_over[0], &fd, sizeof(fd)) == sizeof(fd)) {
		if (read(fd, line, sizeof(line)) <= 0) {
			close(fd);
			continue;
		}
		if ((atomic_fetch_add(&requests, 1) + 1) % every == 0)
			usleep(hold_us);
		if (write(fd, "ok\n", 3) == 3)
			arm(fd);
		else
			close(fd);
	}
	return arg;
}

static int listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	need("listen", bind(fd, (struct sockaddr *)&a, size) || listen(fd, 128));
	need("port", getsockname(fd, (struct sockaddr *)&a, &size));
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static void ready(int fd, int listening)
{
	if (fd == listening) {
		int one = 1, client = accept(listening, NULL, NULL);

		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		arm(client);
		return;
	}
	epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
	need("hand over", write(hand_over[1], &fd, sizeof(fd)) != sizeof(fd));
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	pthread_t thread;
	int listening;

	if (argc != 4)
		return 64;
	hold_us = (useconds_t)atoi(argv[2]);
	every = (unsigned)atoi(argv[3]);
	ep = epoll_create1(0);
	need("pipe", pipe(hand_over));
	for (int i = 0; i < atoi(argv[1]); i++)
		need("thread", pthread_create(&thread, NULL, worker, NULL));
	listening = listener();
	arm(listening);
	for (;;) {
		int n = epoll_wait(ep, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
			ready(events[i].data.fd, listening);
	}
}
