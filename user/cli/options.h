/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * options.h - the command line: one table of commands and one of options, from which come parsing,
 * help, defaults and usage errors.
 */
#ifndef EPOLLSCOPE_OPTIONS_H
#define EPOLLSCOPE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "target/target.h"
#include "explain/finding.h"

enum command {
	CMD_NONE,
	CMD_REPORT,
	CMD_RECORD,
	CMD_CONNS,
	CMD_SLOW,
	CMD_FLAME,
	CMD_EXPORT,
	CMD_DOCTOR,
	CMD_COUNT,
};

/* What the command line asks for. */
enum action {
	ACTION_RUN,
	ACTION_HELP,	/* of the command, or of all when there is none */
	ACTION_VERSION,
};

enum color_when {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

/* export: one of several targets. */
struct export_group {
	const char *name;	/* NULL: named after its conditions */
	struct target_spec spec;
};

struct export_options {
	struct export_group *groups;	/* at least one; the array belongs to the options */
	size_t n_groups;
	const char *listen;		/* ADDRESS:PORT */
	const char *tls_cert, *tls_key;	/* files; NULL: no TLS */
	const char *auth_file;		/* "user:password"; NULL: everybody may read */
	uint32_t max_series;
	uint64_t finding_window_ns;
	bool measure_cost;		/* keep what measuring our own cost takes */
	bool print_metrics;		/* only print docs/metrics.md */
};

struct options {
	enum action action;
	enum command command;
	struct target_spec target;
	uint64_t duration_ns;	/* 0: until Ctrl-C, or the program's end */
	bool json;
	bool json_schema;	/* only print the schema of the command's JSON, as main does */
	bool has_over;
	bool cost;		/* doctor: measure on the target */
	bool waterfall;		/* slow: several lines an exchange */
	uint64_t over_ns;	/* slow: at or above; 0 is every exchange */
	bool has_max_loss;
	double max_loss;	/* 0..1 of all events; more is EXIT_LOST */
	bool has_budget;
	double budget;		/* our own cost by the target's CPU time; 0: no limit */
	bool has_syscalls;
	unsigned syscalls;	/* enum syscall_mode; without the option the command's own */
	unsigned mode;		/* flame: enum profile_mode */
	const char *html;	/* report: the page to write too; NULL: none */
	uint32_t hz;		/* flame, report --html: samples a second and CPU */
	uint32_t depth;		/* frames of a stack; 0: as many as can be */
	uint64_t window_ns;	/* of the tail; 0: what the capture says, or a minute */
	const char *debug_dir;	/* of separate debug files; NULL: /usr/lib/debug */
	const char *svg;	/* flame: NULL is folded text on stdout */
	bool against_typical;	/* flame: the tail against typical exchanges */
	const char *against;	/* flame: or what is shown against this folded text; else NULL */
	const char *folded;	/* flame: this text instead of a target; NULL: none */
	unsigned unit;		/* of its numbers: enum flame_unit */
	bool by_stage;		/* flame: the ledger's stage is the first frame */
	const char *chrome_trace;	/* flame: also a timeline there; NULL: none */
	double threshold[THRESHOLD_COUNT];	/* of the diagnosis */
	unsigned tail_permille;	/* where a report's tail begins; 0: 990 */
	uint32_t ring_kib;	/* per CPU, a power of two */
	uint32_t top;		/* worst exchanges to print; 0 is none */
	unsigned color;		/* enum color_when */
	struct export_options export;
	unsigned verbose;	/* 1: libbpf's warnings, 2: all of its messages */
	const char *input;	/* a capture instead of a target; "-": standard input */
	const char *output;	/* a capture to write */
	uint64_t max_bytes;	/* of it; 0: no limit */
	uint64_t ring_ns;	/* flight recorder: keep the last; 0: write all */
	bool has_until;
	uint64_t until_ns;	/* record: stop at an exchange above this */
	char error[240];	/* after a failed parse: the line to print */
};

/*
 * Parses argv into o, with the defaults of the table where it says nothing. 0, or -EINVAL with
 * o->error set. Strings in o belong to argv; options_free() in any case.
 */
int options_parse(struct options *o, int argc, char *const argv[]);

void options_free(struct options *o);

#define RINGS_KIB (64 << 10)	/* of events; the rings of records take as much again */

/* The default of --ring-size: 4096, or so much that the rings of all processors take RINGS_KIB. */
uint32_t ring_kib_for(long cpus);

/* Help for one command, or the overview for CMD_NONE; fits 100 columns. */
void options_print_help(FILE *out, enum command command);

/* "report"; NULL for CMD_NONE. */
const char *command_name(enum command command);

/* Whether what is printed to fd may be coloured: --color, NO_COLOR, TERM, terminal or not. */
bool options_color(const struct options *o, int fd);

#endif
