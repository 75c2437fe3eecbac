/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * echo_server.c - a plain server that knows the truth: what the live tests trace.
 *
 * Speaks messages of a fixed size that it sends back, or a minimal HTTP/1.1 with a constant
 * answer. One listener for each loop (SO_REUSEPORT). Every exchange is stamped with
 * CLOCK_MONOTONIC in memory, and written to the truth file on SIGINT or SIGTERM, a line each:
 *
 *   peer_port number accept_ns return_ns read_ns got_ns send_ns answered_ns tid fault
 *
 * number counts from 1 on its connection; return_ns is when the wait came back, read_ns and got_ns
 * lie before and after the last read, send_ns and answered_ns around the first send of the answer;
 * fault is 0, 1 (slept) or 2 (spun), between got_ns and send_ns.
 *
 * A client asks by the first byte of a message for the connection to be closed ('q') or reset
 * ('r') after the answer; in HTTP it says "Connection: close".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/clock.h"

#define HTTP_BYTES 8192
#define BATCH 256
#define CHUNK 4096

enum wait_by { BY_EPOLL, BY_POLL, BY_READ };
enum fault { FAULT_NONE, FAULT_SLEEP, FAULT_SPIN };
enum verdict { KEEP, CLOSE, RESET };

struct config {
	int port, loops, backlog;
	enum wait_by wait_by;
	bool edge, http, ipv6;
	size_t size;			/* of a message, bytes */
	uint64_t every[3];		/* by enum fault: each so many requests; 0 never */
	uint64_t fault_ns[3];
	uint64_t accept_delay_ns;	/* between a connection's event and its accept */
	const char *truth;
};

struct record {
	uint32_t port, number, tid, fault;
	uint64_t accept_ns, return_ns, read_ns, got_ns, send_ns, answered_ns;
};

/* Records of one thread; main reads them while the thread runs, so counts are atomic. */
struct chunk {
	struct chunk *_Atomic next;
	atomic_size_t count;
	struct record record[CHUNK];
};

struct log {
	struct log *next;
	struct chunk *first, *last;
};

struct server {
	struct config cfg;
	atomic_uint_fast64_t requests;
	pthread_mutex_t lock;	/* logs */
	struct log *logs;
};

struct conn {
	int fd;
	uint32_t port, number;
	uint64_t accept_ns;
	size_t fill, room;
	char buf[];
};

struct loop {
	struct server *server;
	struct log *log;
	int listener, epoll;
	uint32_t tid;
	uint64_t return_ns;
	struct pollfd *polled;	/* BY_POLL: [0] is the listener */
	struct conn **conns;
	size_t n_polled;
};

