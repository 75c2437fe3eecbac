/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conns.h - the HTTP connections there are, how long each keeps us waiting, and which have
 * to go. Safe to use from the HTTP thread and the collector's at once.
 */
#ifndef EPOLLSCOPE_EXPORT_CONNS_H
#define EPOLLSCOPE_EXPORT_CONNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

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

struct http_conns {
	pthread_mutex_t lock;
	struct http_conn list[CONNS_MAX];
	uint64_t shut;		/* ever */
};

/* A slot for a new connection, after the oldest was shut if there are too many; NULL: no slot. */
struct http_conn *conns_add(struct http_conns *c, int fd, uint64_t now_ns);
void conns_phase(struct http_conns *c, struct http_conn *conn, enum conn_phase phase,
		 uint64_t now_ns);
void conns_remove(struct http_conns *c, struct http_conn *conn);

/* Shuts those that are late. */
void conns_sweep(struct http_conns *c, uint64_t now_ns);
uint64_t conns_shut(struct http_conns *c);

#endif
