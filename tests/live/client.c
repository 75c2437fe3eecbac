/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * client.c - a closed-loop load of exactly N requests, for the live tests.
 *
 * C connections, one request under way on each. With --hold each connection is opened and used
 * once, then "ready" is printed on stderr and the N counted requests start when a byte comes on
 * stdin. With --hold-end it prints "done" and waits for another byte before it closes. --close says
 * who closes and how: client, client-reset, server or server-reset; with abandon the client closes
 * as soon as it has sent its last request, and is not there for the answer. The result is one JSON
 * object on stdout; latencies are from before the first send to after the last read. Speaks the echo
 * server's messages, HTTP (--http, --path), or a line and an answer of --size bytes (--line).
 *
 * The truth file has a line for each request, the uncounted ones too, as they were answered:
 *
 *   local_port number first_before first_after last_before last_after answered_ns
 *
 * where before and after lie around the send of the request's first and last piece.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/clock.h"

#define BUFFER 65536
#define BATCH 64

enum closing { CLOSE_CLIENT, RESET_CLIENT, ABANDON, CLOSE_SERVER, RESET_SERVER, CLOSINGS };

struct config {
	int port, connections;
	uint64_t requests;
	size_t size, pieces;
	uint64_t pause_ns;	/* between pieces; all connections pause meanwhile */
	const char *path;	/* HTTP */
	const char *line;	/* the request is this line; size is the answer's */
	bool http, ipv6, hold, hold_end, conn_per_request;
	enum closing closing;
	const char *truth;
};

struct conn {
	int fd;
	uint16_t port;
	uint32_t number;
	bool last;		/* asked the server to close after the answer */
	size_t got, body_left;	/* body_left is valid once the head is complete */
	bool head_done;
	uint64_t first_before, first_after, last_before, last_after;
	char head[4096];
};

struct run {
	struct config cfg;
	int epoll;
	char *request, *last_request;
	size_t request_size, last_size;
	struct conn *conns;
	uint64_t budget;	/* requests that may still be sent */
	uint64_t sent, answers, opened;
	int pending;
	bool counting;
	uint64_t *latency;
	FILE *truth;
};

static void die(const char *what)
{
	fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *need(void *p)
{
	if (!p)
		die("memory");
	return p;
}

static void open_conn(struct run *run, struct conn *c)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr *addr = run->cfg.ipv6 ? (void *)&v6 : (void *)&v4;
	socklen_t len = run->cfg.ipv6 ? sizeof(v6) : sizeof(v4);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	memset(c, 0, sizeof(*c));
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v4.sin_port = v6.sin6_port = htons((uint16_t)run->cfg.port);
	c->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, addr, len))
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	getsockname(c->fd, addr, &len);
	c->port = ntohs(run->cfg.ipv6 ? v6.sin6_port : v4.sin_port);
	if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, c->fd, &ev))
		die("epoll_ctl");
	run->opened++;
}

static void send_piece(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n <= 0)
			die("send");
		data += n;
		size -= (size_t)n;
	}
}

/* In --pieces parts of about the same size. */
static void send_request(struct run *run, struct conn *c)
{
	size_t pieces = run->cfg.pieces, done = 0;
	const char *data = c->last ? run->last_request : run->request;
	size_t size = c->last ? run->last_size : run->request_size;

	for (size_t i = 1; i <= pieces; i++) {
		size_t end = size * i / pieces;

		if (i > 1)
			sleep_ns(run->cfg.pause_ns);
		c->last_before = now_ns();
		send_piece(c->fd, data + done, end - done);
		c->last_after = now_ns();
		if (i == 1) {
			c->first_before = c->last_before;
			c->first_after = c->last_after;
		}
		done = end;
	}
}

