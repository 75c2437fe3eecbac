/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http.h - the exporter's HTTP side, over libmicrohttpd, in a thread of its own.
 *
 * 16 connections at once: of more, the one that has kept us waiting longest is shut, so that slow
 * ones cannot keep a scraper out. A request has 5 s to arrive, an answer 10 s to be taken.
 */
#ifndef EPOLLSCOPE_EXPORT_HTTP_H
#define EPOLLSCOPE_EXPORT_HTTP_H

#include "export/exposition.h"

#define HTTP_CONNECTIONS	16
#define HTTP_HEADER_NS		(5 * 1000000000ULL)
#define HTTP_ANSWER_NS		(10 * 1000000000ULL)

struct http;

/* What the pages come from. Called in the HTTP thread. */
struct http_source {
	/* Writes the metrics. 0, or -ETIMEDOUT when the collector does not answer. */
	int (*metrics)(void *ctx, struct exposition *e);
	bool (*healthy)(void *ctx);
	void *ctx;
};

struct http_config {
	int listen_fd;			/* listening; the server closes it */
	struct http_source source;
	const char *cert, *key;		/* PEM texts; NULL: no TLS */
	const char *user, *password;	/* NULL: everybody may read */
};

/* Resolves "ADDRESS:PORT" and listens. The descriptor, or a negative errno. */
int http_listen(const char *where, char url[256], bool *loopback);

/* NULL if it could not start; all in config but listen_fd outlives the server. */
struct http *http_start(const struct http_config *config);

/* Call every 100 ms or so: shuts connections that are late. */
void http_sweep(struct http *h, uint64_t now_ns);

uint64_t http_scrapes(const struct http *h);
uint64_t http_refused(const struct http *h);

void http_stop(struct http *h);	/* NULL is fine */

/* For tests: the format that an Accept header asks for, and whether gzip is wanted. */
enum exposition_format http_format(const char *accept);
bool http_wants_gzip(const char *accept_encoding);

#endif
