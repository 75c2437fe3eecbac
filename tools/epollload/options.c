/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options.c - the command line: a table of options, and what of them fits together. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/clock.h"
#include "config.h"
#include "protocol.h"
#include "base/quantity.h"

#define DEFAULT_TIMEOUT_NS (5 * NS_PER_S)
#define DEFAULT_SPIN_NS 200000	/* a sleep may end so much too late */
#define DEFAULT_DURATION_NS (10 * NS_PER_S)
#define SLOTS_MAX (64u << 20)	/* requests under way over all connections: half a gigabyte */
#define DAY_NS (86400 * NS_PER_S)
#define RATE_MAX 10000000
#define CONNECTIONS_MAX 1000000
#define THREADS_MAX 256
#define DEPTH_MAX 1024
#define FIRST_ROW 256		/* getopt's code of the first row: no character's */

enum kind { FLAG, COUNT32, COUNT64, TIME, WORD, SPECIAL };

struct option_row {
	const char *name;
	enum kind kind;
	size_t offset;			/* in struct config */
	uint64_t min, max;
	const char *wants;		/* what a good value looks like */
	int (*special)(struct config *cfg, const char *arg);
};

/* -EINVAL, with cfg->error set. */
__attribute__((format(printf, 2, 3)))
static int wrong(struct config *cfg, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(cfg->error, sizeof(cfg->error), format, args);
	va_end(args);
	return -EINVAL;
}

/*
 * A whole number, min..max, without sign or blank; k and m stand for thousands and millions. The
 * text ends with it, or it goes on at *end if end is not NULL. 0 or -EINVAL.
 */
static int parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *n, const char **end)
{
	char *rest;
	uint64_t scale;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*n = strtoull(text, &rest, 10);
	scale = *rest == 'k' ? 1000 : *rest == 'm' ? 1000000 : 1;
	rest += scale > 1;
	if (end)
		*end = rest;
	if (errno || (*rest && !end) || __builtin_mul_overflow(*n, scale, n))
		return -EINVAL;
	return *n < min || *n > max ? -EINVAL : 0;
}

/* A time with its unit, at most a day. 0 or -EINVAL. */
static int parse_time(const char *text, uint64_t *ns)
{
	if (!text[strspn(text, "0123456789.")] || quantity_duration(text, false, ns) ||
	    *ns > DAY_NS)
		return -EINVAL;
	return 0;
}

static int set_protocol(struct config *cfg, const char *arg)
{
	static const struct protocol *const all[] = {
		&protocol_echo, &protocol_http, &protocol_push,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i]->name, arg))
			continue;
		cfg->protocol = all[i];
		return 0;
	}
	return -EINVAL;
}

/* FIRST or FIRST-LAST, of 127.0.0.0/8 or any other addresses of this machine. */
static int set_source(struct config *cfg, const char *arg)
{
	struct in_addr first, last;
	char text[INET_ADDRSTRLEN] = "";
	const char *dash = strchrnul(arg, '-');

	if ((size_t)(dash - arg) >= sizeof(text))
		return -EINVAL;
	memcpy(text, arg, (size_t)(dash - arg));
	if (inet_pton(AF_INET, text, &first) != 1 ||
	    inet_pton(AF_INET, *dash ? dash + 1 : text, &last) != 1 ||
	    ntohl(last.s_addr) < ntohl(first.s_addr))
		return -EINVAL;
	cfg->source_first = ntohl(first.s_addr);
	cfg->sources = ntohl(last.s_addr) - cfg->source_first + 1;
	return cfg->sources ? 0 : -EINVAL;
}

/* COUNT/TIME */
static int set_pair(const char *arg, uint64_t min, uint64_t max, uint32_t *n, uint64_t *ns)
{
	const char *rest;
	uint64_t count;

	if (parse_count(arg, min, max, &count, &rest) || *rest != '/' ||
	    parse_time(rest + 1, ns))
		return -EINVAL;
	*n = (uint32_t)count;
	return *ns ? 0 : -EINVAL;
}

static int set_slow_sender(struct config *cfg, const char *arg)
{
	return set_pair(arg, 2, 1000000, &cfg->send_pieces, &cfg->send_pause_ns);
}

static int set_slow_reader(struct config *cfg, const char *arg)
{
	return set_pair(arg, 1, SCRATCH_BYTES, &cfg->read_bytes, &cfg->read_pause_ns);
}

static int set_expect(struct config *cfg, const char *arg)
{
	cfg->has_expect = true;
	return parse_count(arg, 0, UINT64_MAX, &cfg->expect, NULL);
}

#define AT(field) offsetof(struct config, field)
#define A_COUNT "a whole number, such as 100, 20k or 1m"
#define A_TIME "a time with its unit, such as 500us, 10s or 1.5m"

