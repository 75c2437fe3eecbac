/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* counts.c - see counts.h. */
#include <errno.h>

#include "counts.h"

const char *const loss_names[LOSSES] = {
	[LOST_CONNECT] = "connect", [LOST_RESET] = "reset", [LOST_CLOSED] = "closed",
	[LOST_TIMEOUT] = "timeout", [LOST_GARBLED] = "garbled", [LOST_STOPPED] = "stopped",
};

const char *const refusal_names[REFUSALS] = {
	[FAILED_REFUSED] = "refused", [FAILED_TIMEOUT] = "timeout", [FAILED_NO_PORT] = "no_port",
	[FAILED_NO_FILE] = "no_file", [FAILED_OTHER] = "other",
};

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void counts_merge(struct counts *into, const struct counts *from)
{
	into->sent += from->sent;
	into->unsent += from->unsent;
	into->answered += from->answered;
	into->refused += from->refused;
	into->held += from->held;
	for (int i = 0; i < LOSSES; i++)
		into->lost[i] += from->lost[i];
	into->opened += from->opened;
	into->closed_by_peer += from->closed_by_peer;
	into->kept += from->kept;
	for (int i = 0; i < REFUSALS; i++)
		into->failed[i] += from->failed[i];
	into->bytes_sent += from->bytes_sent;
	into->bytes_received += from->bytes_received;
	into->last_sent_ns = later(into->last_sent_ns, from->last_sent_ns);
	into->last_answer_ns = later(into->last_answer_ns, from->last_answer_ns);
	histogram_merge(&into->latency, &from->latency);
	histogram_merge(&into->send_error, &from->send_error);
	histogram_merge(&into->own_error, &from->own_error);
	histogram_merge(&into->connect, &from->connect);
	into->to_deliver += from->to_deliver;
	into->delivered += from->delivered;
	histogram_merge(&into->delivery, &from->delivery);
}

static uint64_t sum(const uint64_t *n, int count)
{
	uint64_t all = 0;

	for (int i = 0; i < count; i++)
		all += n[i];
	return all;
}

uint64_t counts_lost(const struct counts *c)
{
	return sum(c->lost, LOSSES);
}

uint64_t counts_failed(const struct counts *c)
{
	return sum(c->failed, REFUSALS);
}

enum refusal refusal_of(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ECONNRESET:
		return FAILED_REFUSED;
	case ETIMEDOUT:
		return FAILED_TIMEOUT;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		return FAILED_NO_PORT;
	case EMFILE:
	case ENFILE:
		return FAILED_NO_FILE;
	default:
		return FAILED_OTHER;
	}
}
