/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_check.c - what can only be judged when every option is known: which go together. */
#include <string.h>
#include <unistd.h>

#include "cli/options_table.h"
#include "explain/profile.h"

static bool has_conditions(const struct target_spec *t)
{
	return t->n_pids || t->n_comms || t->n_ports || t->cgroup;
}

/* With a capture there is nothing to attach to. */
static const char *check_input(const struct options *o, bool targeted)
{
	if (targeted)
		return "-i reads a capture: leave out -p, -c, -P, --cgroup and '-- PROGRAM'";
	if (o->output)
		return "-i reads a capture: leave out -o";
	if (o->duration_ns)
		return "-i reads a capture to its end: leave out -d";
	if (o->depth)
		return "-i reads a capture, whose stacks were taken: leave out --depth";
	if (o->no_syscalls)
		return "-i reads a capture: leave out --no-syscalls";
	return NULL;
}

/* Standard output has room for one thing, and a terminal has none for a capture. */
static const char *check_stdout(const struct options *o)
{
	if (o->command != CMD_RECORD)
		return "stdout carries the result: give -o FILE";
	if (o->target.program)
		return "what PROGRAM prints would get into the capture: give -o FILE";
	if (isatty(STDOUT_FILENO))
		return "a capture is not for a terminal: give -o FILE";
	return NULL;
}

static const char *check_capture(const struct options *o, bool targeted)
{
	if (o->has_over && o->window_ns)
		return "--over says what is slow: leave out --window";
	if (o->input)
		return check_input(o, targeted);
	if (o->output && !strcmp(o->output, "-"))
		return check_stdout(o);
	if (o->command == CMD_RECORD && !o->output)
		return "no file to record into: give -o FILE";
	if (o->max_bytes && !o->output)
		return "--max-size is that of a capture: give -o FILE";
	return NULL;
}

/* With folded text there is nothing to choose. */
static const char *check_folded(const struct options *o, bool targeted)
{
	if (targeted || o->input)
		return "--folded replaces -i and the target: leave them out";
	if (o->duration_ns || o->by_stage || o->chrome_trace || o->output)
		return "--folded replaces watching: leave out -d, -o, --by and --chrome-trace";
	if (o->against_typical)
		return "--folded can be compared with a file";
	return NULL;
}

static const char *check_flame(const struct options *o, bool targeted)
{
	if (o->folded)
		return check_folded(o, targeted);
	if (o->against_typical && o->mode != PROFILE_TAIL)
		return "--against typical compares the tail: leave out --mode";
	if (o->unit)
		return "--unit is that of --folded";
	return NULL;
}

static const char *check_export(struct options *o)
{
	const struct export_options *e = &o->export;
	const char *wrong;

	if (e->print_metrics)
		return NULL;
	if (o->target.program)
		return "'export' does not launch programs";
	wrong = options_end_group(o);
	if (wrong)
		return wrong;
	if (!e->n_groups)
		return "no target: give -p, -c, -P or --cgroup";
	for (size_t i = 0; i < e->n_groups; i++)
		if (!has_conditions(&e->groups[i].spec))
			return "a --target has no condition: give it -p, -c, -P or --cgroup";
	if (!e->tls_cert != !e->tls_key)
		return "--tls-cert and --tls-key go together";
	return NULL;
}

const char *options_check(struct options *o)
{
	const struct target_spec *t = &o->target;
	bool targeted = has_conditions(t) || t->program;
	const char *wrong = check_capture(o, targeted);

	if (!wrong && o->command == CMD_FLAME)
		wrong = check_flame(o, targeted);
	if (wrong || o->input || o->folded)
		return wrong;
	if (o->command == CMD_EXPORT)
		return check_export(o);
	if (t->program && (t->n_pids || t->n_comms || t->cgroup))
		return "'-- PROGRAM' is the target: leave out -p, -c and --cgroup";
	if (o->command == CMD_DOCTOR) {
		if (t->program)
			return "'doctor' does not launch programs";
		return o->cost && !targeted ?
			       "--cost is measured on a target: give -p, -c, -P or --cgroup" : NULL;
	}
	return targeted ? NULL : "no target: give -p, -c, -P, --cgroup or '-- PROGRAM'";
}
