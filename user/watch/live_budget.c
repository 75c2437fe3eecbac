/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live_budget.c - what a live watch costs, measured, and what it leaves out to keep to its budget.
 *
 * The programs' time is the kernel's own count, taken in a slice of each second: while the kernel
 * counts, every firing of every program on the host costs more. Where in its second the slice lies is
 * random, so that no load with a period hides from it.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/term.h"
#include "target/proc.h"
#include "watch/live_private.h"

#define MS 1000000ULL

#define SLICE_NS	(100 * MS)
#define SLICE_LATEST_NS	(800 * MS)	/* after a look: over before the next */

static uint64_t exchanges(const struct live *live)
{
	return session_exchanges(live->session);
}

/* Steps that this watch has anything of. */
static uint32_t steps_of(const struct live *live)
{
	uint32_t steps = SHED_BIT(SHED_RECORDS) | SHED_BIT(SHED_SPLITS);

	if (live->needs.stack_hz)
		steps |= SHED_BIT(SHED_STACKS);
	if (live->windows.on)
		steps |= SHED_BIT(SHED_WINDOWS);
	return steps;
}

/* What the target used since the last look. A process that is new counts from now on. */
static uint64_t target_used(struct live *live)
{
	struct live_budget *b = &live->budget;
	struct process_cpu *fresh = calloc(live->alive.n + 1, sizeof(*fresh));
	uint64_t used = 0;

	for (size_t i = 0; fresh && i < live->alive.n; i++) {
		fresh[i] = (struct process_cpu){ live->alive.pids[i], proc_cpu_ns(live->alive.pids[i]) };
		for (size_t k = 0; k < b->n_processes; k++)
			if (b->processes[k].pid == fresh[i].pid && fresh[i].ns > b->processes[k].ns)
				used += fresh[i].ns - b->processes[k].ns;
	}
	free(b->processes);
	b->processes = fresh;
	b->n_processes = fresh ? live->alive.n : 0;
	return used;
}

static void slice_plan(struct live_budget *b, uint64_t now)
{
	b->slice_ns = b->refused ? 0 : now + live_random(&b->random, SLICE_LATEST_NS);
}

static void slice_end(struct live *live)
{
	struct live_budget *b = &live->budget;
	uint64_t ns;

	if (!b->in_slice)
		return;
	ns = monotonic_ns() - b->slice_ns;
	session_cost_end(live->session);
	b->bpf_rate = (double)(session_cost_ns(live->session) - b->slice_from) / (double)(ns ? ns : 1);
	b->in_slice = false;
	b->slice_ns = 0;
}

static void slice_tick(struct live *live, uint64_t now)
{
	struct live_budget *b = &live->budget;

	if (b->in_slice && now >= b->slice_ns + SLICE_NS)
		slice_end(live);
	if (b->in_slice || !b->slice_ns || now < b->slice_ns)
		return;
	b->slice_from = session_cost_ns(live->session);
	b->in_slice = session_cost_begin(live->session);
	b->slice_ns = b->in_slice ? monotonic_ns() : 0;
	live->r->budget.bpf_known = b->in_slice;
	if (b->in_slice || b->refused)
		return;
	b->refused = true;
	warn_line("without CAP_SYS_ADMIN the kernel does not count what the programs cost: --budget "
		  "holds for the collector alone");
}

/* How long, and for how many exchanges, each step has been shed by now. */
static void account(struct live *live, uint32_t shed, uint64_t now)
{
	struct live_budget *b = &live->budget;
	uint64_t seen = shed ? exchanges(live) : 0;

	for (unsigned step = 0; step < SHED_STEPS; step++) {
		struct shed_info *info = &live->r->budget.shed[step];

		if (!(shed & SHED_BIT(step)))
			continue;
		info->ns += now - b->shed_ns[step];
		info->exchanges += seen - b->shed_exchanges[step];
		b->shed_ns[step] = now;
		b->shed_exchanges[step] = seen;
	}
}

static void begin_step(struct live *live, unsigned step, uint64_t now)
{
	struct shed_info *info = &live->r->budget.shed[step];
	struct live_budget *b = &live->budget;

	info->times++;
	info->first_ns = info->first_ns ? info->first_ns : now;
	info->back_ns = 0;
	b->shed_ns[step] = now;
	b->shed_exchanges[step] = exchanges(live);
	say_line("watching costs more than --budget %s: no %s for now",
		 format_share(live->config.budget).s, shed_words(step));
}

static void end_step(struct live *live, unsigned step, uint64_t now)
{
	live->r->budget.shed[step].back_ns = now;
	say_line("there is room in --budget %s: %s again", format_share(live->config.budget).s,
		 shed_words(step));
}

static void apply(struct live *live, uint32_t shed, uint64_t now)
{
	uint32_t changed = live->shed ^ shed;

	if (!changed)
		return;
	session_shed(live->session, shed);
	if (changed & SHED_BIT(SHED_WINDOWS))
		live_windows_shed(live, shed & SHED_BIT(SHED_WINDOWS), now);
	for (unsigned step = 0; step < SHED_STEPS; step++)
		if (changed & shed & SHED_BIT(step))
			begin_step(live, step, now);
		else if (changed & SHED_BIT(step))
			end_step(live, step, now);
	live->shed = shed;
}

/* What was used since the last look, and by whom. */
static void look(struct live *live, uint64_t now)
{
	struct live_budget *b = &live->budget;
	struct budget_info *info = &live->r->budget;
	unsigned watches = live->config.watches ? live->config.watches : 1;

	b->bpf_ns += b->bpf_rate * (double)(now - b->looked_ns);
	b->target_ns += target_used(live);
	b->looked_ns = now;
	info->own_ns = (uint64_t)b->bpf_ns + (own_cpu_ns() - b->collector_ns) / watches;
	info->target_ns = b->target_ns;
	account(live, live->shed, now);
}

void live_budget_begin(struct live *live, uint64_t now)
{
	struct live_budget *b = &live->budget;

	live->r->budget.share = live->config.budget;
	if (!(live->config.budget > 0))
		return;
	b->governor = (struct governor){ .share = live->config.budget, .steps = steps_of(live) };
	b->random = now | 1;
	b->collector_ns = own_cpu_ns();
	b->looked_ns = now;
	b->next_ns = now + GOVERNOR_EVERY_NS;
	target_used(live);
	governor_feed(&b->governor, now, 0, 0);
	slice_plan(b, now);
}

void live_budget_tick(struct live *live, uint64_t now)
{
	struct live_budget *b = &live->budget;
	const struct budget_info *info = &live->r->budget;

	if (!b->next_ns)
		return;
	slice_tick(live, now);
	if (now < b->next_ns || b->in_slice)
		return;
	look(live, now);
	apply(live, governor_feed(&b->governor, now, info->own_ns, info->target_ns), now);
	slice_plan(b, now);
	b->next_ns = now + GOVERNOR_EVERY_NS;
}

void live_budget_end(struct live *live, uint64_t now)
{
	if (live->budget.next_ns) {
		slice_end(live);
		look(live, now);
	}
	live->budget.next_ns = 0;
	free(live->budget.processes);
	live->budget.processes = NULL;
}
