/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* out_file.c - see out_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <unistd.h>

#include "base/out_file.h"
#include "base/status.h"

static int say(const struct out_file *o, int err)
{
	fail_line("cannot write '%.400s': %s", o->path, write_reason(err));
	return -err;
}

int out_file_open(struct out_file *o, const char *path)
{
	int fd;

	*o = (struct out_file){ .path = path };
	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	o->created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return say(o, errno);
	o->f = fdopen(fd, "w");
	if (o->f)
		return 0;
	close(fd);
	return say(o, ENOMEM);
}

void out_file_begin(struct out_file *o)
{
	if (!o->f)
		return;
	o->begun = true;
	/* A pipe or a device has nothing to cut off. */
	if (ftruncate(fileno(o->f), 0) && errno != EINVAL)
		say(o, errno);
}

void out_file_drop(struct out_file *o)
{
	o->dropped = true;
}

int out_file_end(struct out_file *o)
{
	int err;

	if (!o->f)
		return 0;
	err = ferror(o->f) ? -write_failure(fileno(o->f)) : 0;
	/* A reader that did not take it before would let us wait for the rest too. */
	if (err)
		__fpurge(o->f);
	errno = EIO;
	if (fclose(o->f) && !err)
		err = errno;
	o->f = NULL;
	if (o->created && (!o->begun || o->dropped || err))
		unlink(o->path);
	return err ? say(o, err) : 0;
}
