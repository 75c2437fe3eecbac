/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_table.h - the rows that parsing (options.c) and help (help.c) share. */
#ifndef EPOLLSCOPE_OPTIONS_TABLE_H
#define EPOLLSCOPE_OPTIONS_TABLE_H

#include "cli/options.h"

#define IN(command) (1u << (command))

#define EXPORT_BUDGET 0.3	/* of the target's CPU time */

struct command_row {
	const char *name;
	const char *summary;
	const char *usage[4];		/* a line each: what follows its name */
	const char *examples[4];	/* a line each: what follows "epollscope" */
};

/* What the text after an option is, and the type of the field that it sets. */
enum value_kind {
	VALUE_SPECIAL,	/* by a function of its own */
	VALUE_FLAG,	/* bool: there is no text */
	VALUE_FIXED,	/* unsigned: set to `min`; there is no text */
	VALUE_MORE,	/* unsigned: one more each time; there is no text */
	VALUE_TEXT,	/* const char *: not empty; it belongs to argv */
	VALUE_WORD,	/* unsigned: the place of the text among `words` */
	VALUE_COUNT,	/* uint32_t */
	VALUE_NUMBERS,	/* uint32_t * and a size_t: each number of "1,2,3" is added to the array */
	VALUE_BYTES,	/* uint64_t */
	VALUE_TIME,	/* uint64_t, ns: the text has a unit */
	VALUE_SECONDS,	/* uint64_t, ns: seconds, or with a unit */
	VALUE_SHARE,	/* double, 0 to 1 */
};

/* Sets what a special option stands for; NULL, or what a good value would be. */
typedef const char *option_set(struct options *o, const char *text);

struct option_value {
	enum value_kind kind;
	size_t place;		/* of the field in struct options */
	size_t count;		/* of the field that counts VALUE_NUMBERS */
	uint64_t min, max;	/* of a count, each number, bytes, a time */
	const char *const *words;	/* ended by NULL */
	option_set *set;
};

struct option_row {
	const char *name;	/* long name */
	char key;		/* short name; 0 if there is none */
	const char *arg;	/* name of its argument; NULL if it takes none */
	unsigned commands;	/* IN(...) of those that take it */
	struct option_value value;
	const char *help;	/* lines for help */
	const char *wanted;	/* what a good value would be; special options say it themselves */
	const char *preset;	/* default, parsed as if given; NULL if there is none */
	size_t has;		/* of the bool that tells that there was a value; 0: none */
	bool target;		/* help lists it among those that say which processes */
};

/* options_check.c */
option_set set_comm, set_until, set_hz, set_period, set_ring_size, set_against, set_by, set_listen,
	set_target, set_threshold, set_tail, set_no_syscalls;

/* What is wrong with the options together, or NULL. */
const char *options_check(struct options *o);

/* options_paths.c: two paths of which one is written name one file. The text, or NULL. */
const char *options_paths(const struct options *o, char *wrong, size_t len);

extern const struct command_row command_rows[CMD_COUNT];
extern const struct option_row option_rows[];
extern const size_t option_count;

#endif
