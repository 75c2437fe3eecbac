/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* owed.h - the requests under way on a connection: taken, answered, refused, lost; counted here. */
#ifndef EPOLLLOAD_OWED_H
#define EPOLLLOAD_OWED_H

#include "state.h"

/* What is to become of the connection. */
enum owe { OWE_ON, OWE_DONE, OWE_GARBLED };

/* The next request: when it is taken, and how much later than it should be. */
void owe_request(struct worker *w, struct conn *c);

/* By what was parsed. DONE: it has had its only answer; GARBLED: what came was no answer. */
enum owe owe_less(struct worker *w, struct conn *c, enum parsed result);

/* What it owes is lost. */
void owe_nothing(struct worker *w, struct conn *c, enum loss loss);

/* A ring of cfg->depth: when the active connection's requests were meant to be sent. */
uint64_t *owed_times(const struct worker *w, const struct conn *c);

#endif