static void die(const char *what)
{
	fprintf(stderr, "echo_server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *need(void *p)
{
	if (!p)
		die("memory");
	return p;
}

/* Uses the processor for ns, however often it is taken away meanwhile. */
static void spin_ns(uint64_t ns)
{
	uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	do {
		for (volatile unsigned i = 0; i < 20000; i++)
			;
	} while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end);
}

static struct log *log_open(struct server *s)
{
	struct log *log = need(calloc(1, sizeof(*log)));

	log->first = log->last = need(calloc(1, sizeof(*log->first)));
	pthread_mutex_lock(&s->lock);
	log->next = s->logs;
	s->logs = log;
	pthread_mutex_unlock(&s->lock);
	return log;
}

static void log_add(struct log *log, const struct record *r)
{
	struct chunk *c = log->last;

	if (c->count == CHUNK) {
		c = need(calloc(1, sizeof(*c)));
		log->last->next = c;
		log->last = c;
	}
	c->record[c->count] = *r;
	c->count++;
}

static void log_write(FILE *f, const struct record *r)
{
	fprintf(f, "%u %u %llu %llu %llu %llu %llu %llu %u %u\n", r->port, r->number,
		(unsigned long long)r->accept_ns, (unsigned long long)r->return_ns,
		(unsigned long long)r->read_ns, (unsigned long long)r->got_ns,
		(unsigned long long)r->send_ns, (unsigned long long)r->answered_ns,
		r->tid, r->fault);
}

static void write_truth(struct server *s)
{
	FILE *f = fopen(s->cfg.truth, "w");

	if (!f)
		die(s->cfg.truth);
	pthread_mutex_lock(&s->lock);
	for (struct log *log = s->logs; log; log = log->next)
		for (struct chunk *c = log->first; c; c = c->next)
			for (size_t i = 0; i < c->count; i++)
				log_write(f, &c->record[i]);
	pthread_mutex_unlock(&s->lock);
	if (fclose(f))
		die(s->cfg.truth);
}

/* The requests of all connections are counted together, so N requests have exactly N/every. */
static enum fault commit_fault(struct server *s)
{
	uint64_t n = atomic_fetch_add(&s->requests, 1) + 1;

	if (s->cfg.every[FAULT_SLEEP] && n % s->cfg.every[FAULT_SLEEP] == 0) {
		sleep_ns(s->cfg.fault_ns[FAULT_SLEEP]);
		return FAULT_SLEEP;
	}
	if (s->cfg.every[FAULT_SPIN] && n % s->cfg.every[FAULT_SPIN] == 0) {
		spin_ns(s->cfg.fault_ns[FAULT_SPIN]);
		return FAULT_SPIN;
	}
	return FAULT_NONE;
}

/* Sends all of it; returns when the first byte was taken, 0 if the peer is gone. */
static uint64_t send_all(int fd, const char *data, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	uint64_t first = 0;

	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return 0;
		if (n < 0) {
			poll(&p, 1, -1);
			continue;
		}
		if (!first)
			first = now_ns();
		data += n;
		size -= (size_t)n;
	}
	return first;
}

/* Bytes of the complete message at the buffer's start, 0 if there is none yet. */
static size_t message(const struct config *cfg, const struct conn *c)
{
	const char *end;

	if (!cfg->http)
		return c->fill >= cfg->size ? cfg->size : 0;
	end = memmem(c->buf, c->fill, "\r\n\r\n", 4);
	return end ? (size_t)(end - c->buf) + 4 : 0;
}

static enum verdict verdict(const struct config *cfg, const struct conn *c, size_t size)
{
	if (cfg->http)
		return memmem(c->buf, size, "Connection: close", 17) ? CLOSE : KEEP;
	return c->buf[0] == 'q' ? CLOSE : c->buf[0] == 'r' ? RESET : KEEP;
}

static void set_reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Answers the message of that size; false when the connection is to be closed. */
static bool answer(struct loop *l, struct conn *c, size_t size, struct record *r)
{
	static const char http[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
	const struct config *cfg = &l->server->cfg;
	enum verdict v = verdict(cfg, c, size);

	r->port = c->port;
	r->number = ++c->number;
	r->accept_ns = c->accept_ns;
	r->tid = l->tid;
	r->fault = commit_fault(l->server);
	r->send_ns = now_ns();
	if (cfg->http)
		r->answered_ns = send_all(c->fd, http, sizeof(http) - 1);
	else
		r->answered_ns = send_all(c->fd, c->buf, size);
	if (!r->answered_ns)
		return false;
	log_add(l->log, r);
	if (v == RESET)
		set_reset(c->fd);
	c->fill -= size;
	memmove(c->buf, c->buf + size, c->fill);
	return v == KEEP;
}

/* One read and its answers: 1 read, 0 nothing there, -1 to be closed. */
static int serve_once(struct loop *l, struct conn *c)
{
	bool blocking = l->server->cfg.wait_by == BY_READ;
	struct record r = { .return_ns = l->return_ns, .read_ns = now_ns() };
	ssize_t n = recv(c->fd, c->buf + c->fill, c->room - c->fill, 0);
	size_t size;

	r.got_ns = now_ns();
	if (blocking)
		r.return_ns = r.read_ns = r.got_ns;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	c->fill += (size_t)n;
	while ((size = message(&l->server->cfg, c)) != 0)
		if (!answer(l, c, size, &r))
			return -1;
	return c->fill < c->room ? 1 : -1;
}

/* False when the connection is to be closed. */
static bool serve(struct loop *l, struct conn *c)
{
	int rc = serve_once(l, c);

	while (rc > 0 && l->server->cfg.edge)
		rc = serve_once(l, c);
	return rc >= 0;
}

static struct conn *accept_one(struct loop *l)
{
	const struct config *cfg = &l->server->cfg;
	size_t room = cfg->http ? HTTP_BYTES : cfg->size + 1;
	struct sockaddr_in6 peer;
	socklen_t len = sizeof(peer);
	int one = 1, flags = SOCK_CLOEXEC | (cfg->wait_by == BY_READ ? 0 : SOCK_NONBLOCK);
	struct conn *c;
	int fd;

	if (cfg->accept_delay_ns)
		sleep_ns(cfg->accept_delay_ns);
	fd = accept4(l->listener, (struct sockaddr *)&peer, &len, flags);
	if (fd < 0)
		return NULL;
	c = need(calloc(1, sizeof(*c) + room));
	c->accept_ns = now_ns();
	c->fd = fd;
	c->room = room;
	c->port = ntohs(peer.sin6_port);	/* at the same place in sockaddr_in */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return c;
}

static void conn_close(struct conn *c)
{
	close(c->fd);
	free(c);
}

static void epoll_add(struct loop *l, int fd, uint32_t events, void *ptr)
{
	struct epoll_event ev = { .events = events, .data.ptr = ptr };

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev))
		die("epoll_ctl");
}

