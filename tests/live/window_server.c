/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * window_server.c [PERIOD_MS BURST_MS] - system calls in known numbers: steady ones of an event loop,
 * bursts with a period, of 100 ms unless told, calls that last 200 ms. SIGUSR1: the counts so far, a line
 * "counts NS NAME N NAME N ...".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L
#define SLOW_NS (200 * MS)
#define SLOW_THREADS 8	/* of each kind */

enum { N_READ, N_READV, N_WRITE, N_CTL, N_FUTEX, N_READ_MAX, N_FUTEX_MAX, N_COUNT };

static const char *const names[N_COUNT] = {
	"read", "readv", "write", "epoll_ctl", "futex", "slowest_read", "slowest_futex",
};
static atomic_ullong counts[N_COUNT];
static int null_fd;
static int64_t period_ns = 100 * MS, burst_ns = 20 * MS;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* The longest of all threads, in ns. */
static void remember(int i, int64_t begin)
{
	unsigned long long ns = (unsigned long long)(now_ns() - begin), most = counts[i];

	while (ns > most && !atomic_compare_exchange_weak(&counts[i], &most, ns))
		;
}

/* Each read lasts as long as the timer. */
static void *read_slowly(void *arg)
{
	const struct itimerspec timer = { .it_value.tv_nsec = SLOW_NS };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	int64_t begin;
	uint64_t n;

	(void)arg;
	for (;;) {
		begin = now_ns();
		timerfd_settime(fd, 0, &timer, NULL);
		if (read(fd, &n, sizeof(n)) == sizeof(n))
			counts[N_READ]++;
		remember(N_READ_MAX, begin);
	}
	return NULL;
}

static void *wait_for_a_lock(void *arg)
{
	const struct timespec limit = { .tv_nsec = SLOW_NS };
	uint32_t word = 0;
	int64_t begin;

	(void)arg;
	for (;;) {
		begin = now_ns();
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0);
		counts[N_FUTEX]++;
		remember(N_FUTEX_MAX, begin);
	}
	return NULL;
}

/* A write every 50 us, for so long, at the beginning of each period. */
static void *write_in_bursts(void *arg)
{
	int64_t begin = now_ns(), next;

	(void)arg;
	for (;; begin += period_ns) {
		sleep_until(begin);
		for (next = begin; next < begin + burst_ns; next += 50000) {
			while (now_ns() < next)
				;
			if (write(null_fd, "", 1) == 1)
				counts[N_WRITE]++;
		}
	}
	return NULL;
}

static void tell(void)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "counts %lld", (long long)now_ns());

	for (int i = 0; i < N_COUNT; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s %llu", names[i],
			      (unsigned long long)counts[i]);
	puts(line);
	fflush(stdout);
}

static int listener(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (void *)&address, len) || listen(fd, 16) ||
	    getsockname(fd, (void *)&address, &len))
		exit(1);
	printf("port %u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void add(int ep, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

int main(int argc, char *argv[])
{
	const struct itimerspec every_ms = { { 0, MS }, { 0, MS } };
	int ep = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	int listen_fd = listener(), signals;
	struct signalfd_siginfo info;
	pthread_t thread;
	sigset_t set;

	if (argc == 3) {
		period_ns = atol(argv[1]) * MS;
		burst_ns = atol(argv[2]) * MS;
	}
	null_fd = open("/dev/null", O_WRONLY);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_NONBLOCK);
	for (int i = 0; i < SLOW_THREADS; i++) {
		pthread_create(&thread, NULL, read_slowly, NULL);
		pthread_create(&thread, NULL, wait_for_a_lock, NULL);
		usleep(SLOW_NS / 1000 / SLOW_THREADS);	/* not all at once */
	}
	pthread_create(&thread, NULL, write_in_bursts, NULL);
	add(ep, listen_fd);
	add(ep, signals);
	add(ep, timer);
	timerfd_settime(timer, 0, &every_ms, NULL);
	for (;;) {
		struct epoll_event e, mod = { .events = EPOLLIN, .data.fd = timer };
		uint64_t n;
		struct iovec to_n = { &n, sizeof(n) }, to_info = { &info, sizeof(info) };

		if (epoll_wait(ep, &e, 1, -1) != 1)
			continue;
		if (e.data.fd == signals && readv(signals, &to_info, 1) > 0)
			tell();
		/* Found nothing the second time: EAGAIN. */
		for (int i = 0; e.data.fd == timer && i < 2; i++) {
			if (readv(timer, &to_n, 1) < 0 && i == 0)
				continue;
			counts[N_READV]++;
			epoll_ctl(ep, EPOLL_CTL_MOD, timer, &mod);
			counts[N_CTL]++;
		}
	}
}
