// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* blame_tables.c - see blame_tables.h. A full table gives its smallest row to the newcomer. */
#include <stdlib.h>
#include <string.h>

#include "explain/blame_tables.h"

void name_add(struct blame_name *table, size_t *n, uint32_t pid, uint32_t tid, const char *comm,
	      uint64_t ns)
{
	size_t least = 0, i;

	for (i = 0; i < *n; i++) {
		if (table[i].tid == tid && table[i].pid == pid)
			break;
		if (table[i].ns < table[least].ns)
			least = i;
	}
	if (i == *n && *n == BLAME_NAMES)
		i = least;
	if (i == *n || table[i].tid != tid || table[i].pid != pid) {
		table[i] = (struct blame_name){ .pid = pid, .tid = tid };
		memcpy(table[i].comm, comm, COMM_LEN);
		if (i == *n)
			(*n)++;
	}
	table[i].ns += ns;
	table[i].count++;
}

void call_add(struct blame_sums *s, const struct ev_offcpu *o, uint64_t ns)
{
	size_t least = 0, i;
	struct blame_call *c;

	for (i = 0; i < s->n_calls; i++) {
		if (s->calls[i].nr == o->syscall && s->calls[i].kind == o->kind)
			break;
		if (s->calls[i].ns < s->calls[least].ns)
			least = i;
	}
	if (i == s->n_calls && i == BLAME_NAMES)
		i = least;
	c = &s->calls[i];
	if (i == s->n_calls || c->nr != o->syscall || c->kind != o->kind) {
		*c = (struct blame_call){ .nr = o->syscall, .kind = o->kind };
		if (i == s->n_calls)
			s->n_calls++;
	}
	c->ns += ns;
	c->count++;
	if (o->blocked_ns > c->max_ns)
		c->max_ns = o->blocked_ns;
}

void conn_add(struct blame_sums *s, const struct ev_turn *t, uint64_t ns)
{
	size_t least = 0, i;
	struct blame_conn *c;

	for (i = 0; i < s->n_conns; i++) {
		if (s->conns[i].conn == t->long_conn)
			break;
		if (s->conns[i].ns < s->conns[least].ns)
			least = i;
	}
	if (i == s->n_conns && i == BLAME_NAMES)
		i = least;
	c = &s->conns[i];
	if (i == s->n_conns || c->conn != t->long_conn) {
		*c = (struct blame_conn){ .conn = t->long_conn };
		if (i == s->n_conns)
			s->n_conns++;
	}
	c->ns += ns;
	c->turns++;
	if (t->long_ns > c->max_ns)
		c->max_ns = t->long_ns;
}

/* What a handler that held most of a turn computed, at least: the turn's absences may be its own. */
void hold_add(struct blame_sums *s, const struct ev_turn *t)
{
	uint64_t absent = t->runnable_ns + t->blocked_ns;

	if (t->long_ns * 2 < t->head.time_ns - t->start_ns || t->long_ns <= absent)
		return;
	s->hold_count++;
	s->hold_sum_ns += t->long_ns - absent;
	if (t->long_ns - absent > s->hold_max_ns)
		s->hold_max_ns = t->long_ns - absent;
}

void conns_find_flows(struct blame_sums *s, const struct ev_exchange *list, size_t n)
{
	for (size_t c = 0; c < s->n_conns; c++)
		for (size_t i = 0; i < n && !s->conns[c].flow.family; i++)
			if (list[i].conn == s->conns[c].conn)
				s->conns[c].flow = list[i].flow;
}

static int descending(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int name_order(const void *a, const void *b)
{
	return descending(((const struct blame_name *)a)->ns, ((const struct blame_name *)b)->ns);
}

static int call_order(const void *a, const void *b)
{
	return descending(((const struct blame_call *)a)->ns, ((const struct blame_call *)b)->ns);
}

static int conn_order(const void *a, const void *b)
{
	return descending(((const struct blame_conn *)a)->ns, ((const struct blame_conn *)b)->ns);
}

void tables_sort(struct blame_sums *s)
{
	qsort(s->instead, s->n_instead, sizeof(s->instead[0]), name_order);
	qsort(s->wakers, s->n_wakers, sizeof(s->wakers[0]), name_order);
	qsort(s->loops, s->n_loops, sizeof(s->loops[0]), name_order);
	qsort(s->calls, s->n_calls, sizeof(s->calls[0]), call_order);
	qsort(s->conns, s->n_conns, sizeof(s->conns[0]), conn_order);
}
