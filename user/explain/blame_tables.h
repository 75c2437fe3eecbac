/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* blame_tables.h - the small tables of names in blame_sums: add, replace the least, sort. */
#ifndef EPOLLSCOPE_BLAME_TABLES_H
#define EPOLLSCOPE_BLAME_TABLES_H

#include "explain/blame.h"

void name_add(struct blame_name *table, size_t *n, uint32_t pid, uint32_t tid, const char *comm,
	      uint64_t ns);
void call_add(struct blame_sums *s, const struct ev_offcpu *o, uint64_t ns);
void conn_add(struct blame_sums *s, const struct ev_turn *t, uint64_t ns);
void hold_add(struct blame_sums *s, const struct ev_turn *t);

/* Addresses of the connections in the table, from any exchange of theirs. */
void conns_find_flows(struct blame_sums *s, const struct ev_exchange *list, size_t n);

void tables_sort(struct blame_sums *s);	/* largest first */

#endif
