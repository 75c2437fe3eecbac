// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * hold_server.c - an echo server whose loop is held so often, for so long: hold_server HOW MS TIMES
 * EVERY_MS. HOW: `sleep` or `burn` before an answer, `own` behind the last event of a turn, for
 * nobody. After SIGUSR1, TIMES times; "held TIMES" says that it is through.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ULL

static volatile sig_atomic_t asked;

static void on_signal(int sig)
{
	(void)sig;
	asked = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

struct holding {
	const char *how;
	uint64_t length_ns, every_ns, due_ns;
	unsigned times, left;
};

static bool is_due(struct holding *h)
{
	if (asked) {
		asked = 0;
		h->left = h->times;
		h->due_ns = now_ns();
	}
	return h->left && now_ns() >= h->due_ns;
}

static void hold(struct holding *h)
{
	uint64_t end = now_ns() + h->length_ns;
	struct timespec ts = { .tv_sec = (time_t)(end / (1000 * MS)),
			       .tv_nsec = (long)(end % (1000 * MS)) };

	if (!strcmp(h->how, "sleep"))
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
			;
	while (now_ns() < end)
		;
	h->due_ns = now_ns() + h->every_ns;
	if (!--h->left)
		printf("held %u\n", h->times);
}

static void add(int ep, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static void answer(struct holding *h, int fd)
{
	char data[4096];
	ssize_t n = read(fd, data, sizeof(data));

	if (n <= 0) {
		close(fd);
		return;
	}
	if (strcmp(h->how, "own") && is_due(h))
		hold(h);
	if (write(fd, data, (size_t)n) < 0)
		close(fd);
}

static int listener(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		exit(1);
	printf("port %u\n", ntohs(at.sin_port));
	return fd;
}

int main(int argc, char **argv)
{
	struct holding h = { .how = argc == 5 ? argv[1] : "" };
	struct epoll_event events[64];
	int ep = epoll_create1(0), fd;

	if (argc != 5)
		return 64;
	h.length_ns = strtoull(argv[2], NULL, 10) * MS;
	h.times = (unsigned)strtoul(argv[3], NULL, 10);
	h.every_ns = strtoull(argv[4], NULL, 10) * MS;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGUSR1, on_signal);
	fd = listener();
	add(ep, fd);
	for (;;) {
		int n = epoll_wait(ep, events, 64, 20);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == fd)
				add(ep, accept(fd, NULL, NULL));
			else
				answer(&h, events[i].data.fd);
		}
		if (!strcmp(h.how, "own") && is_due(&h))
			hold(&h);
	}
}
