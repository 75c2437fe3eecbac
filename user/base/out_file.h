/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * out_file.h - a file that a command is asked to write when it is done.
 *
 * It is opened before the work, so that nobody watches for an hour and is then told that the file
 * can't be written. Its old content stays until out_file_begin(); a file that was not there before
 * is removed if nothing was written to it, or not all of it.
 */
#ifndef EPOLLSCOPE_OUT_FILE_H
#define EPOLLSCOPE_OUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct out_file {
	const char *path;	/* the caller's */
	FILE *f;		/* NULL: not open */
	bool created;
	bool begun;
	bool dropped;
};

/* NULL as path is fine and opens nothing. 0, or a negative errno after one line on stderr. */
int out_file_open(struct out_file *o, const char *path);

/* The old content goes; o->f is to be written from now on. */
void out_file_begin(struct out_file *o);

/* What was written is not worth to be kept, where there was nothing before. */
void out_file_drop(struct out_file *o);

/* Closes. 0, or a negative errno, after one line, if anything could not be written. */
int out_file_end(struct out_file *o);

#endif
