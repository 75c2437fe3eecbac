// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* options_export.c - the options of export: several targets, and how they are served. */
#include <stdlib.h>
#include <string.h>

#include "cli/options_table.h"
#include "base/quantity.h"

#define TARGETS_MAX 16	/* each is a set of hooks of its own */

#define NO_MEMORY "out of memory"

static bool has_conditions(const struct target_spec *t)
{
	return t->n_pids || t->n_comms || t->n_ports || t->cgroup;
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

/* What was given since the last --target belongs to it, or to a target without a name. */
static const char *end_group(struct options *o)
{
	struct export_options *e = &o->export;

	if (!e->n_groups && !has_conditions(&o->target))
		return NULL;
	if (!e->n_groups && add_group(e, NULL))
		return NO_MEMORY;
	e->groups[e->n_groups - 1].spec = o->target;
	o->target = (struct target_spec){ 0 };
	return NULL;
}

const char *set_target(struct options *o, const char *value)
{
	const char *wrong = end_group(o);

	if (wrong)
		return wrong;
	if (!*value || strlen(value) > 80)
		return "give a name of 1 to 80 bytes";
	for (size_t i = 0; i < o->export.n_groups; i++)
		if (o->export.groups[i].name && !strcmp(o->export.groups[i].name, value))
			return "each target has a name of its own";
	if (o->export.n_groups == TARGETS_MAX)
		return "there can be 16 targets";
	return add_group(&o->export, value);
}

const char *set_listen(struct options *o, const char *value)
{
	const char *colon = strrchr(value, ':');
	uint32_t port;

	o->export.listen = value;
	return !colon || strlen(value) > 200 ||
	       (quantity_u32(colon + 1, 1, UINT16_MAX, &port) && strcmp(colon + 1, "0")) ?
		       "an address and a port, as 127.0.0.1:9464, [::1]:9464 or :9464 (all)" : NULL;
}

const char *set_max_series(struct options *o, const char *value)
{
	return quantity_u32(value, 1, 10000000, &o->export.max_series) ?
		       "a count is a whole number from 1 to 10000000" : NULL;
}

const char *set_finding_window(struct options *o, const char *value)
{
	uint64_t *ns = &o->export.finding_window_ns;

	return quantity_duration(value, false, ns) || *ns < 1000000000 ?
		       "a window has a unit and is 1s or more, as 30s or 2m" : NULL;
}

const char *set_syscalls(struct options *o, const char *value)
{
	(void)value;
	o->export.syscalls = true;
	return NULL;
}

const char *set_measure_cost(struct options *o, const char *value)
{
	(void)value;
	o->export.measure_cost = true;
	return NULL;
}

const char *set_tls_cert(struct options *o, const char *value)
{
	o->export.tls_cert = value;
	return *value ? NULL : "give a file";
}

const char *set_tls_key(struct options *o, const char *value)
{
	o->export.tls_key = value;
	return *value ? NULL : "give a file";
}

const char *set_auth_file(struct options *o, const char *value)
{
	o->export.auth_file = value;
	return *value ? NULL : "give a file";
}

const char *set_print_metrics(struct options *o, const char *value)
{
	(void)value;
	o->export.print_metrics = true;
	return NULL;
}

const char *options_check_export(struct options *o)
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
		if (!has_conditions(&e->groups[i].spec))
			return "a --target has no condition: give it -p, -c, -P or --cgroup";
	if (!e->tls_cert != !e->tls_key)
		return "--tls-cert and --tls-key go together";
	return NULL;
}

void options_free_export(struct options *o)
{
	for (size_t i = 0; i < o->export.n_groups; i++)
		target_spec_free(&o->export.groups[i].spec);
	free(o->export.groups);
	o->export.groups = NULL;
	o->export.n_groups = 0;
}
