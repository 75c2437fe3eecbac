/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_paths.c - what is written must not be what is read, or what else is written. */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/options_table.h"

/* Of a file that is not there yet: its folder's real path, and its name. */
static bool future_path(const char *path, char real[PATH_MAX])
{
	char folder[PATH_MAX], name[PATH_MAX];
	size_t len;

	if (strlen(path) >= PATH_MAX)
		return false;
	if (!realpath(dirname(strcpy(folder, path)), real))
		return false;
	len = strlen(real);
	return (size_t)snprintf(real + len, PATH_MAX - len, "/%s",
				basename(strcpy(name, path))) < PATH_MAX - len;
}

/* A device, such as /dev/null, takes what several write. */
static bool same_file(const char *a, const char *b)
{
	char real_a[PATH_MAX], real_b[PATH_MAX];
	bool a_is = strcmp(a, "-"), b_is = strcmp(b, "-");
	struct stat st_a, st_b;

	if (!a_is || !b_is)
		return false;	/* standard input and standard output */
	a_is = !stat(a, &st_a);
	b_is = !stat(b, &st_b);
	if (a_is && b_is)
		return st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino &&
		       !S_ISCHR(st_a.st_mode);
	return !a_is && !b_is && future_path(a, real_a) && future_path(b, real_b) &&
	       !strcmp(real_a, real_b);
}

const char *options_paths(const struct options *o, char *wrong, size_t len)
{
	const struct {
		const char *option, *path;
		bool written;
	} files[] = {
		{ "-i", o->input, false },
		{ "--folded", o->folded, false },
		{ "--against", o->against, false },
		{ "-o", o->output, true },
		{ "--html", o->html, true },
		{ "--svg", o->svg, true },
		{ "--chrome-trace", o->chrome_trace, true },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (size_t k = 0; k < i; k++) {
			if (!files[i].path || !files[k].path || !files[i].written ||
			    !same_file(files[k].path, files[i].path))
				continue;
			snprintf(wrong, len, "%s and %s name one file", files[k].option,
				 files[i].option);
			return wrong;
		}
	return NULL;
}
