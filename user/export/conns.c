/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* conns.c - no client may occupy all of the exporter's connections. */
#include <stddef.h>
#include <sys/socket.h>

#include "export/http.h"

/* With the lock held, so that the descriptor is still this connection's. */
static void shut(struct http_conns *c, struct http_conn *conn)
{
	shutdown(conn->fd, SHUT_RDWR);
	conn->phase = CONN_SHUT;
	c->shut++;
}

/* The client that has owed a request for longest goes first, then the slowest reader. */
static struct http_conn *most_idle(struct http_conns *c)
{
	struct http_conn *worst = NULL;

	for (struct http_conn *i = c->list; i < c->list + CONNS_MAX; i++) {
		if (i->phase != CONN_REQUEST && i->phase != CONN_ANSWER)
			continue;
		if (!worst || i->phase < worst->phase ||
		    (i->phase == worst->phase && i->since_ns < worst->since_ns))
			worst = i;
	}
	return worst;
}

struct http_conn *conns_add(struct http_conns *c, int fd, uint64_t now_ns)
{
	struct http_conn *free_slot = NULL;
	unsigned live = 0;

	pthread_mutex_lock(&c->lock);
	for (struct http_conn *i = c->list; i < c->list + CONNS_MAX; i++) {
		live += i->phase == CONN_REQUEST || i->phase == CONN_ANSWER;
		if (i->phase == CONN_FREE && !free_slot)
			free_slot = i;
	}
	if (live >= HTTP_CONNECTIONS)
		shut(c, most_idle(c));
	if (free_slot)
		*free_slot = (struct http_conn){
			.phase = CONN_REQUEST, .fd = fd, .since_ns = now_ns,
		};
	pthread_mutex_unlock(&c->lock);
	return free_slot;
}

void conns_phase(struct http_conns *c, struct http_conn *conn, enum conn_phase phase,
		 uint64_t now_ns)
{
	pthread_mutex_lock(&c->lock);
	if (conn->phase != CONN_SHUT) {
		conn->phase = phase;
		conn->since_ns = now_ns;
	}
	pthread_mutex_unlock(&c->lock);
}

void conns_remove(struct http_conns *c, struct http_conn *conn)
{
	pthread_mutex_lock(&c->lock);
	*conn = (struct http_conn){ .phase = CONN_FREE };
	pthread_mutex_unlock(&c->lock);
}

void conns_sweep(struct http_conns *c, uint64_t now_ns)
{
	pthread_mutex_lock(&c->lock);
	for (struct http_conn *i = c->list; i < c->list + CONNS_MAX; i++)
		if ((i->phase == CONN_REQUEST && now_ns - i->since_ns >= HTTP_HEADER_NS) ||
		    (i->phase == CONN_ANSWER && now_ns - i->since_ns >= HTTP_ANSWER_NS))
			shut(c, i);
	pthread_mutex_unlock(&c->lock);
}
