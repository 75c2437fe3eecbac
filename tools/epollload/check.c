/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check.c - what of the command line fits together. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "tools/clock.h"
#include "config.h"
#include "protocol_http.h"
#include "protocol_push.h"

#define DEFAULT_DURATION_NS (10 * NS_PER_S)
#define SLOTS_MAX (64u << 20)	/* requests under way over all connections: half a gigabyte */

int config_wrong(struct config *cfg, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(cfg->error, sizeof(cfg->error), format, args);
	va_end(args);
	return -EINVAL;
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
		return config_wrong(cfg, "--size %u: %s takes %u to %u bytes", cfg->size, p->name, p->min_size,
			     p->max_size);
	if (cfg->topics && (p != &protocol_push || cfg->size < PUSH_STAMP || !cfg->active ||
			    cfg->active == cfg->connections))
		return config_wrong(cfg, "--topics: only with --protocol push, a --size of %d at least "
				    "and some, but not all connections --active", PUSH_STAMP);
	if (cfg->path && p != &protocol_http)
		return config_wrong(cfg, "--path: only with --protocol http");
	if (!cfg->path)
		cfg->path = "/";
	if (!good_path(cfg->path))
		return config_wrong(cfg, "--path: wants / and printable characters without blanks");
	return 0;
}

/* How many connections of which sort. */
static int check_connections(struct config *cfg)
{
	if (cfg->active == UNSET)
		cfg->active = cfg->connections;
	if (cfg->active > cfg->connections)
		return config_wrong(cfg, "--active %u: more than the %u connections", cfg->active,
			     cfg->connections);
	if (!cfg->active && (cfg->rate || cfg->requests || cfg->duration_ns || !cfg->hold))
		return config_wrong(cfg, "--active 0: sends nothing, and goes with --hold");
	if (cfg->threads > (cfg->active ? cfg->active : cfg->connections))
		return config_wrong(cfg, "--threads %u: more than connections to work on", cfg->threads);
	if (cfg->conn_per_request && (cfg->hold || cfg->active < cfg->connections))
		return config_wrong(cfg, "--conn-per-request keeps none open for --active or --hold");
	return 0;
}

int config_check(struct config *cfg)
{
	if (!cfg->targets)
		return config_wrong(cfg, "no target: epollload PORT or HOST:PORT");
	if (cfg->closed && cfg->rate)
		return config_wrong(cfg, "--rate and --closed exclude each other");
	if (check_connections(cfg))
		return -EINVAL;
	if (!cfg->active)
		cfg->closed = true;
	if (!cfg->closed && !cfg->rate)
		return config_wrong(cfg, "--rate N for an open loop, or --closed for a closed one");
	if (!cfg->duration_ns && !cfg->requests)
		cfg->duration_ns = DEFAULT_DURATION_NS;
	if (cfg->duration_ns && cfg->ramp_ns > cfg->duration_ns)
		return config_wrong(cfg, "--ramp: longer than the duration");
	if (cfg->conn_per_request && cfg->depth > 1)
		return config_wrong(cfg, "--conn-per-request and --pipeline exclude each other");
	if (cfg->truth && cfg->depth > 1)
		return config_wrong(cfg, "--truth and --pipeline exclude each other");
	if ((uint64_t)cfg->connections * cfg->depth > SLOTS_MAX)
		return config_wrong(cfg, "--pipeline %u: too much with %u connections", cfg->depth,
			     cfg->connections);
	for (uint32_t i = 0; cfg->sources && i < cfg->targets; i++)
		if (cfg->target[i].address.ss_family != AF_INET)
			return config_wrong(cfg, "--source: only with IPv4 targets");
	if (cfg->slow_connections != UNSET && !cfg->read_bytes && cfg->send_pieces == 1)
		return config_wrong(cfg, "--slow-connections: only with --slow-sender or --slow-reader");
	return check_protocol(cfg);
}
