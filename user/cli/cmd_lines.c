// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* cmd_lines.c - conns and slow: a line for each event, as it happens. */
#include <stdio.h>

#include "cli/commands.h"
#include "capture/recorder.h"
#include "render/render.h"
#include "explain/waterfall.h"
#include "base/status.h"
#include "watch/watch.h"

struct lines {
	bool json;
	struct style style;
	const struct watch_result *watch;
	struct history *history;	/* of waterfalls; else NULL */
};

/* A reader of a pipe wants each line now; a write error ends the watch. */
static int line_done(void)
{
	return flush_stdout() ? 1 : 0;
}

static int print_conn(void *ctx, const struct ev_conn_close *c)
{
	struct lines *l = ctx;

	if (l->json)
		render_conn_json(stdout, c, l->watch->realtime_offset_ns);
	else
		render_conn_text(stdout, c, l->watch->realtime_offset_ns, &l->style);
	return line_done();
}

static void print_waterfall(const struct lines *l, const struct exchange_info *x)
{
	struct waterfall w;

	waterfall_fill(&w, l->history, &x->ex, 0);
	render_waterfall(stdout, x, &w, l->watch->realtime_offset_ns, &l->style);
}

static void on_turn(void *ctx, const struct ev_turn *t)
{
	history_add_turn(((struct lines *)ctx)->history, t);
}

static void on_offcpu(void *ctx, const struct ev_offcpu *o)
{
	history_add_offcpu(((struct lines *)ctx)->history, o);
}

static int print_exchange(void *ctx, const struct exchange_info *x)
{
	struct lines *l = ctx;

	if (l->json)
		render_slow_json(stdout, x, l->watch->realtime_offset_ns);
	else if (l->history)
		print_waterfall(l, x);
	else
		render_slow_text(stdout, x, l->watch->realtime_offset_ns, &l->style);
	return line_done();
}

static void begin_conns(void *ctx)
{
	struct lines *l = ctx;

	if (!l->json)
		render_conn_header(stdout, &l->style);
	flush_stdout();
}

static void begin_slow(void *ctx)
{
	struct lines *l = ctx;

	if (!l->json && !l->history)
		render_slow_header(stdout, &l->style);
	flush_stdout();
}

static struct lines lines_for(const struct options *o, const struct watch_result *w)
{
	return (struct lines){
		.json = o->json,
		.style = { .color = !o->json && options_color(o, 1) },
		.watch = w,
	};
}

/* What the stream lost belongs to stderr: stdout holds lines only. */
static int run(const struct options *o, struct watch_handlers *h, struct watch_result *w)
{
	struct recorder *rec;
	int status = recorder_open(&rec, o, h);
	uint64_t lost;

	*w = (struct watch_result){ 0 };
	if (!status)
		status = watch(o, h, w);
	if (!status)
		status = recorder_end(rec, w);
	if (!status) {
		lost = aggregate_lost_events(w->aggregate);
		if (lost)
			warn_line("%llu events were lost because the ring was full: raise --ring-size",
				  (unsigned long long)lost);
		status = watch_status(o, w, lost);
	}
	recorder_close(rec);
	watch_free(w);
	return status;
}

int cmd_conns(const struct options *o)
{
	struct watch_result w;
	struct lines l = lines_for(o, &w);
	struct watch_handlers handlers = { .attached = begin_conns, .conn_close = print_conn,
					 .ctx = &l };

	return run(o, &handlers, &w);
}

int cmd_slow(const struct options *o)
{
	struct watch_result w;
	struct lines l = lines_for(o, &w);
	struct watch_handlers handlers = {
		.attached = begin_slow,
		.exchange = print_exchange,
		.ctx = &l,
		.every_exchange = o->has_over,
		.over_ns = o->over_ns,
		.answers = true,
		.tail_only = !o->has_over,
	};
	int status;

	if (o->waterfall && !o->json) {
		l.history = history_new(HISTORY_RECENT);
		if (!l.history) {
			fail_line("out of memory");
			return EXIT_FAULT;
		}
		handlers.turn = on_turn;
		handlers.offcpu = on_offcpu;
		handlers.blame = true;
	}
	status = run(o, &handlers, &w);
	history_free(l.history);
	return status;
}
