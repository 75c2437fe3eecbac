/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_check.c - the options that are more than a typed field, and which options go together. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/quantity.h"
#include "bpf/syscalls.h"
#include "cli/options_table.h"
#include "explain/profile.h"

#define TARGETS_MAX 16	/* of export: each is a set of hooks of its own */

#define NO_MEMORY "out of memory"

const char *set_comm(struct options *o, const char *text)
{
	struct target_spec *t = &o->target;
	const char **comm;

	if (!*text)
		return "give a process name or a pattern such as 'nginx*'";
	comm = array_more(&t->comms, t->n_comms, sizeof(*comm));
	if (!comm)
		return NO_MEMORY;
	*comm = text;
	t->n_comms++;
	return NULL;
}

const char *set_until(struct options *o, const char *text)
{
	static const char slow[] = "slow>";

	o->has_until = true;
	return strncmp(text, slow, strlen(slow)) != 0 ||
			       quantity_duration(text + strlen(slow), false, &o->until_ns) ?
		       "it is 'slow>TIME', as 'slow>50ms'" : NULL;
}

const char *set_hz(struct options *o, const char *text)
{
	if (o->command == CMD_FLAME)
		return quantity_u32(text, 1, 10000, &o->hz) ?
			       "a rate is a whole number from 1 to 10000" : NULL;
	return quantity_u32(text, 0, 10000, &o->hz) ?
		       "a rate is a whole number up to 10000, 0 for no stacks" : NULL;
}

/* What other tools call the rate's inverse. */
const char *set_period(struct options *o, const char *text)
{
	uint64_t ns;

	if (quantity_duration(text, false, &ns) || ns < 100000 || ns > 1000000000)
		return "a period is from 100us to 1s, as 10ms";
	o->hz = (uint32_t)((1000000000 + ns / 2) / ns);
	return NULL;
}

const char *set_ring_size(struct options *o, const char *text)
{
	return quantity_u32(text, 64, 65536, &o->ring_kib) || o->ring_kib & (o->ring_kib - 1) ?
		       "a ring size is a power of two from 64 to 65536 (KiB)" : NULL;
}

const char *set_against(struct options *o, const char *text)
{
	o->against_typical = !strcmp(text, "typical");
	o->against = o->against_typical ? NULL : text;
	return *text ? NULL : "give 'typical', or the path of folded text";
}

const char *set_by(struct options *o, const char *text)
{
	o->by_stage = true;
	return strcmp(text, "stage") ? "time can be told by 'stage'" : NULL;
}

const char *set_threshold(struct options *o, const char *text)
{
	return threshold_set(o->threshold, text);
}

/* The kernel side hands over what is above the P99: the tail can't begin below. */
const char *set_tail(struct options *o, const char *text)
{
	char *end;
	double percentile = strtod(text, &end);

	if (end == text || *end || !(percentile >= 99 && percentile <= 99.9))
		return "a percentile from 99 to 99.9 is wanted, as 99.9";
	o->tail_permille = (unsigned)(percentile * 10 + 0.5);
	return NULL;
}

const char *set_no_syscalls(struct options *o, const char *text)
{
	(void)text;
	o->has_syscalls = true;
	o->syscalls = SYSCALLS_OFF;
	return NULL;
}

const char *set_listen(struct options *o, const char *text)
{
	const char *colon = strrchr(text, ':');
	uint32_t port;

	o->export.listen = text;
	return !colon || strlen(text) > 200 ||
	       (quantity_u32(colon + 1, 1, UINT16_MAX, &port) && strcmp(colon + 1, "0")) ?
		       "an address and a port, as 127.0.0.1:9464, [::1]:9464 or :9464 (all)" : NULL;
}

static const char *add_group(struct export_options *e, const char *name)
{
	struct export_group *group = array_more(&e->groups, e->n_groups, sizeof(*group));

	if (!group)
		return NO_MEMORY;
	*group = (struct export_group){ .name = name };
	e->n_groups++;
	return NULL;
}

/*
 * What is given since the last --target belongs to it; conditions before the first make a target
 * without a name. NULL, or what went wrong.
 */
static const char *end_group(struct options *o)
{
	struct export_options *e = &o->export;

	if (!e->n_groups && !target_spec_given(&o->target))
		return NULL;
	if (!e->n_groups && add_group(e, NULL))
		return NO_MEMORY;
	e->groups[e->n_groups - 1].spec = o->target;
	o->target = (struct target_spec){ 0 };
	return NULL;
}

