/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options_capture.c - the options about capture files, and what goes together. */
#include <string.h>
#include <unistd.h>

#include "cli/options_table.h"
#include "base/quantity.h"
#include "capture/recorder.h"

#define RING_MAX_NS (3600ULL * 1000000000)

const char *set_input(struct options *o, const char *value)
{
	o->input = value;
	return *value ? NULL : "give the path of a capture, or - for standard input";
}

const char *set_output(struct options *o, const char *value)
{
	o->output = value;
	return *value ? NULL : "give the path of the capture to write";
}

const char *set_max_size(struct options *o, const char *value)
{
	return quantity_bytes(value, &o->max_bytes) || o->max_bytes < RECORDER_MIN_BYTES ?
		       "a size is at least 1M, as 500M or 2G" : NULL;
}

const char *set_ring(struct options *o, const char *value)
{
	return quantity_duration(value, true, &o->ring_ns) || !o->ring_ns ||
			       o->ring_ns > RING_MAX_NS ?
		       "a window is more than 0 and at most an hour, as 10, 0.5 or 2m" : NULL;
}

const char *set_until(struct options *o, const char *value)
{
	static const char slow[] = "slow>";

	o->has_until = true;
	return strncmp(value, slow, strlen(slow)) != 0 ||
			       quantity_duration(value + strlen(slow), false, &o->until_ns) ?
		       "it is 'slow>TIME', as 'slow>50ms'" : NULL;
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
		return "its result goes to standard output: give -o FILE";
	if (o->target.program)
		return "what PROGRAM prints would get into the capture: give -o FILE";
	if (isatty(STDOUT_FILENO))
		return "a capture is not for a terminal: give -o FILE";
	return NULL;
}

const char *check_capture(const struct options *o, bool targeted)
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
