/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http.h - the exporter's HTTP side, over libmicrohttpd, in a thread of its own.
 *
 * 16 connections at once: of more, the one that has kept us waiting longest is shut, so that slow
 * ones cannot keep a scraper out. A request has 5 s to arrive, an answer 10 s to be taken.
 */
#ifndef EPOLLSCOPE_EXPORT_HTTP_H
#define EPOLLSCOPE_EXPORT_HTTP_H

#include <pthread.h>

#include "export/metrics.h"

#define HTTP_CONNECTIONS	16
#define HTTP_HEADER_NS		(5 * 1000000000ULL)
#define HTTP_ANSWER_NS		(10 * 1000000000ULL)

struct http;
struct publisher;

/* All zeros but listen_fd, which is -1, is nothing opened yet; http_config_free() in any case. */
struct http_config {
	int listen_fd;			/* listening */
	char *cert, *key;		/* PEM texts; NULL: no TLS */
	char *user, *password;		/* NULL: everybody may read; in one piece of memory, user's */
	struct publisher *publisher;	/* whose snapshots are served */
};

/*
 * Reads the files, while the privileges last. Paths may be NULL. EXIT_OK, or an exit status whose
 * line is already printed.
 */
int http_read_files(struct http_config *c, const char *cert, const char *key, const char *auth);

/* Resolves "ADDRESS:PORT" and listens. 0 or -errno. */
int http_listen(struct http_config *c, const char *where, char url[256], bool *loopback);

void http_config_free(struct http_config *c);

/* NULL if it could not start. The config outlives the server, which closes and clears listen_fd. */
struct http *http_start(struct http_config *config);

/* Call every 100 ms or so: shuts connections that are late. */
void http_sweep(struct http *h, uint64_t now_ns);

/* m->scrapes and m->refused. */
void http_counts(struct http *h, struct metrics *m);

void http_stop(struct http *h);	/* NULL is fine */

/* --- parts of it, for tests --- */

/* The format that an Accept header asks for, and whether gzip is wanted. */
enum exposition_format http_format(const char *accept);
bool http_wants_gzip(const char *accept_encoding);

#define CONNS_MAX 32	/* those that are shut have yet to be closed */

enum conn_phase {
	CONN_FREE,
	CONN_REQUEST,	/* its request is awaited */
	CONN_ANSWER,	/* its answer is on the way */
	CONN_SHUT,	/* shut by us, about to be closed */
};

struct http_conn {
	enum conn_phase phase;
	int fd;
	uint64_t since_ns;
};

/*
 * The connections there are, how long each keeps us waiting, and which have to go. Safe to use from
 * the HTTP thread and the collector's at once.
 */
struct http_conns {
	pthread_mutex_t lock;
	struct http_conn list[CONNS_MAX];
	_Atomic uint64_t shut;	/* ever */
};

/* A slot for a new connection, after the oldest was shut if there are too many; NULL: no slot. */
struct http_conn *conns_add(struct http_conns *c, int fd, uint64_t now_ns);
void conns_phase(struct http_conns *c, struct http_conn *conn, enum conn_phase phase,
		 uint64_t now_ns);
void conns_remove(struct http_conns *c, struct http_conn *conn);

/* Shuts those that are late. */
void conns_sweep(struct http_conns *c, uint64_t now_ns);

#endif