static const struct option_row rows[] = {
	{ "rate", COUNT64, AT(rate), 1, RATE_MAX, A_COUNT ", at most 10m", NULL },
	{ "closed", FLAG, AT(closed), 0, 0, NULL, NULL },
	{ "requests", COUNT64, AT(requests), 1, 1ull << 40, A_COUNT, NULL },
	{ "duration", TIME, AT(duration_ns), 1, UINT64_MAX, A_TIME, NULL },
	{ "ramp", TIME, AT(ramp_ns), 0, UINT64_MAX, A_TIME, NULL },
	{ "timeout", TIME, AT(timeout_ns), 1000000, UINT64_MAX, A_TIME ", at least 1ms", NULL },
	{ "spin", TIME, AT(spin_ns), 0, NS_PER_S, A_TIME ", at most 1s", NULL },
	{ "connections", COUNT32, AT(connections), 1, CONNECTIONS_MAX, A_COUNT ", at most 1m", NULL },
	{ "active", COUNT32, AT(active), 0, CONNECTIONS_MAX, A_COUNT ", at most 1m", NULL },
	{ "topics", COUNT32, AT(topics), 1, CONNECTIONS_MAX, A_COUNT, NULL },
	{ "hold", FLAG, AT(hold), 0, 0, NULL, NULL },
	{ "announce", FLAG, AT(announce), 0, 0, NULL, NULL },
	{ "threads", COUNT32, AT(threads), 1, THREADS_MAX, "a whole number, 1 to 256", NULL },
	{ "pipeline", COUNT32, AT(depth), 1, DEPTH_MAX, "a whole number, 1 to 1024", NULL },
	{ "size", COUNT32, AT(size), 0, UNSET - 1, "bytes, a whole number", NULL },
	{ "conn-per-request", FLAG, AT(conn_per_request), 0, 0, NULL, NULL },
	{ "protocol", SPECIAL, 0, 0, 0, "echo, http or push", set_protocol },
	{ "path", WORD, AT(path), 0, 0, NULL, NULL },
	{ "source", SPECIAL, 0, 0, 0, "FIRST or FIRST-LAST, IPv4 addresses", set_source },
	{ "slow-sender", SPECIAL, 0, 0, 0, "PIECES/PAUSE, such as 4/10ms", set_slow_sender },
	{ "slow-reader", SPECIAL, 0, 0, 0, "BYTES/PAUSE, such as 512/10ms, at most 64 KiB",
	  set_slow_reader },
	{ "slow-connections", COUNT32, AT(slow_connections), 0, CONNECTIONS_MAX, A_COUNT, NULL },
	{ "expect-count", SPECIAL, 0, 0, 0, A_COUNT, set_expect },
	{ "truth", WORD, AT(truth), 0, 0, NULL, NULL },
	{ "json", FLAG, AT(json), 0, 0, NULL, NULL },
	{ "quiet", FLAG, AT(quiet), 0, 0, NULL, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int set_row(struct config *cfg, const struct option_row *row, const char *arg)
{
	void *field = (char *)cfg + row->offset;
	uint64_t n = 0;
	int err = 0;

	switch (row->kind) {
	case FLAG:
		*(bool *)field = true;
		break;
	case WORD:
		*(const char **)field = arg;
		break;
	case COUNT32:
		err = parse_count(arg, row->min, row->max, &n, NULL);
		*(uint32_t *)field = (uint32_t)n;
		break;
	case COUNT64:
		err = parse_count(arg, row->min, row->max, field, NULL);
		break;
	case TIME:
		err = parse_time(arg, &n);
		if (n < row->min || n > row->max)
			err = -EINVAL;
		*(uint64_t *)field = n;
		break;
	case SPECIAL:
		err = row->special(cfg, arg);
		break;
	}
	return err ? wrong(cfg, "--%s %.60s: wants %s", row->name, arg, row->wants) : 0;
}

/* PORT, HOST:PORT or [V6]:PORT. */
static int set_target(struct config *cfg, const char *target)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	const char *colon = strrchr(target, ':'), *port = colon ? colon + 1 : target;
	size_t len = colon ? (size_t)(colon - target) : 0;
	bool v6 = len > 2 && target[0] == '[' && target[len - 1] == ']';
	char host[256] = "127.0.0.1";
	struct addrinfo *found;
	struct target *t;
	uint64_t number;

	if (cfg->targets == TARGETS_MAX)
		return wrong(cfg, "%.60s: at most %d targets", target, TARGETS_MAX);
	if (parse_count(port, 1, 65535, &number, NULL) || port[strspn(port, "0123456789")])
		return wrong(cfg, "%.60s: wants PORT or HOST:PORT, the port 1 to 65535", target);
	if ((colon && !len) || len >= sizeof(host))
		return wrong(cfg, "%.60s: which host?", target);
	if (colon)
		snprintf(host, sizeof(host), "%.*s", (int)(len - 2 * v6), target + v6);
	if (getaddrinfo(host, port, &hints, &found))
		return wrong(cfg, "%.60s: no such host", target);
	t = &cfg->target[cfg->targets];
	memcpy(&t->address, found->ai_addr, found->ai_addrlen);
	t->len = found->ai_addrlen;
	freeaddrinfo(found);
	if (!cfg->targets++)
		snprintf(cfg->host, sizeof(cfg->host), "%s%s", colon ? "" : "127.0.0.1:", target);
	return 0;
}

/* getopt's own words would go to stderr: ours name the option too. */
static int unknown(struct config *cfg, int code, char *const argv[])
{
	if (code == ':')
		return wrong(cfg, "%.60s: wants a value", argv[optind - 1]);
	return wrong(cfg, "%.60s: %s (see --help)", argv[optind - 1],
		     optopt >= FIRST_ROW ? "takes no value" : "no such option");
}

static bool good_path(const char *path)
{
	for (const char *p = path; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return path[0] == '/';
}

static int check_protocol(struct config *cfg)
{
	const struct protocol *p = cfg->protocol;

	if (cfg->size == UNSET)
		cfg->size = p->default_size;
	if (cfg->size < p->min_size || cfg->size > p->max_size)
		return wrong(cfg, "--size %u: %s takes %u to %u bytes", cfg->size, p->name, p->min_size,
			     p->max_size);
	if (cfg->topics && (p != &protocol_push || cfg->size < PUSH_STAMP || !cfg->active ||
			    cfg->active == cfg->connections))
		return wrong(cfg, "--topics: only with --protocol push, a --size of %d at least "
				    "and some, but not all connections --active", PUSH_STAMP);
	if (cfg->path && p != &protocol_http)
		return wrong(cfg, "--path: only with --protocol http");
	if (!cfg->path)
		cfg->path = "/";
	if (!good_path(cfg->path))
		return wrong(cfg, "--path: wants / and printable characters without blanks");
	return 0;
}

/* How many connections of which sort. */
static int check_connections(struct config *cfg)
{
	if (cfg->active == UNSET)
		cfg->active = cfg->connections;
	if (cfg->active > cfg->connections)
		return wrong(cfg, "--active %u: more than the %u connections", cfg->active,
			     cfg->connections);
	if (!cfg->active && (cfg->rate || cfg->requests || cfg->duration_ns || !cfg->hold))
		return wrong(cfg, "--active 0: sends nothing, and goes with --hold");
	if (cfg->threads > (cfg->active ? cfg->active : cfg->connections))
		return wrong(cfg, "--threads %u: more than connections to work on", cfg->threads);
	if (cfg->conn_per_request && (cfg->hold || cfg->active < cfg->connections))
		return wrong(cfg, "--conn-per-request keeps none open for --active or --hold");
	return 0;
}

/* Whether what was asked for fits together; fills in what depends on it. */
static int check(struct config *cfg)
{
	if (!cfg->targets)
		return wrong(cfg, "no target: epollload PORT or HOST:PORT");
	if (cfg->closed && cfg->rate)
		return wrong(cfg, "--rate and --closed exclude each other");
	if (check_connections(cfg))
		return -EINVAL;
	if (!cfg->active)
		cfg->closed = true;
	if (!cfg->closed && !cfg->rate)
		return wrong(cfg, "--rate N for an open loop, or --closed for a closed one");
	if (!cfg->duration_ns && !cfg->requests)
		cfg->duration_ns = DEFAULT_DURATION_NS;
	if (cfg->duration_ns && cfg->ramp_ns > cfg->duration_ns)
		return wrong(cfg, "--ramp: longer than the duration");
	if (cfg->conn_per_request && cfg->depth > 1)
		return wrong(cfg, "--conn-per-request and --pipeline exclude each other");
	if (cfg->truth && cfg->depth > 1)
		return wrong(cfg, "--truth and --pipeline exclude each other");
	if ((uint64_t)cfg->connections * cfg->depth > SLOTS_MAX)
		return wrong(cfg, "--pipeline %u: too much with %u connections", cfg->depth,
			     cfg->connections);
	for (uint32_t i = 0; cfg->sources && i < cfg->targets; i++)
		if (cfg->target[i].address.ss_family != AF_INET)
			return wrong(cfg, "--source: only with IPv4 targets");
	if (cfg->slow_connections != UNSET && !cfg->read_bytes && cfg->send_pieces == 1)
		return wrong(cfg, "--slow-connections: only with --slow-sender or --slow-reader");
	return check_protocol(cfg);
}

int config_parse(struct config *cfg, int argc, char *const argv[])
{
	struct option options[ROWS + 2] = { { 0 } };
	int code, err = 0;

	*cfg = (struct config){
		.timeout_ns = DEFAULT_TIMEOUT_NS, .spin_ns = DEFAULT_SPIN_NS, .connections = 1,
		.threads = 1, .depth = 1, .size = UNSET, .slow_connections = UNSET, .active = UNSET,
		.send_pieces = 1, .protocol = &protocol_echo,
	};
	for (size_t i = 0; i < ROWS; i++)
		options[i] = (struct option){ rows[i].name, rows[i].kind != FLAG, NULL, FIRST_ROW + (int)i };
	options[ROWS] = (struct option){ "help", no_argument, NULL, 'h' };
	while (!err && (code = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (code == 'h') {
			cfg->help = true;
			return 0;
		}
		if (code >= FIRST_ROW)
			err = set_row(cfg, &rows[code - FIRST_ROW], optarg);
		else
			err = unknown(cfg, code, argv);
	}
	for (; !err && optind < argc; optind++)
		err = set_target(cfg, argv[optind]);
	return err ? err : check(cfg);
}
