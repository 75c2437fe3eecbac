/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * asked.c - what the programs are asked to tell while they run: from which latency on, and what a
 * budget leaves out.
 */
#include "base/clock.h"
#include "kernel/private.h"

/* Turns are sent from a quarter of the P99 on, off-CPU intervals from a twentieth, bounded. */
#define TURN_MIN_NS	200000ULL
#define TURN_MAX_NS	10000000ULL
#define OFF_MIN_NS	50000ULL
#define OFF_MAX_NS	1000000ULL

#define NEVER (~0ULL)

static void set(__u64 *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static uint64_t within(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static uint64_t turn_limit(const struct session *s)
{
	if (!s->blame || s->shed & SHED_BIT(SHED_RECORDS))
		return NEVER;
	return s->every_turn ? 0 : within(s->tail_ns / 4, TURN_MIN_NS, TURN_MAX_NS);
}

/* Where stacks are taken every interval is told with its own. */
static uint64_t off_limit(const struct session *s)
{
	if (s->stack_hz && !(s->shed & SHED_BIT(SHED_STACKS)))
		return 0;
	if (!s->blame || s->shed & SHED_BIT(SHED_RECORDS))
		return NEVER;
	return within(s->tail_ns / 20, OFF_MIN_NS, OFF_MAX_NS);
}

static void set_limits(const struct session *s)
{
	struct control *control = &s->skel->bss->control;
	bool records = !(s->shed & SHED_BIT(SHED_RECORDS));

	set(&control->tail_ns, records ? s->tail_ns : NEVER);
	set(&control->record_ns, records ? s->record_ns : NEVER);
	set(&control->turn_ns, turn_limit(s));
	set(&control->off_ns, off_limit(s));
}

void session_tail(struct session *s, uint64_t tail_ns)
{
	s->tail_ns = tail_ns;
	set_limits(s);
}

static void shed_stacks(struct session *s, bool off)
{
	if (!s->features.used[FEATURE_STACKS])
		return;
	__atomic_store_n(&s->skel->bss->control.stacks_off, off, __ATOMIC_RELAXED);
	if (off)
		sampling_detach(s);
	else
		sampling_attach(s);
}

/* The program that only finds out who woke a thread goes. Exchanges under way are not split. */
static void shed_splits(struct session *s, bool off)
{
	struct bpf_link **waking = &s->skel->links.on_sched_waking;

	set(&s->skel->bss->control.splits_from_ns, off ? NEVER : monotonic_ns());
	if (off) {
		bpf_link__destroy(*waking);
		*waking = NULL;
	} else if (!*waking && bpf_program__autoload(s->skel->progs.on_sched_waking)) {
		*waking = bpf_program__attach(s->skel->progs.on_sched_waking);
	}
}

void session_shed(struct session *s, uint32_t shed)
{
	uint32_t changed = s->shed ^ shed;

	s->shed = shed;
	if (changed & SHED_BIT(SHED_STACKS))
		shed_stacks(s, shed & SHED_BIT(SHED_STACKS));
	if (changed & SHED_BIT(SHED_SPLITS))
		shed_splits(s, shed & SHED_BIT(SHED_SPLITS));
	set_limits(s);
}
