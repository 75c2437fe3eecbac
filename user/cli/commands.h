/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * commands.h - one function for each command. Each prints its result to stdout, says itself on
 * stderr why it failed, and returns the exit status. Only failures of stdout are left to main.
 */
#ifndef EPOLLSCOPE_COMMANDS_H
#define EPOLLSCOPE_COMMANDS_H

struct options;

int cmd_report(const struct options *o);
int cmd_record(const struct options *o);
int cmd_conns(const struct options *o);
int cmd_slow(const struct options *o);
int cmd_flame(const struct options *o);
int cmd_export(const struct options *o);
int cmd_doctor(const struct options *o);

#endif
