/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding_server.h - what a report says of a server, for the tests of the rules. */
#ifndef FINDING_SERVER_H
#define FINDING_SERVER_H

#include "explain/finding.h"

#define MS 1000000ULL
#define S  1000000000ULL

/* A server with a tail of 20 ms that nothing explains, and with samples enough. */
struct server {
	struct report r;
	struct blame_sums b;
	struct facts facts;
	double threshold[THRESHOLD_COUNT];
	struct loop_info loops[2];
	struct listener_info listener;
	struct syscall_info call;
	struct eventpoll_info eventpoll;
	struct target_info target;
};

void healthy(struct server *s);

/* Gives a cause its share of the tail, in percent. */
void blame(struct server *s, enum cause cause, uint64_t percent);

size_t ask(struct server *s, struct finding *out);
void expect_only(struct server *s, const char *code, enum severity severity);
void expect_none(struct server *s);

/* The first finding, which must be of that code, says all of these words; or none of them. */
struct finding first_finding(struct server *s, const char *code);
void expect_words(const struct finding *f, const char *words);
void expect_no_words(const struct finding *f, const char *words);

#endif
