/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_lines.c - conns and slow: a line for each event, as it happens. */
#include <stdio.h>

#include "base/status.h"
#include "capture/watch_result.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "explain/waterfall.h"
#include "render/render.h"
#include "stream/sink.h"

struct lines {
	bool json;
	struct style style;
	struct watch_result watch;
	struct history *history;	/* of waterfalls; else NULL */
};

/* A reader of a pipe wants each line now; a write error ends the watch. */
static int print_conn(void *ctx, const struct event *e)
{
	struct lines *l = ctx;

	if (l->json)
		render_conn_json(stdout, &e->conn_close, l->watch.realtime_offset_ns);
	else
		render_conn_text(stdout, &e->conn_close, l->watch.realtime_offset_ns, &l->style);
	return flush_stdout();
}

static int print_exchange(void *ctx, const struct exchange_info *x)
{
	struct lines *l = ctx;
	struct waterfall w;

	if (l->json) {
		render_slow_json(stdout, x, l->watch.realtime_offset_ns);
	} else if (l->history) {
		waterfall_fill(&w, l->history, &x->ex, 0);
		render_waterfall(stdout, x, &w, l->watch.realtime_offset_ns, &l->style);
	} else {
		render_slow_text(stdout, x, l->watch.realtime_offset_ns, &l->style);
	}
	return flush_stdout();
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
		render_slow_header(stdout, "TIME (UTC)", &l->style);
	flush_stdout();
}

/* What the stream lost belongs to stderr: stdout holds lines only. */
static int run(const struct options *o, struct lines *l, const struct sinks *sinks)
{
	int recorded, status;
	uint64_t lost;

	l->json = o->json;
	l->style.color = !o->json && options_color(o, 1);
	status = command_watch(o, sinks, &l->watch, &recorded);
	status = status ? status : recorded;
	if (!status) {
		lost = aggregate_lost_events(l->watch.aggregate);
		if (lost)
			warn_line("%llu events were lost because the ring was full: raise --ring-size",
				  (unsigned long long)lost);
		status = command_status(o, &l->watch);
	}
	watch_result_free(&l->watch);
	return status;
}

int cmd_conns(const struct options *o)
{
	struct lines l = { 0 };
	const struct sink sink = {
		.needs = { .conn_closes = true }, .begin = begin_conns,
		.event = { [EV_CONN_CLOSE] = print_conn }, .ctx = &l,
	};
	const struct sinks sinks = { .list = { &sink }, .n = 1 };

	return run(o, &l, &sinks);
}

/* A line of text shows nothing of the answer, so that it need not wait for one. */
int cmd_slow(const struct options *o)
{
	bool waterfall = o->waterfall && !o->json, answers = o->json || waterfall;
	struct lines l = { .history = waterfall ? history_new(HISTORY_RECENT) : NULL };
	const struct sink sink = {
		.needs = { .exchanges = o->has_over ? EXCHANGES_OVER : EXCHANGES_TAIL,
			   .over_ns = o->over_ns, .answers = answers, .prompt_answers = answers },
		.begin = begin_slow, .exchange = print_exchange, .ctx = &l,
	};
	const struct sink history = history_sink(l.history);
	struct sinks sinks = { .list = { &sink, &history }, .n = waterfall ? 2 : 1 };
	int status;

	if (waterfall && !l.history) {
		fail_line("out of memory");
		return EXIT_FAULT;
	}
	status = run(o, &l, &sinks);
	history_free(l.history);
	return status;
}
