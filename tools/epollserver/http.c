/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http.c - HTTP/1.1 with keep-alive and pipelining: a constant answer, and /file by sendfile.
 *
 * Requests that came together are answered together. Bodies are thrown away.
 */

#include "suffer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MOST 8192
#define BODY_MOST (1u << 30)
#define REPLY_MOST INPUT_BYTES		/* answers composed before they are sent */

struct request {
	bool head, file, keep, expect, minor0;
	uint32_t body;
};

/* The head of an answer. It says so if the connection is going to be closed. */
static bool reply_status(struct loop *l, const char *status, const char *extra, uint64_t length,
	const struct request *q)
{
	const char *connection = !q->keep ? "Connection: close\r\n" :
		q->minor0 ? "Connection: keep-alive\r\n" : "";
	char text[256];
	int n = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %llu\r\n%s%s\r\n",
			status, (unsigned long long)length, extra, connection);

	return reply_add(l, text, (size_t)n);
}

static bool reply_constant(struct loop *l, const struct request *q)
{
	static const char ok[] = "ok\n";
	static const char fill[] = "ok, and as much of this as was asked for: .................\n";
	uint64_t left = l->cfg->answer_bytes;

	if (!reply_status(l, "200 OK", "", left, q))
		return false;
	while (left && !q->head) {
		uint64_t part = left < sizeof(fill) - 1 ? left : sizeof(fill) - 1;

		if (!reply_add(l, left <= 3 ? &ok[3 - left] : fill, part))
			return false;
		left -= part;
	}
	return true;
}

/* The value if this header line has that name. */
static const char *value_of(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) || line[n] != ':')
		return NULL;
	for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	return line + n;
}

static bool is_token(const char *value, const char *end, const char *token)
{
	size_t n = strlen(token);

	return value && (size_t)(end - value) >= n && !strncasecmp(value, token, n);
}

/* 0, or the status of the refusal. */
static const char *parse_header(const char *line, const char *end, struct request *q)
{
	size_t len = (size_t)(end - line);
	const char *v = value_of(line, len, "Content-Length");
	unsigned long long body;
	char *stop;

	if (v) {
		if (*v < '0' || *v > '9')
			return "400 Bad Request";
		body = strtoull(v, &stop, 10);
		if (stop != end)
			return "400 Bad Request";
		if (body > BODY_MOST)
			return "413 Content Too Large";
		q->body = (uint32_t)body;
	} else if (value_of(line, len, "Transfer-Encoding")) {
		return "501 Not Implemented";
	}
	v = value_of(line, len, "Connection");
	if (is_token(v, end, "close"))
		q->keep = false;
	else if (is_token(v, end, "keep-alive"))
		q->keep = true;
	if (is_token(value_of(line, len, "Expect"), end, "100-continue"))
		q->expect = true;
	return NULL;
}

/* METHOD SP PATH SP HTTP/1.x */
static const char *parse_line(struct loop *l, const char *line, const char *end, struct request *q)
{
	const char *path = memchr(line, ' ', (size_t)(end - line));
	const char *version = path ? memchr(path + 1, ' ', (size_t)(end - path - 1)) : NULL;
	size_t method = path ? (size_t)(path - line) : 0;

	if (!version || end - version != 9 || memcmp(version, " HTTP/1.", 8) || path[1] != '/')
		return "400 Bad Request";
	q->minor0 = version[8] == '0';
	q->keep = !q->minor0 && !l->stopping;
	q->head = method == 4 && !memcmp(line, "HEAD", 4);
	if (!q->head && !(method == 3 && (!memcmp(line, "GET", 3) || !memcmp(line, "PUT", 3))) &&
	    !(method == 4 && !memcmp(line, "POST", 4)))
		return "405 Method Not Allowed";
	q->file = version - path == 6 && !memcmp(path, " /file", 6);
	return q->file && l->server->file < 0 ? "404 Not Found" : NULL;
}

