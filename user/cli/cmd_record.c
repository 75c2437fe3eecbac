/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_record.c - watch into a capture file. */
#include "base/status.h"
#include "cli/command_watch.h"
#include "cli/commands.h"

int cmd_record(const struct options *o)
{
	const struct sink stacks = { .needs = { .stack_hz = o->hz } };
	struct sinks sinks = { .list = { &stacks }, .n = 1 };
	struct watch_result w;
	int recorded, status = command_watch(o, &sinks, &w, &recorded);

	status = status ? status : recorded;
	if (!status)
		status = command_status(o, &w, aggregate_lost_events(w.aggregate));
	watch_result_free(&w);
	return status;
}
