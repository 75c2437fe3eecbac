/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* known.c - see known.h. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"
#include "stream/known.h"

struct conn {
	__u64 id;	/* socket cookie; 0: a free place */
	struct flow flow;
};

struct thread {
	__u32 tid;
	char comm[COMM_LEN];
};

struct known {
	struct map conn_map, thread_map;
	struct conn *conns;
	size_t n_conns, conn_room;
	__u32 *free_conns;	/* places that are free again */
	size_t n_free, free_room;
	__u64 *closed;		/* since the last known_settle() */
	size_t n_closed, closed_room;
	struct thread *threads;
	size_t n_threads, thread_room;
};

static bool same_conn(const void *items, uint32_t number, const void *key)
{
	return !memcmp(&((const struct conn *)items)[number].id, key, sizeof(__u64));
}

static bool same_thread(const void *items, uint32_t number, const void *key)
{
	return !memcmp(&((const struct thread *)items)[number].tid, key, sizeof(__u32));
}

static uint32_t find_conn(const struct known *k, __u64 id)
{
	return map_find(&k->conn_map, &id, sizeof(id), same_conn, k->conns);
}

/* A place for one more, MAP_NONE if there is no room. */
static uint32_t conn_place(struct known *k)
{
	if (k->n_free)
		return k->free_conns[--k->n_free];
	if (k->n_conns == KNOWN_MAX ||
	    array_reserve(&k->conns, &k->conn_room, k->n_conns + 1, sizeof(*k->conns)) ||
	    array_reserve(&k->free_conns, &k->free_room, k->n_conns + 1, sizeof(*k->free_conns)))
		return MAP_NONE;
	return (uint32_t)k->n_conns++;
}

void known_conn(struct known *k, const struct ev_conn *c)
{
	uint32_t i = find_conn(k, c->conn);

	if (i == MAP_NONE) {
		i = conn_place(k);
		if (i == MAP_NONE)
			return;
		k->conns[i].id = c->conn;
		if (map_add(&k->conn_map, &c->conn, sizeof(c->conn), i)) {
			k->free_conns[k->n_free++] = i;
			return;
		}
	}
	k->conns[i].flow = c->flow;
}

void known_thread(struct known *k, const struct ev_thread *t)
{
	uint32_t i = map_find(&k->thread_map, &t->tid, sizeof(t->tid), same_thread, k->threads);

	if (i == MAP_NONE) {
		if (k->n_threads == KNOWN_MAX ||
		    array_reserve(&k->threads, &k->thread_room, k->n_threads + 1,
				  sizeof(*k->threads)) ||
		    map_add(&k->thread_map, &t->tid, sizeof(t->tid), (uint32_t)k->n_threads))
			return;
		i = (uint32_t)k->n_threads++;
		k->threads[i].tid = t->tid;
	}
	memcpy(k->threads[i].comm, t->comm, COMM_LEN);
}

void known_close(struct known *k, __u64 conn)
{
	/* Without memory the address is kept: that costs its place, nothing else. */
	if (!array_reserve(&k->closed, &k->closed_room, k->n_closed + 1, sizeof(*k->closed)))
		k->closed[k->n_closed++] = conn;
}

void known_closed(const struct known *k, void (*fn)(void *ctx, __u64 conn), void *ctx)
{
	for (size_t n = 0; n < k->n_closed; n++)
		fn(ctx, k->closed[n]);
}

void known_settle(struct known *k)
{
	for (size_t n = 0; n < k->n_closed; n++) {
		uint32_t i = find_conn(k, k->closed[n]);

		if (i == MAP_NONE)
			continue;
		map_remove(&k->conn_map, &k->closed[n], sizeof(k->closed[n]), i);
		k->free_conns[k->n_free++] = i;
	}
	k->n_closed = 0;
}

bool known_flow(const struct known *k, __u64 conn, struct flow *flow)
{
	uint32_t i = find_conn(k, conn);

	if (i == MAP_NONE)
		return false;
	*flow = k->conns[i].flow;
	return true;
}

void known_name(const struct known *k, struct ev_exchange *x)
{
	uint32_t i;

	known_flow(k, x->conn, &x->flow);
	i = map_find(&k->thread_map, &x->tid, sizeof(x->tid), same_thread, k->threads);
	if (i != MAP_NONE)
		memcpy(x->comm, k->threads[i].comm, COMM_LEN);
}

struct known *known_new(void)
{
	return calloc(1, sizeof(struct known));
}

void known_free(struct known *k)
{
	if (!k)
		return;
	map_free(&k->conn_map);
	map_free(&k->thread_map);
	free(k->conns);
	free(k->free_conns);
	free(k->closed);
	free(k->threads);
	free(k);
}