static void epoll_event(struct loop *l, struct conn *c)
{
	uint32_t edge = l->server->cfg.edge ? EPOLLET : 0;

	if (c) {
		if (!serve(l, c))
			conn_close(c);
		return;
	}
	c = accept_one(l);
	if (c)
		epoll_add(l, c->fd, EPOLLIN | EPOLLRDHUP | edge, c);
}

static void run_epoll(struct loop *l)
{
	struct epoll_event ev[BATCH];

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	epoll_add(l, l->listener, EPOLLIN, NULL);
	for (;;) {
		int n = epoll_wait(l->epoll, ev, BATCH, -1);

		l->return_ns = now_ns();
		for (int i = 0; i < n; i++)
			epoll_event(l, ev[i].data.ptr);
	}
}

static void poll_grow(struct loop *l, int fd, struct conn *c)
{
	size_t n = l->n_polled + 1;

	l->polled = need(realloc(l->polled, n * sizeof(*l->polled)));
	l->conns = need(realloc(l->conns, n * sizeof(*l->conns)));
	l->polled[n - 1] = (struct pollfd){ .fd = fd, .events = POLLIN };
	l->conns[n - 1] = c;
	l->n_polled = n;
}

static void poll_drop(struct loop *l, size_t i)
{
	conn_close(l->conns[i]);
	l->n_polled--;
	l->polled[i] = l->polled[l->n_polled];
	l->conns[i] = l->conns[l->n_polled];
}

static void run_poll(struct loop *l)
{
	struct conn *c;

	poll_grow(l, l->listener, NULL);
	for (;;) {
		poll(l->polled, l->n_polled, -1);
		l->return_ns = now_ns();
		/* Downwards: dropping one moves the last, which was served already, into its place. */
		for (size_t i = l->n_polled; i-- > 1;)
			if (l->polled[i].revents && !serve(l, l->conns[i]))
				poll_drop(l, i);
		c = l->polled[0].revents ? accept_one(l) : NULL;
		if (c)
			poll_grow(l, c->fd, c);
	}
}

struct visit {
	struct loop loop;
	struct conn *conn;
};

static void *run_connection(void *arg)
{
	struct visit *v = arg;

	v->loop.tid = (uint32_t)syscall(SYS_gettid);
	v->loop.log = log_open(v->loop.server);
	while (serve(&v->loop, v->conn))
		;
	conn_close(v->conn);
	free(v);
	return NULL;
}

