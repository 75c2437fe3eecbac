/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* files.c - read before the privileges go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "export/files.h"
#include "base/status.h"

#define FILE_MAX 65536

/* All of a regular file, terminated. */
static int read_file(const char *path, char **text)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	size_t n = 0;
	int err = 0;

	*text = NULL;
	if (!file)
		return -errno;
	if (fstat(fileno(file), &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size >= FILE_MAX)
		err = -EFBIG;
	if (!err)
		*text = calloc(1, FILE_MAX);
	if (*text)
		n = fread(*text, 1, FILE_MAX - 1, file);
	if (!err && (!*text || ferror(file)))
		err = *text ? -EIO : -ENOMEM;
	if (*text)
		(*text)[n] = '\0';
	fclose(file);
	return err;
}

static int open_one(const char *path, char **text)
{
	int err = path ? read_file(path, text) : 0;

	if (!err)
		return EXIT_OK;
	fail_line("cannot read %.300s: %s", path, strerror(-err));
	return EXIT_NOTARGET;
}

int export_files_open(struct export_files *f, const char *cert, const char *key, const char *auth)
{
	int status = open_one(cert, &f->cert);
	char *colon;

	status = status ? status : open_one(key, &f->key);
	status = status ? status : open_one(auth, &f->user);
	if (status || !f->user)
		return status;
	f->user[strcspn(f->user, "\r\n")] = '\0';
	colon = strchr(f->user, ':');
	if (!colon || colon == f->user || !colon[1]) {
		fail_line("%.300s: its first line should be USER:PASSWORD", auth);
		return EXIT_USAGE_ERROR;
	}
	*colon = '\0';
	f->password = colon + 1;
	return EXIT_OK;
}

void export_files_close(struct export_files *f)
{
	free(f->cert);
	free(f->key);
	free(f->user);
	*f = (struct export_files){ 0 };
}
