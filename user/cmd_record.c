// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cmd_record.c - watch into a capture file. */
#include "commands.h"
#include "recorder.h"
#include "status.h"
#include "watch.h"

struct recording {
	struct recorder *rec;
	const struct watch_result *watch;
};

static void begin(void *ctx)
{
	struct recording *r = ctx;

	recorder_begin(r->rec, r->watch);
}

static int ignore_conn(void *ctx, const struct ev_conn_close *c)
{
	(void)ctx;
	(void)c;
	return 0;
}

int cmd_record(const struct options *o)
{
	struct watch_result w = { 0 };
	struct recording r = { .watch = &w };
	struct watch_handlers handlers = {
		.attached = begin,
		.conn_close = ignore_conn,	/* so that they are sent */
		.ctx = &r,
		.every_exchange = true,
		.syscalls = true,
		.answers = true,
		.blame = true,
	};
	int status = recorder_open(&r.rec, o);

	if (!status) {
		handlers.tap = recorder_tap(r.rec);
		status = watch(o, &handlers, &w);
		if (!status)
			status = recorder_end(r.rec, &w);
		if (!status)
			status = watch_status(o, &w, aggregate_lost_events(w.aggregate));
	}
	recorder_close(r.rec);
	watch_free(&w);
	return status;
}