static void run_blocking(struct loop *l)
{
	for (;;) {
		struct conn *c = accept_one(l);
		struct visit *v;
		pthread_t thread;

		if (!c)
			continue;
		v = need(calloc(1, sizeof(*v)));
		v->loop = *l;
		v->conn = c;
		if (pthread_create(&thread, NULL, run_connection, v))
			die("pthread_create");
		pthread_detach(thread);
	}
}

static void *run_loop(void *arg)
{
	static void (*const run[])(struct loop *) = {
		[BY_EPOLL] = run_epoll, [BY_POLL] = run_poll, [BY_READ] = run_blocking,
	};
	struct loop *l = arg;

	l->tid = (uint32_t)syscall(SYS_gettid);
	l->log = log_open(l->server);
	run[l->server->cfg.wait_by](l);
	return NULL;
}

/* Binds to cfg->port, or to any and stores which. */
static int listen_on(struct config *cfg)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr *addr = cfg->ipv6 ? (void *)&v6 : (void *)&v4;
	socklen_t len = cfg->ipv6 ? sizeof(v6) : sizeof(v4);
	int one = 1, fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v4.sin_port = v6.sin6_port = htons((uint16_t)cfg->port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, addr, len) || listen(fd, cfg->backlog))
		die("listen");
	getsockname(fd, addr, &len);
	cfg->port = ntohs(cfg->ipv6 ? v6.sin6_port : v4.sin_port);
	return fd;
}

static void start_loop(struct server *s)
{
	struct loop *l = need(calloc(1, sizeof(*l)));
	pthread_t thread;

	l->server = s;
	l->listener = listen_on(&s->cfg);
	if (pthread_create(&thread, NULL, run_loop, l))
		die("pthread_create");
}

static const struct option options[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "loops", required_argument, NULL, 'l' },
	{ "size", required_argument, NULL, 's' },
	{ "backlog", required_argument, NULL, 'b' },
	{ "edge", no_argument, NULL, 'e' },
	{ "poll", no_argument, NULL, 'o' },
	{ "blocking", no_argument, NULL, 'k' },
	{ "http", no_argument, NULL, 'h' },
	{ "ipv6", no_argument, NULL, '6' },
	{ "sleep-every", required_argument, NULL, 'S' },
	{ "sleep-ms", required_argument, NULL, 'm' },
	{ "spin-every", required_argument, NULL, 'P' },
	{ "spin-ms", required_argument, NULL, 'n' },
	{ "accept-delay-ms", required_argument, NULL, 'a' },
	{ "truth", required_argument, NULL, 't' },
	{ 0 },
};

static void set_option(struct config *cfg, int o, const char *arg)
{
	uint64_t n = arg ? strtoull(arg, NULL, 10) : 0;

	switch (o) {
	case 'p': cfg->port = (int)n; break;
	case 'l': cfg->loops = (int)n; break;
	case 's': cfg->size = n; break;
	case 'b': cfg->backlog = (int)n; break;
	case 'e': cfg->edge = true; break;
	case 'o': cfg->wait_by = BY_POLL; break;
	case 'k': cfg->wait_by = BY_READ; break;
	case 'h': cfg->http = true; break;
	case '6': cfg->ipv6 = true; break;
	case 'S': cfg->every[FAULT_SLEEP] = n; break;
	case 'm': cfg->fault_ns[FAULT_SLEEP] = n * 1000000; break;
	case 'P': cfg->every[FAULT_SPIN] = n; break;
	case 'n': cfg->fault_ns[FAULT_SPIN] = n * 1000000; break;
	case 'a': cfg->accept_delay_ns = n * 1000000; break;
	case 't': cfg->truth = arg; break;
	default: exit(64);
	}
}

int main(int argc, char **argv)
{
	struct server s = {
		.cfg = { .loops = 1, .size = 64, .backlog = 511 },
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	sigset_t set;
	int o, sig;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		set_option(&s.cfg, o, optarg);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);	/* inherited: only main hears of them */
	for (int i = 0; i < s.cfg.loops; i++)
		start_loop(&s);
	printf("port %d\n", s.cfg.port);
	fflush(stdout);
	sigwait(&set, &sig);
	if (s.cfg.truth)
		write_truth(&s);
	_exit(0);
}
