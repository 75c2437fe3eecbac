// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cmd_record.c - watch into a capture file. */
#include "cli/commands.h"
#include "capture/recorder.h"
#include "base/status.h"
#include "watch/watch.h"

int cmd_record(const struct options *o)
{
	struct watch_result w = { 0 };
	struct watch_handlers handlers = { .stack_hz = o->hz };
	struct recorder *rec;
	int status = recorder_open(&rec, o, &handlers);

	if (!status)
		status = watch(o, &handlers, &w);
	if (!status)
		status = recorder_end(rec, &w);
	if (!status)
		status = watch_status(o, &w, aggregate_lost_events(w.aggregate));
	recorder_close(rec);
	watch_free(&w);
	return status;
}
