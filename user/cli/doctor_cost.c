/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* doctor_cost.c - a report's watch, without and with its dearer parts, each measured for a while. */
#include <inttypes.h>
#include <math.h>
#include <poll.h>

#include "base/clock.h"
#include "base/status.h"
#include "cli/doctor_cost.h"
#include "watch/live.h"

#define COST_WATCH_NS 1200000000ULL	/* some of it passes before there is a P99 */
#define COST_STACK_HZ 99

static const struct {
	const char *with;	/* in JSON */
	const char *words;
	bool blame;
	uint32_t stack_hz;
} ways[COST_WAYS] = {
	[COST_BARE] = { "exchanges", "report without turns and absences", false, 0 },
	[COST_REPORT] = { "turns", "report, with turns and absences", true, 0 },
	[COST_STACKS] = { "stacks", "the same with stacks, at 99 Hz", true, COST_STACK_HZ },
};

static void tick_until(struct live *live, uint64_t end)
{
	for (uint64_t now = monotonic_ns(); now < end && live_alive(live);) {
		poll(NULL, 0, LIVE_TICK_MS);
		now = monotonic_ns();
		live_tick(live, now);
	}
}

static int measure(const struct options *o, enum cost_way way, struct cost *cost)
{
	const struct sink nobody = {
		.needs = { .syscalls = true, .intervals = ways[way].blame,
			   .stack_hz = ways[way].stack_hz },
	};
	const struct sinks sinks = { .list = { &nobody }, .n = 1 };
	struct live_config config = {
		.spec = &o->target, .ring_kib = o->ring_kib,
		.close_wait_ns = UINT64_MAX, .measure_all = true,
	};
	struct watch_result r = { 0 };
	struct live *live = NULL;
	char why[512] = "";
	int status, err = targets_resolve(&o->target, &r.targets, why, sizeof(why));

	if (err) {
		fail_line("%s", why);
		watch_result_free(&r);
		return exit_status_of(err);
	}
	status = live_open(&live, &config, &sinks, &r);
	if (!status) {
		tick_until(live, monotonic_ns() + COST_WATCH_NS);
		status = live_end(live);
	}
	if (!status)
		*cost = (struct cost){ r.aggregate->cost_ns, r.aggregate->cost_runs,
				       r.aggregate->cost_exchanges };
	live_close(live);
	watch_result_free(&r);
	return status;
}

int costs_measure(const struct options *o, struct cost costs[COST_WAYS])
{
	int status = EXIT_OK;

	for (int way = 0; way < COST_WAYS && !status; way++)
		status = measure(o, way, &costs[way]);
	return status;
}

static double per_exchange(uint64_t n, const struct cost *cost)
{
	return cost->exchanges ? (double)n / (double)cost->exchanges : NAN;
}

void costs_print(FILE *out, const struct cost costs[COST_WAYS])
{
	fprintf(out, "\n%-34s %15s %17s %10s\n", "COST (a second of each)", "BPF NS/EXCHANGE",
		"FIRINGS/EXCHANGE", "EXCHANGES");
	for (int way = 0; way < COST_WAYS; way++) {
		const struct cost *c = &costs[way];

		if (c->exchanges)
			fprintf(out, "%-34s %15.0f %17.1f %10" PRIu64 "\n", ways[way].words,
				per_exchange(c->bpf_ns, c), per_exchange(c->firings, c),
				c->exchanges);
		else
			fprintf(out, "%-34s %15s %17s %10s\n", ways[way].words, "-", "-", "idle");
	}
}

void costs_json(struct json *j, const struct cost *costs)
{
	if (!costs) {
		json_null(j, "cost");
		return;
	}
	json_array(j, "cost");
	for (int way = 0; way < COST_WAYS; way++) {
		json_object(j, NULL);
		json_string(j, "with", ways[way].with);
		json_double(j, "bpf_ns_per_exchange", per_exchange(costs[way].bpf_ns, &costs[way]));
		json_double(j, "firings_per_exchange",
			    per_exchange(costs[way].firings, &costs[way]));
		json_u64(j, "exchanges", costs[way].exchanges);
		json_object_end(j);
	}
	json_array_end(j);
}
