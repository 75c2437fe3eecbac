/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_special.c - the options that are more than a typed field, each with its function. */
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "cli/options_table.h"

#define TARGETS_MAX 16	/* of export: each is a set of hooks of its own */

#define NO_MEMORY "out of memory"

const char *set_comm(struct options *o, const char *text)
{
	struct target_spec *t = &o->target;
	const char **grown;

	if (!*text)
		return "give a process name or a pattern such as 'nginx*'";
	grown = reallocarray(t->comms, t->n_comms + 1, sizeof(*grown));
	if (!grown)
		return NO_MEMORY;
	t->comms = grown;
	t->comms[t->n_comms++] = text;
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

const char *set_verbose(struct options *o, const char *text)
{
	(void)text;
	o->verbose++;
	return NULL;
}

const char *set_help(struct options *o, const char *text)
{
	(void)text;
	o->action = ACTION_HELP;
	return NULL;
}

const char *set_version(struct options *o, const char *text)
{
	(void)text;
	o->action = ACTION_VERSION;
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
	struct export_group *grown = reallocarray(e->groups, e->n_groups + 1, sizeof(*grown));

	if (!grown)
		return NO_MEMORY;
	e->groups = grown;
	e->groups[e->n_groups++] = (struct export_group){ .name = name };
	return NULL;
}

/* Conditions before the first --target make a target without a name. */
const char *options_end_group(struct options *o)
{
	struct export_options *e = &o->export;
	const struct target_spec *t = &o->target;

	if (!e->n_groups && !t->n_pids && !t->n_comms && !t->n_ports && !t->cgroup)
		return NULL;
	if (!e->n_groups && add_group(e, NULL))
		return NO_MEMORY;
	e->groups[e->n_groups - 1].spec = o->target;
	o->target = (struct target_spec){ 0 };
	return NULL;
}

const char *set_target(struct options *o, const char *text)
{
	const char *wrong = options_end_group(o);

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
