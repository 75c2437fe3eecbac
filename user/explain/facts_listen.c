/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* facts_listen.c - the listening sockets beside the target's: several may share a port. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/facts_private.h"
#include "target/proc.h"
#include "target/sockets.h"

static struct listener_fact *find(struct facts *f, uint64_t inode)
{
	for (uint32_t i = 0; i < f->n_listeners; i++)
		if (f->listeners[i].inode == inode)
			return &f->listeners[i];
	return NULL;
}

static int remember(void *ctx, const struct socket_info *s)
{
	struct facts *f = ctx;

	if (f->n_listeners < FACTS_LISTENERS)
		f->listeners[f->n_listeners++] = (struct listener_fact){
			.inode = s->inode, .port = s->port, .drops = s->drops,
		};
	return 0;
}

void listeners_begin(struct facts *f, uint32_t pid)
{
	f->n_listeners = 0;
	if (pid && sockets_in(pid, SOCKETS_LISTENING, remember, f))
		f->n_listeners = 0;
}

struct comparison {
	struct facts *f;
	bool seen[FACTS_LISTENERS];
};

static int compare(void *ctx, const struct socket_info *s)
{
	struct comparison *c = ctx;
	struct listener_fact *l = find(c->f, s->inode);

	/* One that came since has dropped what it dropped. */
	if (!l) {
		if (c->f->n_listeners == FACTS_LISTENERS)
			return 0;
		l = &c->f->listeners[c->f->n_listeners++];
		*l = (struct listener_fact){ .inode = s->inode, .port = s->port };
	}
	c->seen[l - c->f->listeners] = true;
	l->drops = s->drops - l->drops;
	l->queue = s->queue;
	l->limit = s->limit;
	return 0;
}

void listeners_end(struct facts *f, uint32_t pid)
{
	struct comparison c = { .f = f };
	uint32_t n = 0;

	if (!pid || sockets_in(pid, SOCKETS_LISTENING, compare, &c)) {
		f->n_listeners = 0;
		return;
	}
	for (uint32_t i = 0; i < f->n_listeners; i++)
		if (c.seen[i])
			f->listeners[n++] = f->listeners[i];
	f->n_listeners = n;
}

void facts_queue(struct facts *f, uint64_t inode, uint64_t oldest_ns, bool unmoved)
{
	struct listener_fact *l = find(f, inode);

	if (!l)
		return;
	l->oldest_ns = oldest_ns;
	l->unmoved = unmoved;
}

static void set_owner(struct listener_fact *l, uint32_t pid)
{
	struct proc_stat st;

	l->pid = pid;
	if (!proc_stat(pid, &st))
		memcpy(l->comm, st.comm, sizeof(l->comm));
}

void listeners_own(struct facts *f, uint64_t inode, uint32_t pid)
{
	struct listener_fact *l = find(f, inode);

	if (!l || l->own)
		return;
	l->own = 1;
	set_owner(l, pid);
}

/* Whose the listeners without an owner are: every process of the host may be asked. */
struct search {
	struct facts *f;
	uint32_t pid;
	uint32_t left;
};

static int is_wanted(void *ctx, const char *fd, const char *link)
{
	struct search *s = ctx;
	struct listener_fact *l;
	uint64_t inode;

	(void)fd;
	if (sscanf(link, "socket:[%" SCNu64, &inode) != 1)
		return 0;
	l = find(s->f, inode);
	if (!l || l->pid)
		return 0;
	set_owner(l, s->pid);
	return --s->left == 0;
}

static void find_owners(struct facts *f)
{
	struct search s = { .f = f };
	uint32_t *pids = NULL;
	size_t n = 0;

	for (uint32_t i = 0; i < f->n_listeners; i++)
		s.left += !f->listeners[i].pid;
	if (!s.left || proc_list(&pids, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		s.pid = pids[i];
		if (proc_descriptors(s.pid, is_wanted, &s) > 0)
			break;
	}
	free(pids);
}

void listeners_keep(struct facts *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->n_listeners; i++) {
		bool ours = false;

		for (uint32_t k = 0; k < f->n_listeners; k++)
			ours |= f->listeners[k].own && f->listeners[k].port == f->listeners[i].port;
		if (ours)
			f->listeners[n++] = f->listeners[i];
	}
	f->n_listeners = n;
	find_owners(f);
}

uint64_t facts_drops(const struct facts *f, bool (*own_port)(const void *ctx, uint32_t port),
		     const void *ctx)
{
	uint64_t drops = 0;

	for (uint32_t i = 0; i < f->n_listeners; i++) {
		const struct listener_fact *l = &f->listeners[i];

		if (f->epoll_unread ? own_port(ctx, l->port) : l->own)
			drops += l->drops;
	}
	return drops;
}