static void close_conn(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* Sends the connection's next request if there is one to send. */
static void next_request(struct run *run, struct conn *c)
{
	uint64_t conns = (uint64_t)run->cfg.connections;

	if (!run->budget)
		return;
	run->budget--;
	run->pending++;
	c->number++;
	c->got = 0;
	c->head_done = false;
	/* The last request of a connection: no more than one for each is left. */
	c->last = run->cfg.closing >= ABANDON && run->counting &&
		  (run->cfg.conn_per_request || run->budget < conns);
	run->sent += run->counting;
	send_request(run, c);
	if (c->last && run->cfg.closing == ABANDON) {
		close_conn(c);
		run->pending--;
	}
}

static size_t content_length(const char *head)
{
	const char *p = strcasestr(head, "\r\nContent-Length:");

	if (!p) {
		errno = EPROTO;
		die("answer without Content-Length");
	}
	return strtoull(p + 17, NULL, 10);
}

/* Bytes taken in by the head; the rest is body. */
static bool http_done(struct conn *c, const char *data, size_t n)
{
	size_t room = sizeof(c->head) - 1 - c->got, take = n < room ? n : room;
	char *end;

	if (c->head_done) {
		c->body_left -= n < c->body_left ? n : c->body_left;
		return c->body_left == 0;
	}
	memcpy(c->head + c->got, data, take);
	c->got += take;
	c->head[c->got] = 0;
	end = strstr(c->head, "\r\n\r\n");
	if (!end)
		return false;
	c->head_done = true;
	c->body_left = content_length(c->head);
	return http_done(c, data, c->got - (size_t)(end + 4 - c->head) + n - take);
}

static bool answer_done(const struct run *run, struct conn *c, const char *data, size_t n)
{
	if (run->cfg.http)
		return http_done(c, data, n);
	c->got += n;
	return c->got >= run->cfg.size;
}

static void take_answer(struct run *run, const struct conn *c, uint64_t now)
{
	run->pending--;
	if (run->counting)
		run->latency[run->answers++] = now - c->first_before;
	if (run->truth)
		fprintf(run->truth, "%u %u %llu %llu %llu %llu %llu\n", c->port, c->number,
			(unsigned long long)c->first_before, (unsigned long long)c->first_after,
			(unsigned long long)c->last_before, (unsigned long long)c->last_after,
			(unsigned long long)now);
}

/* The server closes: its end must be the next thing we hear. */
static void await_close(struct conn *c)
{
	char byte;

	if (recv(c->fd, &byte, 1, 0) > 0) {
		errno = EPROTO;
		die("bytes after the last answer");
	}
	close_conn(c);
}

static void readable(struct run *run, struct conn *c, char *buf)
{
	ssize_t n = recv(c->fd, buf, BUFFER, 0);
	uint64_t now = now_ns();

	if (n <= 0) {
		if (n == 0)
			errno = ECONNRESET;
		die("connection lost");
	}
	if (!answer_done(run, c, buf, (size_t)n))
		return;
	take_answer(run, c, now);
	if (c->last) {
		await_close(c);
	} else if (run->cfg.conn_per_request && run->counting) {
		close_conn(c);
	}
	if (c->fd < 0 && run->budget && run->cfg.conn_per_request)
		open_conn(run, c);
	if (c->fd >= 0)
		next_request(run, c);
}

/* Sends and takes the answers of n requests over all connections. */
static void exchange(struct run *run, uint64_t n)
{
	struct epoll_event ev[BATCH];
	static char buf[BUFFER];

	run->budget = n;
	for (int i = 0; i < run->cfg.connections; i++)
		next_request(run, &run->conns[i]);
	while (run->pending) {
		int ready = epoll_wait(run->epoll, ev, BATCH, 20000);

		if (ready == 0) {
			errno = ETIMEDOUT;
			die("no answer");
		}
		for (int i = 0; i < ready; i++)
			readable(run, ev[i].data.ptr, buf);
	}
}

static void wait_for_byte(const char *say)
{
	char byte;

	fprintf(stderr, "%s\n", say);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		exit(1);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Nearest rank: the smallest value that q of all values don't exceed. */
static unsigned long long percentile(const struct run *run, double q)
{
	double rank = q * (double)run->answers;
	uint64_t i = (uint64_t)rank;

	if (!run->answers)
		return 0;
	if ((double)i < rank)
		i++;
	return run->latency[i ? i - 1 : 0];
}

static void print_result(const struct run *run)
{
	qsort(run->latency, run->answers, sizeof(*run->latency), by_value);
	printf("{\"requests\":%llu,\"answers\":%llu,\"connections\":%llu,"
	       "\"p50_ns\":%llu,\"p99_ns\":%llu,\"max_ns\":%llu}\n",
	       (unsigned long long)run->sent, (unsigned long long)run->answers,
	       (unsigned long long)run->opened, percentile(run, .5), percentile(run, .99),
	       percentile(run, 1));
}

static void set_reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* A connection's last request differs where the server shall close. Only echo knows a reset. */
static void make_requests(struct run *run)
{
	const struct config *cfg = &run->cfg;

	if (cfg->http) {
		run->request_size = (size_t)asprintf(&run->request,
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", cfg->path);
		run->last_size = (size_t)asprintf(&run->last_request,
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", cfg->path,
			cfg->closing == CLOSE_SERVER ? "Connection: close\r\n" : "");
		return;
	}
	if (cfg->line) {
		run->request_size = (size_t)asprintf(&run->request, "%s\r\n", cfg->line);
		run->last_size = (size_t)asprintf(&run->last_request, "%s\r\n", cfg->line);
		return;
	}
	run->request_size = run->last_size = cfg->size;
	run->request = need(malloc(cfg->size));
	run->last_request = need(malloc(cfg->size));
	memset(run->request, 'x', cfg->size);
	memset(run->last_request, cfg->closing == CLOSE_SERVER ? 'q' :
	       cfg->closing == RESET_SERVER ? 'r' : 'x', cfg->size);
}

static const struct option options[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "connections", required_argument, NULL, 'c' },
	{ "requests", required_argument, NULL, 'n' },
	{ "size", required_argument, NULL, 's' },
	{ "pieces", required_argument, NULL, 'k' },
	{ "pause-us", required_argument, NULL, 'u' },
	{ "path", required_argument, NULL, 'a' },
	{ "line", required_argument, NULL, 'L' },
	{ "truth", required_argument, NULL, 't' },
	{ "close", required_argument, NULL, 'C' },
	{ "http", no_argument, NULL, 'h' },
	{ "ipv6", no_argument, NULL, '6' },
	{ "hold", no_argument, NULL, 'o' },
	{ "hold-end", no_argument, NULL, 'e' },
	{ "conn-per-request", no_argument, NULL, 'r' },
	{ 0 },
};

static enum closing closing_of(const char *word)
{
	static const char *const words[CLOSINGS] = {
		"client", "client-reset", "abandon", "server", "server-reset",
	};

	for (int i = 0; i < CLOSINGS; i++)
		if (!strcmp(word, words[i]))
			return (enum closing)i;
	fprintf(stderr, "client: --close %s: what is that?\n", word);
	exit(64);
}

static void set_option(struct config *cfg, int o, const char *arg)
{
	uint64_t n = arg ? strtoull(arg, NULL, 10) : 0;

	switch (o) {
	case 'p': cfg->port = (int)n; break;
	case 'c': cfg->connections = (int)n; break;
	case 'n': cfg->requests = n; break;
	case 's': cfg->size = n; break;
	case 'k': cfg->pieces = n; break;
	case 'u': cfg->pause_ns = n * 1000; break;
	case 'a': cfg->path = arg; break;
	case 'L': cfg->line = arg; break;
	case 't': cfg->truth = arg; break;
	case 'C': cfg->closing = closing_of(arg); break;
	case 'h': cfg->http = true; break;
	case '6': cfg->ipv6 = true; break;
	case 'o': cfg->hold = true; break;
	case 'e': cfg->hold_end = true; break;
	case 'r': cfg->conn_per_request = true; break;
	default: exit(64);
	}
}

static void finish(struct run *run)
{
	if (run->cfg.hold_end)
		wait_for_byte("done");
	for (int i = 0; i < run->cfg.connections; i++) {
		if (run->cfg.closing == RESET_CLIENT)
			set_reset(run->conns[i].fd);
		close_conn(&run->conns[i]);
	}
	if (run->truth && fclose(run->truth))
		die(run->cfg.truth);
}

int main(int argc, char **argv)
{
	struct run run = {
		.cfg = { .connections = 1, .size = 64, .pieces = 1, .path = "/" },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		set_option(&run.cfg, o, optarg);
	make_requests(&run);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	run.conns = need(calloc((size_t)run.cfg.connections, sizeof(*run.conns)));
	run.latency = need(calloc(run.cfg.requests + 1, sizeof(*run.latency)));
	if (run.cfg.truth && !(run.truth = fopen(run.cfg.truth, "w")))
		die(run.cfg.truth);
	for (int i = 0; i < run.cfg.connections; i++)
		open_conn(&run, &run.conns[i]);
	if (run.cfg.hold) {
		exchange(&run, (uint64_t)run.cfg.connections);
		wait_for_byte("ready");
	}
	run.counting = true;
	exchange(&run, run.cfg.requests);
	finish(&run);
	print_result(&run);
	return 0;
}
