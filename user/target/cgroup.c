/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup.c - who is in a control group, of version 1 or 2, or in a group below it.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target/match.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

static bool try_path(char full[PATH_MAX], const char *root, const char *sub, const char *path)
{
	int len = snprintf(full, PATH_MAX, "%s%s/%s/cgroup.procs", root, sub, path);
	bool found = len < PATH_MAX && !access(full, F_OK);

	full[found ? len - (int)strlen("/cgroup.procs") : 0] = '\0';
	return found;
}

/*
 * The directory of a group: as given when absolute, else below the root or below one of the
 * hierarchies that are mounted there. A path out of /proc/PID/cgroup begins with a slash, too.
 */
static bool find_cgroup(char full[PATH_MAX], const char *path)
{
	bool absolute = path[0] == '/', found;
	struct dirent *entry;
	DIR *dir;

	path += strspn(path, "/");
	if (absolute && try_path(full, "", "", path))
		return true;
	if (try_path(full, CGROUP_ROOT, "", path) || try_path(full, CGROUP_ROOT, "/unified", path))
		return true;
	dir = opendir(CGROUP_ROOT);
	for (found = false; dir && !found && (entry = readdir(dir));) {
		char sub[sizeof(entry->d_name) + 1];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof(sub), "/%s", entry->d_name);
		found = try_path(full, CGROUP_ROOT, sub, path);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Marks what a cgroup.procs or cgroup.threads file lists; false if it can't be read. */
static bool mark_members(struct candidates *c, const char *path, const char *file, size_t *marked)
{
	char name[PATH_MAX];
	bool readable;
	uint32_t id;
	FILE *list;

	if (snprintf(name, sizeof(name), "%s/%s", path, file) >= (int)sizeof(name))
		return false;
	list = fopen(name, "re");
	if (!list)
		return false;
	while (fscanf(list, "%" SCNu32, &id) == 1) {
		struct candidate *member = candidates_find(c, id);

		if (!member && !proc_tgid(id, &id))
			member = candidates_find(c, id);
		if (member) {
			member->match |= MATCH_CGROUP;
			(*marked)++;
		}
	}
	readable = !ferror(list);
	fclose(list);
	return readable;
}

/* The group at path, a buffer of PATH_MAX, and all below it. */
static size_t mark_groups(struct candidates *c, char *path)
{
	size_t len = strlen(path), marked = 0;
	struct dirent *entry;
	DIR *dir = opendir(path);

	/* A threaded group of version 2 does not list its processes, only its threads. */
	if (!mark_members(c, path, "cgroup.procs", &marked))
		mark_members(c, path, "cgroup.threads", &marked);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    len + strlen(entry->d_name) + 2 > PATH_MAX)
			continue;
		path[len] = '/';
		strcpy(path + len + 1, entry->d_name);
		marked += mark_groups(c, path);
		path[len] = '\0';
	}
	if (dir)
		closedir(dir);
	return marked;
}

void match_cgroup(struct candidates *c, const char *path, struct reason *why)
{
	char full[PATH_MAX];

	if (!find_cgroup(full, path))
		reason_give(why, -ENOENT, "'%.120s' is no control group here: see " CGROUP_ROOT,
			    path);
	else if (!mark_groups(c, full))
		reason_give(why, -ESRCH, "no process is in the control group '%.120s'", path);
}
