/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * commands.h - one function for each command, and what several commands share. Each prints its
 * result to stdout, says itself on stderr why it failed, and returns the exit status. Only failures
 * of stdout are left to main.
 */
#ifndef EPOLLSCOPE_COMMANDS_H
#define EPOLLSCOPE_COMMANDS_H

#include <stdbool.h>

struct flame_tree;
struct options;
struct sinks;
struct watch_result;

int cmd_report(const struct options *o);
int cmd_record(const struct options *o);
int cmd_conns(const struct options *o);
int cmd_slow(const struct options *o);
int cmd_flame(const struct options *o);
int cmd_export(const struct options *o);
int cmd_doctor(const struct options *o);

/*
 * Watches the target or replays the capture, with a recorder beside it if -o says so, and feeds the
 * sinks until that ends. EXIT_OK, or an exit status whose line is already printed. *recorded,
 * likewise, says whether the capture of -o could be written: if it could not, there still is a
 * result to show. The result is to be freed in any case.
 */
int command_watch(const struct options *o, const struct sinks *sinks, struct watch_result *w,
		  int *recorded);

/* The command's exit status after it has printed: --max-loss, the launched program's status. */
int command_status(const struct options *o, const struct watch_result *w);

/*
 * Adds a file's stacks to a new tree ("-": standard input), which becomes differential if lines
 * have two numbers; `single`: they must not. Lines that are no stack are counted on stderr. An exit
 * status, not EXIT_OK after one line: the file can't be read, or is something else.
 */
int folded_file_read(struct flame_tree *tree, const char *path, bool single);

/* `flame --folded`: folded text to a picture, or to sorted folded text. The exit status. */
int folded_file_show(const struct options *o);

#endif
