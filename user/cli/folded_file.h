/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * folded_file.h - folded text of a file: an earlier `flame`, or any other tool's.
 */
#ifndef EPOLLSCOPE_FOLDED_FILE_H
#define EPOLLSCOPE_FOLDED_FILE_H

#include "flamegraph/flamegraph.h"
#include "cli/options.h"

/*
 * Adds a file's stacks to a new tree ("-": standard input), which becomes differential if lines
 * have two numbers; `single`: they must not. Lines that are no stack are counted on stderr. An exit
 * status, not EXIT_OK after one line: the file can't be read, or is something else.
 */
int folded_file_read(struct flame_tree *tree, const char *path, bool single);

/* `flame --folded`: folded text to a picture, or to sorted folded text. The exit status. */
int folded_file_show(const struct options *o);

#endif
