// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cmd_record.c - watch into a capture file. */
#include "capture_format.h"
#include "capture_stacks.h"
#include "commands.h"
#include "recorder.h"
#include "status.h"
#include "watch.h"

struct recording {
	struct recorder *rec;
	const struct watch_result *watch;
	struct bytes stacks;	/* in words, until there are enough for a chunk */
};

#define STACKS_BYTES (CAPTURE_CHUNK_MAX / 2)

static int put_stacks(struct recording *r)
{
	int err = r->stacks.len ? recorder_put_chunk(r->rec, r->watch, CHUNK_STACKS, r->stacks.data,
						     r->stacks.len) : 0;

	r->stacks.len = 0;
	return err;
}

static void on_stack(void *ctx, const struct named_stack *s)
{
	struct recording *r = ctx;

	if (!stacks_put(&r->stacks, s) && r->stacks.len >= STACKS_BYTES)
		put_stacks(r);
}

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
		.stack = on_stack,
		.stack_hz = o->hz,
	};
	int status = recorder_open(&r.rec, o);

	if (!status) {
		handlers.tap = recorder_tap(r.rec);
		status = watch(o, &handlers, &w);
		/* An error stays with the recorder, which tells it at its end. */
		if (!status)
			put_stacks(&r);
		if (!status)
			status = recorder_end(r.rec, &w);
		if (!status)
			status = watch_status(o, &w, aggregate_lost_events(w.aggregate));
	}
	bytes_free(&r.stacks);
	recorder_close(r.rec);
	watch_free(&w);
	return status;
}
