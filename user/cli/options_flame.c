/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_flame.c - what only flame takes, and what goes together. */
#include <string.h>

#include "cli/options_table.h"
#include "explain/profile.h"
#include "base/quantity.h"
#include "stream/tail.h"

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
	if (o->command == CMD_FLAME)
		return quantity_u32(value, 1, 10000, &o->hz) ?
			       "a rate is a whole number from 1 to 10000" : NULL;
	return quantity_u32(value, 0, 10000, &o->hz) ?
		       "a rate is a whole number up to 10000, 0 for no stacks" : NULL;
}

/* What other tools call the rate's inverse. */
const char *set_period(struct options *o, const char *value)
{
	uint64_t ns;

	if (quantity_duration(value, false, &ns) || ns < 100000 || ns > 1000000000)
		return "a period is from 100us to 1s, as 10ms";
	o->hz = (uint32_t)((1000000000 + ns / 2) / ns);
	return NULL;
}

const char *set_depth(struct options *o, const char *value)
{
	return quantity_u32(value, 1, STACK_DEPTH, &o->depth) ?
		       "a depth is a whole number from 1 to 127" : NULL;
}

const char *set_window(struct options *o, const char *value)
{
	return quantity_duration(value, true, &o->window_ns) ||
			       o->window_ns < TAIL_WINDOW_MIN_NS ||
			       o->window_ns > TAIL_WINDOW_MAX_NS ?
		       "a window is from a second to an hour, as 10, 2.5 or 5m" : NULL;
}

const char *set_debug_dir(struct options *o, const char *value)
{
	o->debug_dir = value;
	return *value ? NULL : "give the path of a folder";
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
	if (o->duration_ns || o->by_stage || o->chrome_trace || o->output)
		return "--folded is what is shown: leave out -d, -o, --by and --chrome-trace";
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
