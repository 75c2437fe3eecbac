/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * threshold.h - the limits of the rules: X(id, "name", default, unit, "what it is"). One list gives
 * the defaults, the option --threshold NAME=VALUE and its help.
 */
#ifndef EPOLLSCOPE_THRESHOLD_H
#define EPOLLSCOPE_THRESHOLD_H

#include <stddef.h>
#include <stdio.h>

enum threshold_unit {
	UNIT_COUNT,
	UNIT_SHARE,	/* 0..1; "20%" or 0.2 */
	UNIT_NS,	/* "10ms" */
};

#define THRESHOLDS(X)								\
	X(EXCHANGES, "exchanges", 100, COUNT, "fewer make no diagnosis")	\
	X(LOST, "lost", 0.05, SHARE, "more lost events make none of the tail")	\
	X(TAIL, "tail", 1e6, NS, "a P99 below this is no tail to explain")	\
	X(TURN, "turn", 10e6, NS, "a handler that holds a turn so long blocks the loop") \
	X(CAUSE, "cause", 0.2, SHARE, "minimum share of tail time") \
	X(SERVICE, "service", 0.4, SHARE, "minimum share of tail time, for the application's own work") \
	X(RUNQUEUE, "runqueue", 1e6, NS, "run-queue P99 of a starved server")	\
	X(DISPATCH, "dispatch", 10e6, NS, "dispatch P99 of batches that are too large") \
	X(ACCEPT, "accept", 50e6, NS, "accept-queue P99 of a starved acceptor")	\
	X(BACKLOG, "backlog", 0.8, SHARE, "an accept queue so full is short of room") \
	X(HERD, "herd", 0.2, SHARE, "accepts that found nothing, of those that did") \
	X(IMBALANCE, "imbalance", 2, COUNT, "times the others' mean on one loop") \
	X(IMBALANCE_TIME, "imbalance-time", 10e9, NS, "for so long")		\
	X(CTL, "ctl", 0.5, COUNT, "epoll_ctl calls an exchange; severe at three times that") \
	X(SPURIOUS, "spurious", 0.1, SHARE, "events without input or output")	\
	X(SPIN, "spin", 0.9, SHARE, "waits that return nothing at once")	\
	X(CLOSE_WAIT, "close-wait", 60e9, NS, "age of a forgotten connection")	\
	X(NAGLE, "nagle", 0.01, SHARE, "sends kept back for 20 ms")		\
	X(SMALL, "small", 0.5, SHARE, "answers in more than two sends of < 256 bytes") \
	X(SEND, "send", 50e6, NS, "send P99 of slow readers")			\
	X(RETRANSMITS, "retransmits", 0.01, SHARE, "of all segments with data")

#define THRESHOLD_ENUM(id, name, value, unit, help) THRESHOLD_##id,
enum threshold { THRESHOLDS(THRESHOLD_ENUM) THRESHOLD_COUNT };
#undef THRESHOLD_ENUM

void thresholds_default(double *t);

/* "NAME=VALUE". NULL, or what is wrong with it. */
const char *threshold_set(double *t, const char *text);

void thresholds_help(FILE *out);

#endif
