/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Uses the processor for ns, however often it is taken away meanwhile. */
static void compute(uint64_t ns)
{
	uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

/*
 * Functions with names and work of their own, for those who look at stacks. The C library may keep
 * no frame pointer, and then a walk out of it misses its caller: so that has to be another.
 */
static __attribute__((noinline)) uint64_t cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

#define LUMP_BYTES 4096

static __attribute__((noinline)) uint64_t slow_hash(uint64_t ns)
{
	uint64_t end = cpu_ns() + ns, hash = 0xcbf29ce484222325;

	do {
		for (uint32_t i = 0; i < LUMP_BYTES; i++)
			hash = (hash ^ (i & 0xff)) * 0x100000001b3;
	} while (cpu_ns() < end);
	return hash;
}

#define LUMP_WORDS 160

static __attribute__((noinline)) uint64_t slow_sort(uint64_t ns)
{
	uint64_t end = cpu_ns() + ns;
	uint32_t v[LUMP_WORDS], t;

	do {
		for (uint32_t i = 0; i < LUMP_WORDS; i++)
			v[i] = i * 2654435761u;
		for (uint32_t i = 1; i < LUMP_WORDS; i++)
			for (uint32_t k = i; k && v[k - 1] > v[k]; k--) {
				t = v[k];
				v[k] = v[k - 1];
				v[k - 1] = t;
			}
	} while (cpu_ns() < end);
	return v[0];
}

static void write_and_sync(struct loop *l, uint64_t bytes)
{
	static const char zeros[4096];

	if (!l->scratch)
		l->scratch = tmpfile();
	if (!l->scratch)
		return;
	rewind(l->scratch);
	for (uint64_t done = 0; done < bytes; done += sizeof(zeros))
		fwrite(zeros, 1, bytes - done < sizeof(zeros) ? bytes - done : sizeof(zeros),
			l->scratch);
	fflush(l->scratch);
	fsync(fileno(l->scratch));
}

/* What is computed is used, so that the compiler leaves it in. */
static uint32_t fault_named(struct loop *l, uint32_t serial)
{
	const struct fault_rule *rules = l->faults.rules;
	volatile uint64_t result;
	uint32_t hits = 0;

	if (fault_strikes(&l->faults, FAULT_HASH, serial)) {
		result = slow_hash(rules[FAULT_HASH].amount);
		hits |= FAULT_BIT(FAULT_HASH);
	}
	if (fault_strikes(&l->faults, FAULT_SORT, serial)) {
		result = slow_sort(rules[FAULT_SORT].amount);
		hits |= FAULT_BIT(FAULT_SORT);
	}
	(void)result;
	return hits;
}

uint32_t fault_handler(struct loop *l, uint32_t serial)
{
	const struct fault_rule *rules = l->faults.rules;
	uint32_t hits = fault_named(l, serial);

	if (fault_strikes(&l->faults, FAULT_CPU, serial)) {
		compute(rules[FAULT_CPU].amount);
		hits |= FAULT_BIT(FAULT_CPU);
	}
	if (fault_strikes(&l->faults, FAULT_SLEEP, serial)) {
		sleep_ns(rules[FAULT_SLEEP].amount);
		hits |= FAULT_BIT(FAULT_SLEEP);
	}
	if (fault_strikes(&l->faults, FAULT_FSYNC, serial)) {
		write_and_sync(l, rules[FAULT_FSYNC].amount);
		hits |= FAULT_BIT(FAULT_FSYNC);
	}
	if (fault_strikes(&l->faults, FAULT_LOCK, serial)) {
		helper_hold_lock(l->helper, rules[FAULT_LOCK].amount);
		hits |= FAULT_BIT(FAULT_LOCK);
	}
	return hits;
}

static uint32_t strike_all(struct loop *l, uint32_t serial, uint32_t mask)
{
	uint32_t hits = 0;

	for (int f = 0; f < FAULTS; f++)
		if (mask & FAULT_BIT(f) && fault_strikes(&l->faults, f, serial))
			hits |= FAULT_BIT(f);
	return hits;
}

uint32_t fault_answer(struct loop *l, uint32_t serial)
{
	return strike_all(l, serial, FAULT_BIT(FAULT_CTL_MOD) | FAULT_BIT(FAULT_SMALL_WRITES) |
		FAULT_BIT(FAULT_OTHER_THREAD) | FAULT_BIT(FAULT_SLOW_DRAIN));
}

uint32_t fault_connection(struct loop *l, uint32_t serial)
{
	return strike_all(l, serial, FAULT_BIT(FAULT_OUT_ARMED) | FAULT_BIT(FAULT_NEVER_CLOSE));
}
