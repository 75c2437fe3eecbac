/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* help.c - what --help prints, out of the tables. */
#include <string.h>

#include "cli/options.h"
#include "cli/options_table.h"

#define LEFT_WIDTH 28

/* "  -p, --pid PID[,PID...]", padded, then the lines of help below each other. */
static void print_option(FILE *out, const struct option_row *row)
{
	char left[64];
	const char *line = row->help;
	int len;

	len = snprintf(left, sizeof(left), row->key ? "-%c, " : "    ", row->key);
	snprintf(left + len, sizeof(left) - (size_t)len, "--%s%s%s", row->name,
		 row->arg ? " " : "", row->arg ? row->arg : "");
	fprintf(out, "  %-*s  ", LEFT_WIDTH, left);
	for (;;) {
		size_t width = strcspn(line, "\n");

		fprintf(out, "%.*s", (int)width, line);
		if (!line[width])
			break;
		line += width + 1;
		fprintf(out, "\n  %-*s  ", LEFT_WIDTH, "");
	}
	if (row->preset)
		fprintf(out, " (default: %s)", row->preset);
	fputc('\n', out);
}

static void print_options(FILE *out, unsigned commands, bool target)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];

		if ((row->commands & commands) && row->target == target)
			print_option(out, row);
	}
}

static void print_target(FILE *out, unsigned commands)
{
	fputs("\nTarget (conditions of different kind must all hold; children are part of it):\n",
	      out);
	print_options(out, commands, true);
}

static void print_examples(FILE *out, const struct command_row *row)
{
	for (size_t i = 0; i < sizeof(row->examples) / sizeof(row->examples[0]); i++)
		if (row->examples[i])
			fprintf(out, "  epollscope %s\n", row->examples[i]);
}

static void print_overview(FILE *out)
{
	fputs("epollscope attaches to a live epoll server and says where its P99 went.\n"
	      "\n"
	      "Usage: epollscope COMMAND [TARGET] [OPTIONS] [-- PROGRAM [ARG...]]\n"
	      "\n"
	      "Commands ('epollscope COMMAND --help' tells more):\n",
	      out);
	for (int i = CMD_NONE + 1; i < CMD_COUNT; i++)
		fprintf(out, "  %-8s  %s\n", command_rows[i].name, command_rows[i].summary);
	print_target(out, IN(CMD_REPORT));
	fputs("  -- PROGRAM [ARG...]           launch this program; it starts once it is watched\n"
	      "\nOptions without a command:\n",
	      out);
	print_options(out, IN(CMD_NONE), false);
	fputs("\nExamples:\n", out);
	for (int i = CMD_NONE + 1; i < CMD_COUNT; i++)
		print_examples(out, &command_rows[i]);
	fputs("\nExit status: 0 done, 1 run-time fault, 3 more lost than --max-loss, 64 usage,\n"
	      "66 no such target or file, 69 the kernel lacks something, 77 missing privilege;\n"
	      "after '-- PROGRAM' that program's own, 128+N if signal N ended it.\n",
	      out);
}

void options_print_help(FILE *out, enum command command)
{
	const struct command_row *row = &command_rows[command];

	if (command == CMD_NONE) {
		print_overview(out);
		return;
	}
	fprintf(out, "epollscope %s: %s\n\n", row->name, row->summary);
	for (size_t i = 0; i < sizeof(row->usage) / sizeof(row->usage[0]) && row->usage[i]; i++)
		fprintf(out, "%s epollscope %s %s\n", i ? "      " : "Usage:", row->name,
			row->usage[i]);
	print_target(out, IN(command));
	fputs("\nOptions:\n", out);
	print_options(out, IN(command), false);
	if (command == CMD_REPORT) {
		fputs("\nThresholds of the diagnosis:\n", out);
		thresholds_help(out);
	}
	fputs("\nExamples:\n", out);
	print_examples(out, row);
}
