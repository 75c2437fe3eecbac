/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options.c - the command line: a table of options. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/clock.h"
#include "config.h"
#include "protocol_echo.h"
#include "protocol_http.h"
#include "protocol_push.h"
#include "base/quantity.h"

#define DEFAULT_TIMEOUT_NS (5 * NS_PER_S)
#define DEFAULT_SPIN_NS 200000	/* a sleep may end so much too late */
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
	return err ? config_wrong(cfg, "--%s %.60s: wants %s", row->name, arg, row->wants) : 0;
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
		return config_wrong(cfg, "%.60s: at most %d targets", target, TARGETS_MAX);
	if (parse_count(port, 1, 65535, &number, NULL) || port[strspn(port, "0123456789")])
		return config_wrong(cfg, "%.60s: wants PORT or HOST:PORT, the port 1 to 65535", target);
	if ((colon && !len) || len >= sizeof(host))
		return config_wrong(cfg, "%.60s: which host?", target);
	if (colon)
		snprintf(host, sizeof(host), "%.*s", (int)(len - 2 * v6), target + v6);
	if (getaddrinfo(host, port, &hints, &found))
		return config_wrong(cfg, "%.60s: no such host", target);
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
		return config_wrong(cfg, "%.60s: wants a value", argv[optind - 1]);
	return config_wrong(cfg, "%.60s: %s (see --help)", argv[optind - 1],
		     optopt >= FIRST_ROW ? "takes no value" : "no such option");
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
			cfg->action = ACTION_HELP;
			return 0;
		}
		if (code >= FIRST_ROW)
			err = set_row(cfg, &rows[code - FIRST_ROW], optarg);
		else
			err = unknown(cfg, code, argv);
	}
	for (; !err && optind < argc; optind++)
		err = set_target(cfg, argv[optind]);
	return err ? err : config_check(cfg);
}
