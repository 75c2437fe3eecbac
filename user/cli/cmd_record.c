/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_record.c - watch into a capture file; and what all commands that watch do alike. */
#include "base/status.h"
#include "capture/recorder.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "render/render.h"
#include "stream/sink.h"
#include "watch/replay.h"
#include "watch/watch.h"

static int run(const struct options *o, const struct sinks *sinks, struct watch_result *w)
{
	const struct replay_config from_file = {
		.window_ns = o->window_ns, .debug_dir = o->debug_dir,
	};
	const struct live_config live = {
		.spec = &o->target, .ring_kib = o->ring_kib,
		.close_wait_ns = (uint64_t)o->threshold[THRESHOLD_CLOSE_WAIT],
		.stack_depth = o->depth, .window_ns = o->window_ns, .debug_dir = o->debug_dir,
		.syscalls = o->syscalls, .budget = o->budget, .verbose = o->verbose,
	};

	return o->input ? replay(o->input, &from_file, sinks, w) :
			  watch(&live, o->duration_ns, sinks, w);
}

int command_watch(const struct options *o, const struct sinks *sinks, struct watch_result *w,
		  int *recorded)
{
	const struct recorder_config config = {
		.path = o->output, .max_bytes = o->max_bytes, .ring_ns = o->ring_ns,
		.has_until = o->has_until, .until_ns = o->until_ns,
		.request = { .target = &o->target, .duration_ns = o->duration_ns,
			     .ring_kib = o->ring_kib },
	};
	struct sinks all = *sinks;
	struct recorder *rec;
	int status;

	*recorded = EXIT_OK;
	*w = (struct watch_result){ 0 };
	if (!o->output)
		return run(o, sinks, w);
	status = recorder_open(&rec, &config, w);
	if (!status) {
		sinks_add(&all, recorder_sink(rec));
		status = run(o, &all, w);
	}
	if (!status)
		*recorded = recorder_end(rec);
	recorder_close(rec);
	return status;
}

/* A report has it in its text. */
static void say_shed(const struct watch_result *w)
{
	char text[512];

	for (unsigned step = 0; step < SHED_STEPS; step++)
		if (shed_sentence(&w->budget, step, w->realtime_offset_ns, text, sizeof(text)))
			warn_line("%s", text);
}

int command_status(const struct options *o, const struct watch_result *w)
{
	uint64_t lost = aggregate_lost_events(w->aggregate), all = w->events + lost;

	if (o->command != CMD_REPORT)
		say_shed(w);
	/* A report has it in its notes. */
	if (w->interrupted && o->command != CMD_REPORT)
		warn_line("the recording was interrupted: what had not reached the file is missing%s",
			  o->command == CMD_FLAME ? ", such as stacks, which come last" : "");
	if (o->has_max_loss && all && (double)lost / (double)all > o->max_loss) {
		fail_line("%llu of %llu events were lost, more than --max-loss allows: "
			  "raise --ring-size", (unsigned long long)lost, (unsigned long long)all);
		return EXIT_LOST;
	}
	if (w->damaged)
		return EXIT_FAULT;
	return w->program_status >= 0 ? w->program_status : EXIT_OK;
}

int cmd_record(const struct options *o)
{
	const struct sink stacks = { .needs = { .stack_hz = o->hz } };
	struct sinks sinks = { .list = { &stacks }, .n = 1 };
	struct watch_result w;
	int recorded, status = command_watch(o, &sinks, &w, &recorded);

	status = status ? status : recorded;
	if (!status)
		status = command_status(o, &w);
	watch_result_free(&w);
	return status;
}
