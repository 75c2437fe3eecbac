/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_table.h - the rows that parsing (options.c) and help (help.c) share. */
#ifndef EPOLLSCOPE_OPTIONS_TABLE_H
#define EPOLLSCOPE_OPTIONS_TABLE_H

#include "cli/options.h"

#define IN(command) (1u << (command))

enum target_use {
	TARGET_REQUIRED,	/* or a program to launch */
	TARGET_PROCESSES,	/* no program */
	TARGET_OPTIONAL,	/* and no program */
};

struct command_row {
	const char *name;
	const char *summary;
	enum target_use target;
	const char *examples[4];	/* a line each: what follows "epollscope" */
};

/* Sets what the option stands for; NULL, or what a good value would be. */
typedef const char *option_set(struct options *o, const char *value);

struct option_row {
	const char *name;	/* long name; NULL if there is none */
	char key;		/* short name; 0 if there is none */
	const char *arg;	/* name of its argument; NULL if it takes none */
	unsigned commands;	/* IN(...) of those that take it */
	bool target;		/* says which processes */
	const char *preset;	/* default, parsed as if given; NULL if there is none */
	const char *help;	/* lines for help */
	option_set *set;
};

/* Options about captures (options_capture.c). */
option_set set_input, set_output, set_max_size, set_ring, set_until;

/* What is wrong with them together, or NULL; `targeted` if a target is given. */
const char *check_capture(const struct options *o, bool targeted);

/* options_flame.c: what only flame takes, and what is about stacks and the tail. */
option_set set_mode, set_against, set_folded, set_unit, set_hz, set_svg, set_by, set_chrome_trace,
	set_period, set_depth, set_window, set_debug_dir;

const char *check_flame(const struct options *o, bool targeted);

/* options_export.c: what only export takes. */
option_set set_listen, set_target, set_max_series, set_syscalls, set_measure_cost, set_tls_cert,
	set_tls_key, set_auth_file, set_print_metrics, set_finding_window;

/* Ends the last --target. NULL, or what is wrong with them. */
const char *options_check_export(struct options *o);
void options_free_export(struct options *o);

extern const struct command_row command_rows[CMD_COUNT];
extern const struct option_row option_rows[];
extern const size_t option_count;

#endif
