/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* quota.c - see quota.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/proc.h"
#include "target/quota.h"

/* The number behind a name that begins a line; 0 if there is none. */
static uint64_t stat_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	while (at && at != text && at[-1] != '\n')
		at = strstr(at + 1, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

void quota_parse(const char *stat, struct quota_group *counts)
{
	counts->periods = stat_of(stat, "nr_throttled ");
	counts->ns = stat_of(stat, "throttled_time ") + 1000 * stat_of(stat, "throttled_usec ");
}

static bool read_counts(const struct quota_group *g, struct quota_group *counts)
{
	static const char *const roots[] = { "/sys/fs/cgroup/cpu", "/sys/fs/cgroup" };
	char name[256], text[4096];

	snprintf(name, sizeof(name), "%s%s/cpu.stat", roots[g->version - 1], g->path);
	if (!proc_text(name, text, sizeof(text)))
		return false;
	quota_parse(text, counts);
	return true;
}

/* A group and those above it, up to the root of the hierarchy as far as it is mounted here. */
static void add_path(struct quotas *q, const char *path, uint32_t version)
{
	struct quota_group g = { .version = version };
	char *slash;
	uint32_t i;

	if (strlen(path) >= sizeof(g.path)) {
		q->left_out++;
		return;
	}
	strcpy(g.path, strcmp(path, "/") ? path : "");
	do {
		for (i = 0; i < q->n; i++)
			if (q->group[i].version == version && !strcmp(q->group[i].path, g.path))
				return;
		if (q->n == QUOTA_GROUPS)
			q->left_out++;
		else
			q->group[q->n++] = g;
		slash = strrchr(g.path, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
}

/* Whether a list of controllers, as "cpu,cpuacct", has the one for CPU time. */
static bool has_cpu(const char *list)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		if (len == 3 && !strncmp(list, "cpu", 3))
			return true;
		if (!list[len])
			return false;
		list += len + 1;
	}
}

/* Lines are as "4:cpu,cpuacct:/path", in version 2 "0::/path". */
void quotas_add(struct quotas *q, char *lines)
{
	char *line, *save = NULL;

	for (line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (!list[1])
			add_path(q, path, 2);
		else if (has_cpu(list + 1))
			add_path(q, path, 1);
	}
}

void quotas_begin(struct quotas *q, const uint32_t *pids, size_t n)
{
	char name[32], text[4096];

	q->n = q->left_out = 0;
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "/proc/%u/cgroup", pids[i]);
		if (proc_text(name, text, sizeof(text)))
			quotas_add(q, text);
	}
	for (uint32_t i = 0; i < q->n; i++)
		if (!read_counts(&q->group[i], &q->group[i]))
			q->group[i].version = 0;	/* it has no cpu.stat */
}

const struct quota_group *quotas_end(struct quotas *q)
{
	const struct quota_group *most = NULL;

	for (uint32_t i = 0; i < q->n; i++) {
		struct quota_group *g = &q->group[i], now = { 0 };

		/* A group that has gone, or was made anew, tells nothing. */
		if (!g->version || !read_counts(g, &now) || now.periods < g->periods ||
		    now.ns < g->ns)
			now = *g;
		g->periods = now.periods - g->periods;
		g->ns = now.ns - g->ns;
		if (g->periods && (!most || g->ns > most->ns))
			most = g;
	}
	return most;
}