const char *set_target(struct options *o, const char *text)
{
	const char *wrong = end_group(o);

	if (wrong)
		return wrong;
	if (!*text || strlen(text) > 80)
		return "give a name of 1 to 80 bytes";
	for (size_t i = 0; i < o->export.n_groups; i++)
		if (o->export.groups[i].name && !strcmp(o->export.groups[i].name, text))
			return "each target has a name of its own";
	if (o->export.n_groups == TARGETS_MAX)
		return "there can be 16 targets";
	return add_group(&o->export, text);
}

static const char *check_export(struct options *o)
{
	const struct export_options *e = &o->export;
	const char *wrong;

	if (e->print_metrics)
		return NULL;
	if (o->target.program)
		return "'export' does not launch programs";
	wrong = end_group(o);
	if (wrong)
		return wrong;
	if (!e->n_groups)
		return "no target: give -p, -c, -P or --cgroup";
	for (size_t i = 0; i < e->n_groups; i++)
		if (!target_spec_given(&e->groups[i].spec))
			return "a --target has no condition: give it -p, -c, -P or --cgroup";
	if (!e->tls_cert != !e->tls_key)
		return "--tls-cert and --tls-key go together";
	return NULL;
}

const char *options_check(struct options *o)
{
	const struct target_spec *t = &o->target;
	bool targeted = target_spec_given(t) || t->program;
	bool piped = o->output && !strcmp(o->output, "-");
	bool record = o->command == CMD_RECORD, doctor = o->command == CMD_DOCTOR;
	/* Options that a command does not take are not set here. */
	const struct {
		bool holds;
		const char *wrong;
	} conflicts[] = {
		{ o->has_over && o->window_ns, "--over says what is slow: leave out --window" },
		/* With a capture there is nothing to attach to. */
		{ o->input && targeted,
		  "-i reads a capture: leave out -p, -c, -P, --cgroup and '-- PROGRAM'" },
		{ o->input && o->output, "-i reads a capture: leave out -o" },
		{ o->input && o->duration_ns, "-i reads a capture to its end: leave out -d" },
		{ o->input && o->depth,
		  "-i reads a capture, whose stacks were taken: leave out --depth" },
		{ o->input && o->has_budget, "-i reads a capture: leave out --budget" },
		{ o->input && o->has_syscalls,
		  "-i reads a capture: leave out --syscalls and --no-syscalls" },
		/* Standard output has room for one thing, and a terminal has none for a capture. */
		{ piped && !record, "stdout carries the result: give -o FILE" },
		{ piped && t->program,
		  "what PROGRAM prints would get into the capture: give -o FILE" },
		{ piped && isatty(STDOUT_FILENO), "a capture is not for a terminal: give -o FILE" },
		{ record && !o->output, "no file to record into: give -o FILE" },
		{ o->max_bytes && !o->output && !o->input,
		  "--max-size is that of a capture: give -o FILE" },
		/* With folded text there is nothing to choose. */
		{ o->folded && (targeted || o->input),
		  "--folded replaces -i and the target: leave them out" },
		{ o->folded && (o->duration_ns || o->by_stage || o->chrome_trace || o->output),
		  "--folded replaces watching: leave out -d, -o, --by and --chrome-trace" },
		{ o->folded && o->against_typical, "--folded can be compared with a file" },
		{ o->against_typical && o->mode != PROFILE_TAIL,
		  "--against typical compares the tail: leave out --mode" },
		{ o->unit && !o->folded, "--unit is that of --folded" },
		{ t->program && (t->n_pids || t->n_comms || t->cgroup),
		  "'-- PROGRAM' is the target: leave out -p, -c and --cgroup" },
		{ doctor && t->program, "'doctor' does not launch programs" },
		{ doctor && o->cost && !targeted,
		  "--cost is measured on a target: give -p, -c, -P or --cgroup" },
		{ !targeted && !doctor && !o->input && !o->folded,
		  "no target: give -p, -c, -P, --cgroup or '-- PROGRAM'" },
	};

	if (o->command == CMD_EXPORT)
		return check_export(o);
	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++)
		if (conflicts[i].holds)
			return conflicts[i].wrong;
	return NULL;
}
