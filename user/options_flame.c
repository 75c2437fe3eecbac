/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_flame.c - what only flame takes, and what goes together. */
#include <string.h>

#include "options_table.h"
#include "profile.h"
#include "quantity.h"

const char *set_mode(struct options *o, const char *value)
{
	static const char *const modes[] = { "cpu", "offcpu", "wakeup", "tail" };

	for (o->mode = 0; o->mode < sizeof(modes) / sizeof(modes[0]); o->mode++)
		if (!strcmp(value, modes[o->mode]))
			return NULL;
	return "a mode is cpu, offcpu, wakeup or tail";
}

const char *set_against(struct options *o, const char *value)
{
	o->against_typical = !strcmp(value, "typical");
	o->against = o->against_typical ? NULL : value;
	return *value ? NULL : "give 'typical', or the path of folded text";
}

const char *set_folded(struct options *o, const char *value)
{
	o->folded = value;
	return *value ? NULL : "give the path of folded text, or - for standard input";
}

const char *set_unit(struct options *o, const char *value)
{
	o->samples = !strcmp(value, "samples");
	return o->samples || !strcmp(value, "ns") ? NULL : "a unit is ns or samples";
}

const char *set_hz(struct options *o, const char *value)
{
	return quantity_u32(value, o->command == CMD_FLAME ? 1 : 0, 10000, &o->hz) ?
		       "a rate is a whole number up to 10000" : NULL;
}

const char *set_svg(struct options *o, const char *value)
{
	o->svg = value;
	return *value ? NULL : "give the path of a file";
}

const char *set_by(struct options *o, const char *value)
{
	o->by_stage = true;
	return strcmp(value, "stage") ? "time can be told by 'stage'" : NULL;
}

const char *set_chrome_trace(struct options *o, const char *value)
{
	o->chrome_trace = value;
	return *value ? NULL : "give the path of a file";
}

/* With folded text there is nothing to choose. */
static const char *check_folded(const struct options *o, bool targeted)
{
	if (targeted || o->input)
		return "--folded is what is shown: leave out -i and the target";
	if (o->duration_ns || o->by_stage || o->chrome_trace)
		return "--folded is what is shown: leave out -d, --by and --chrome-trace";
	if (o->against_typical)
		return "--folded can be compared with a file";
	return NULL;
}

const char *check_flame(const struct options *o, bool targeted)
{
	if (o->folded)
		return check_folded(o, targeted);
	if (o->against_typical && o->mode != PROFILE_TAIL)
		return "--against typical compares the tail: leave out --mode";
	if (o->samples)
		return "--unit is that of --folded";
	return NULL;
}
