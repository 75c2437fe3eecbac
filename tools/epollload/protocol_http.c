/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * protocol_http.c - HTTP/1.1: a GET, or a POST with --size bytes of body, and whatever answers it.
 *
 *	STATUS -> HEADERS -> LENGTH (Content-Length), CHUNK_SIZE <-> CHUNK, or UNTIL_CLOSE
 *	CHUNK_SIZE 0 -> TRAILER -> STATUS
 *
 * An answer with a status from 400 on is a refusal. 1xx answers precede the real one.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "protocol.h"

enum http_state { STATUS, HEADERS, LENGTH, CHUNK_SIZE, CHUNK, TRAILER, UNTIL_CLOSE };

static int http_prepare(struct traffic *t)
{
	const struct config *cfg = t->cfg;
	const char *last = cfg->conn_per_request ? "Connection: close\r\n" : "";
	char *text, *body;
	int head, err;

	if (cfg->size)
		head = asprintf(&text, "POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %u\r\n\r\n",
				cfg->path, cfg->host, last, cfg->size);
	else
		head = asprintf(&text, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", cfg->path, cfg->host,
				last);
	if (head < 0)
		return -ENOMEM;
	body = realloc(text, (size_t)head + cfg->size);
	if (!body) {
		free(text);
		return -ENOMEM;
	}
	memset(body + head, 'x', cfg->size);
	err = traffic_repeat(t, body, (size_t)head + cfg->size);
	free(body);
	return err;
}

static enum parsed answered(struct wire *w)
{
	bool refused = w->http.refused;

	w->closing |= w->http.close;
	w->http = (struct http_wire){ 0 };
	return refused ? PARSED_REFUSAL : PARSED_ANSWER;
}

/* The value of a header if the line is that header, blanks skipped. */
static const char *header(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) || line[n] != ':')
		return NULL;
	for (line += n + 1; *line == ' ' || *line == '\t'; line++)
		;
	return line;
}

static enum parsed status_line(struct http_wire *h)
{
	const char *s = h->line;

	if (strncmp(s, "HTTP/1.", 7) || !isdigit((unsigned char)s[7]) || s[8] != ' ' ||
	    s[9] < '1' || s[9] > '5' || !isdigit((unsigned char)s[10]) ||
	    !isdigit((unsigned char)s[11]))
		return PARSED_GARBAGE;
	h->close = s[7] == '0';
	h->refused = s[9] >= '4';
	h->informal = s[9] == '1';
	if (!strncmp(s + 9, "204", 3) || !strncmp(s + 9, "304", 3))
		h->has_length = true;	/* never a body */
	h->state = HEADERS;
	return PARSED_MORE;
}

/* A number with nothing but blanks or an extension behind it. */
static bool number(const char *text, int base, uint64_t *n)
{
	char *end;

	if (!isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	*n = strtoull(text, &end, base);
	return !errno && (!*end || *end == ' ' || *end == ';' || *end == '\t');
}

static enum parsed header_line(struct http_wire *h)
{
	const char *value;

	if ((value = header(h->line, "Content-Length"))) {
		h->has_length = true;
		return number(value, 10, &h->left) ? PARSED_MORE : PARSED_GARBAGE;
	}
	if ((value = header(h->line, "Transfer-Encoding")))
		h->chunked = strcasestr(value, "chunked") != NULL;
	if ((value = header(h->line, "Connection")))
		h->close = !strncasecmp(value, "close", 5);
	return PARSED_MORE;
}

/* The empty line behind the headers: what follows? */
static enum parsed headers_end(struct wire *w)
{
	struct http_wire *h = &w->http;

	if (h->informal) {
		*h = (struct http_wire){ 0 };
		return PARSED_MORE;
	}
	h->state = h->chunked ? CHUNK_SIZE : h->has_length ? LENGTH : UNTIL_CLOSE;
	return h->state == LENGTH && !h->left ? answered(w) : PARSED_MORE;
}

static enum parsed line_done(struct wire *w)
{
	struct http_wire *h = &w->http;
	bool empty = !h->line_len;

	h->line[h->line_len] = '\0';
	h->line_len = 0;
	switch (h->state) {
	case STATUS:
		return status_line(h);
	case HEADERS:
		return empty ? headers_end(w) : header_line(h);
	case CHUNK_SIZE:
		if (!number(h->line, 16, &h->left) || h->left > UINT64_MAX - 2)
			return PARSED_GARBAGE;
		h->state = h->left ? CHUNK : TRAILER;
		h->left += 2;	/* the line end behind the chunk */
		return PARSED_MORE;
	default:
		return empty ? answered(w) : PARSED_MORE;
	}
}

/* Takes bytes up to a line's end. What is too long is cut: no header that matters is. */
static enum parsed take_line(struct wire *w, const char **data, const char *end)
{
	struct http_wire *h = &w->http;
	const char *stop = memchr(*data, '\n', (size_t)(end - *data));
	size_t n = (size_t)((stop ? stop : end) - *data), room = sizeof(h->line) - 1 - h->line_len;

	memcpy(h->line + h->line_len, *data, n < room ? n : room);
	h->line_len += (uint8_t)(n < room ? n : room);
	*data = stop ? stop + 1 : end;
	if (!stop)
		return PARSED_MORE;
	if (h->line_len && h->line[h->line_len - 1] == '\r')
		h->line_len--;
	return line_done(w);
}

static enum parsed take_body(struct wire *w, const char **data, const char *end)
{
	struct http_wire *h = &w->http;
	uint64_t n = (uint64_t)(end - *data);

	if (h->state == UNTIL_CLOSE) {
		*data = end;
		return PARSED_MORE;
	}
	if (n > h->left)
		n = h->left;
	*data += n;
	h->left -= n;
	if (h->left)
		return PARSED_MORE;
	if (h->state == LENGTH)
		return answered(w);
	h->state = CHUNK_SIZE;
	return PARSED_MORE;
}

static enum parsed http_parse(struct wire *w, const struct traffic *t, const char **data,
			      const char *end)
{
	enum parsed p = PARSED_MORE;

	(void)t;
	while (*data < end && p == PARSED_MORE) {
		uint8_t state = w->http.state;

		if (state == LENGTH || state == CHUNK || state == UNTIL_CLOSE)
			p = take_body(w, data, end);
		else
			p = take_line(w, data, end);
	}
	return p;
}

static enum parsed http_end(struct wire *w)
{
	return w->http.state == UNTIL_CLOSE ? answered(w) : PARSED_MORE;
}

const struct protocol protocol_http = {
	.name = "http",
	.default_size = 0,
	.min_size = 0,
	.max_size = 16 << 20,
	.prepare = http_prepare,
	.parse = http_parse,
	.end = http_end,
	.compose = compose_block,
};
