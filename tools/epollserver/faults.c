/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

enum unit { NOTHING, NS, COUNT };

static const struct fault_kind {
	const char *name;
	enum unit unit;
	uint64_t amount;	/* unless told */
	const char *strikes, *text;
} kinds[FAULTS] = {
	[FAULT_CPU] = { "slow-cpu", NS, 1000000, "request",
		"the handler computes for TIME: service grows, others wait in busy and dispatch" },
	[FAULT_SLEEP] = { "sleep", NS, 1000000, "request",
		"the handler sleeps for TIME: service grows, blocked in sleep" },
	[FAULT_FSYNC] = { "fsync", COUNT, 4096, "request",
		"the handler writes N bytes to a file and calls fsync: service grows, blocked on "
		"disk" },
	[FAULT_LOCK] = { "lock", NS, 1000000, "request",
		"the handler wants a lock that another thread holds for TIME: blocked in futex" },
	[FAULT_ACCEPT_ONE] = { "accept-one", NOTHING, 0, "turn",
		"accepts one connection a turn, not all: stage accept grows with the backlog" },
	[FAULT_ACCEPT_PAUSE] = { "accept-pause", NS, 10000000, "turn",
		"leaves the listener alone for TIME once a connection waits: stage accept grows" },
	[FAULT_UNDRAINED] = { "undrained", COUNT, 64, "turn",
		"edge triggered, reads N bytes and not until EAGAIN: the rest waits for new data" },
	[FAULT_CTL_MOD] = { "ctl-mod", COUNT, 1, "request",
		"calls epoll_ctl(EPOLL_CTL_MOD) N times a request, changing nothing" },
	[FAULT_OUT_ARMED] = { "out-armed", NOTHING, 0, "connection",
		"leaves EPOLLOUT armed: level triggered, each wait returns at once with nothing to "
		"do" },
	[FAULT_HERD] = { "herd", NOTHING, 0, "server",
		"all loops wait for one listener without EPOLLEXCLUSIVE: many wake, one accepts" },
	[FAULT_UNBALANCED] = { "unbalanced", NOTHING, 0, "connection",
		"the acceptor hands the connection to loop 0, whoever is free" },
	[FAULT_SMALL_WRITES] = { "small-writes", COUNT, 16, "request",
		"sends the answer N bytes a call, without TCP_NODELAY: Nagle and delayed ACKs add "
		"up" },
	[FAULT_NEVER_CLOSE] = { "never-close", NOTHING, 0, "connection",
		"never closes a connection that its client closed: it stays in CLOSE_WAIT" },
	[FAULT_SPIN] = { "spin", NOTHING, 0, "turn",
		"waits with a timeout of zero: the loop never sleeps" },
	[FAULT_MAXEVENTS] = { "maxevents", COUNT, 1, "turn",
		"takes N events a wait: the others are ready and wait in busy for the next turn" },
	[FAULT_OTHER_THREAD] = { "other-thread", NOTHING, 0, "request",
		"another thread sends the answer: the exchange is a handoff" },
	[FAULT_SLOW_DRAIN] = { "slow-drain", NS, 1000000, "request",
		"sends half of the answer and the rest TIME later: stage send grows" },
	[FAULT_HASH] = { "slow-hash", NS, 1000000, "request",
		"as slow-cpu, in a function of its own: slow_hash in a stack" },
	[FAULT_SORT] = { "slow-sort", NS, 1000000, "request",
		"the same once more: slow_sort" },
};

/* 5ms, 20us, 1s, 300ns; a plain number is ms, since nobody means ns. */
static bool parse_amount(const char *text, enum unit unit, uint64_t *amount)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || v < 0 || v > 1e12 || unit == NOTHING)
		return false;
	if (unit == NS) {
		if (!strcmp(end, "s"))
			v *= 1e9;
		else if (!strcmp(end, "ms") || !*end)
			v *= 1e6;
		else if (!strcmp(end, "us"))
			v *= 1e3;
		else if (strcmp(end, "ns"))
			return false;
	} else if (*end || v < 1) {
		return false;
	}
	*amount = (uint64_t)v;
	return true;
}

static bool parse_condition(const char *text, struct fault_rule *r)
{
	char *end;
	const char *value = strchr(text, '=');
	double v = value ? strtod(value + 1, &end) : 0;

	if (!value || end == value + 1 || *end || v < 0)
		return false;
	if (!strncmp(text, "p=", 2) && v <= 1)
		r->p = v;
	else if (!strncmp(text, "every=", 6) && v >= 1)
		r->every = (uint64_t)v;
	else if (!strncmp(text, "conn=", 5) && v >= 1)
		r->conn = (uint64_t)v;
	else
		return false;
	return true;
}

bool fault_parse(const char *text, struct fault_rule *rules)
{
	char copy[128], *save, *word, *amount;
	struct fault_rule *r = NULL;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	word = strtok_r(copy, ",", &save);
	if (!word)
		return false;
	amount = strchr(word, '=');
	if (amount)
		*amount++ = '\0';
	for (int f = 0; f < FAULTS; f++) {
		if (strcmp(word, kinds[f].name))
			continue;
		r = &rules[f];
		*r = (struct fault_rule){ true, kinds[f].amount, 1, 1, 1 };
		if (amount && !parse_amount(amount, kinds[f].unit, &r->amount))
			return false;
	}
	while (r && (word = strtok_r(NULL, ",", &save)) != NULL)
		if (!parse_condition(word, r))
			return false;
	return r;
}

void fault_list(FILE *out)
{
	static const char *const knob[] = { "", "=TIME", "=N" };

	fprintf(out, "--fault NAME[=AMOUNT][,every=N][,p=PROBABILITY][,conn=N], any number of "
		"them.\n"
		"TIME is like 5ms, 20us or 1s. every, p and conn (each N-th connection of a loop)\n"
		"must all hold. The bit is that of the truth file's fault column.\n\n");
	for (int f = 0; f < FAULTS; f++)
		fprintf(out, "%2d %s%s, each %s\n      %s\n", f, kinds[f].name, knob[kinds[f].unit],
			kinds[f].strikes, kinds[f].text);
}

void faults_open(struct fault_state *s, const struct fault_rule *rules, uint64_t random)
{
	*s = (struct fault_state){ .rules = rules, .random = random };
	for (int f = 0; f < FAULTS; f++)
		s->any |= rules[f].on;
}

/* xorshift64: cheap, the same for the same --seed. */
static double random_share(struct fault_state *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (double)(s->random >> 11) * 0x1p-53;
}

bool fault_strikes(struct fault_state *s, enum fault f, uint32_t serial)
{
	const struct fault_rule *r = &s->rules[f];

	return r->on && serial % r->conn == 0 && ++s->seen[f] % r->every == 0 &&
		(r->p >= 1 || random_share(s) < r->p);
}

uint32_t faults_strike(struct fault_state *s, uint32_t mask, uint32_t serial)
{
	uint32_t hits = 0;

	for (int f = 0; f < FAULTS; f++)
		if (mask & FAULT_BIT(f) && fault_strikes(s, f, serial))
			hits |= FAULT_BIT(f);
	return hits;
}
