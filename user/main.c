/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* main.c - from the command line to a command, and from it to an exit status. */
#include <errno.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "render/render.h"
#include "base/status.h"

#ifndef EPOLLSCOPE_VERSION
#define EPOLLSCOPE_VERSION "unknown"
#endif

static int (*const run_command[CMD_COUNT])(const struct options *) = {
	[CMD_REPORT] = cmd_report,
	[CMD_RECORD] = cmd_record,
	[CMD_CONNS] = cmd_conns,
	[CMD_SLOW] = cmd_slow,
	[CMD_FLAME] = cmd_flame,
	[CMD_EXPORT] = cmd_export,
	[CMD_DOCTOR] = cmd_doctor,
};

static int print_schema(enum command command)
{
	const char *text = schema_text(command_name(command));

	if (!text) {
		fail_line("'%s' has no JSON schema", command_name(command));
		return EXIT_USAGE_ERROR;
	}
	fputs(text, stdout);
	return EXIT_OK;
}

static int act(const struct options *o)
{
	switch (o->action) {
	case ACTION_HELP:
		options_print_help(stdout, o->command);
		return EXIT_OK;
	case ACTION_VERSION:
		puts("epollscope " EPOLLSCOPE_VERSION);
		return EXIT_OK;
	default:
		return o->json_schema ? print_schema(o->command) : run_command[o->command](o);
	}
}

int main(int argc, char *argv[])
{
	struct options o;
	int status, err;

	guard_standard_files();
	if (options_parse(&o, argc, argv)) {
		fail_line("%s", o.error);
		status = EXIT_USAGE_ERROR;
	} else {
		status = act(&o);
	}
	options_free(&o);

	/* A result that could not be written is no success; a reader that left knows it. */
	err = finish_stdout();
	if (err && err != -EPIPE)
		fail_line("cannot write to standard output: %s", write_reason(-err));
	return err ? EXIT_FAULT : status;
}