/* All lines of a head that ends at end, which is behind its last CRLF. */
static const char *parse(struct loop *l, const char *text, const char *end, struct request *q)
{
	const char *stop = memmem(text, (size_t)(end - text), "\r\n", 2);
	const char *status = parse_line(l, text, stop, q), *bad;

	for (const char *line = stop + 2; line < end; line = stop + 2) {
		stop = memmem(line, (size_t)(end - line), "\r\n", 2);
		bad = parse_header(line, stop, q);
		if (bad) {
			q->keep = false;
			return bad;
		}
	}
	/* After a 404 or 405 it is known where the request ends, after a 400 it is not. */
	if (status && !strncmp(status, "400", 3))
		q->keep = false;
	if (l->stopping)
		q->keep = false;
	return status;
}

/* One request's answer into the reply: false if it is the last. */
static bool answer(struct loop *l, struct conn *c, enum verdict v, const char *bad,
	const struct request *q, off_t *file_bytes)
{
	struct request last = *q;
	bool fine;

	if (c->refuse || v == REFUSE) {
		last.keep = last.keep && !c->refuse;
		fine = reply_status(l, "503 Service Unavailable", "Retry-After: 1\r\n", 0, &last);
		stat_add(&l->stats->refused, c->refuse);
	} else if (bad) {
		stat_add(&l->stats->protocol_errors, 1);
		fine = reply_status(l, bad, strncmp(bad, "405", 3) ? "" :
			"Allow: GET, HEAD, POST, PUT\r\n", 0, &last);
	} else if (q->file) {
		fine = reply_status(l, "200 OK", "", (uint64_t)l->server->file_bytes, q);
		*file_bytes = q->head ? 0 : l->server->file_bytes;
	} else {
		fine = reply_constant(l, q);
	}
	return fine && last.keep;
}

static size_t skip_body(struct conn *c, size_t bytes)
{
	size_t n = c->skip < bytes ? c->skip : bytes;

	c->skip -= (uint32_t)n;
	return n;
}

static ssize_t http_input(struct loop *l, struct conn *c, const uint8_t *data, size_t bytes)
{
	size_t done = skip_body(c, bytes);
	bool more = true, turned_away = c->refuse;
	uint32_t count = 0;
	off_t file_bytes = 0;

	l->reply.fill = 0;
	while (more && done < bytes && !file_bytes && l->reply.fill < REPLY_MOST) {
		const char *text = (const char *)data + done;
		const char *end = memmem(text, bytes - done, "\r\n\r\n", 4);
		struct request q = { 0 };
		const char *bad = NULL;
		enum verdict v;

		if (*text < 'A' || *text > 'Z')
			bad = "400 Bad Request";	/* not waited for: garbage may never end */
		else if (end ? end - text > HEAD_MOST : bytes - done > HEAD_MOST)
			bad = "431 Request Header Fields Too Large";
		else if (!end)
			break;
		v = c->refuse ? REFUSE : overload_admit(l, c);
		if (v == QUEUE)
			break;
		if (!bad)
			bad = parse(l, text, end + 2, &q);
		if (v == ADMIT && l->faults.any)
			l->exchange.fault |= suffer_request(l, c->serial);
		if (q.expect && !bad && v == ADMIT &&
		    !reply_add(l, "HTTP/1.1 100 Continue\r\n\r\n", 25))
			return -1;
		more = answer(l, c, v, bad, &q, &file_bytes);
		turned_away |= bad != NULL;
		count++;
		done = end ? (size_t)(end + 4 - (const char *)data) : bytes;
		c->skip = q.body;
		done += skip_body(c, bytes - done);
	}
	if (count)
		answer_exchange(l, c, l->reply.bytes, l->reply.fill, count, file_bytes);
	if (!more && c->watch.fd >= 0) {
		c->closing = 1;
		c->linger = turned_away;
		return (ssize_t)bytes;
	}
	return (ssize_t)done;
}

const struct protocol http_protocol = {
	.conn_bytes = sizeof(struct conn),
	.input = http_input,
};
