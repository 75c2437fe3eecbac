/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* meta.c - what was watched, where, when and how: a capture's head and trailer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "capture/data.h"
#include "capture/format.h"
#include "stream/tail.h"

_Static_assert(sizeof(struct shed_info) == 5 * sizeof(uint64_t), "format");

#define TARGETS_MAX (1u << 20)

/* Ids are the file's for ever; 3 was the process whose control group was looked at. */
static const struct field facts_table[] = {
#define F(id, member) NUMBER(id, struct facts, member)
	FLAG(1, struct facts, io_uring), FLAG(2, struct facts, known),
	F(4, out_armed), F(5, out_watched), F(6, herd_waiters), F(7, n_threads), F(8, throttled),
	F(9, throttled_ns), BYTES(10, struct facts, cgroup), NUMBERS(11, struct facts, threads),
	FLAG(12, struct facts, go), NUMBERS(13, struct facts, busiest),
	BYTES(14, struct facts, busiest_comm), F(15, n_listeners),
	NUMBERS(16, struct facts, listeners), F(17, eof_watched), F(18, eof_fd), F(19, eof_pid),
#undef F
};

/* An array of struct shed_info is numbers, five for each step. */
static const struct field budget_table[] = {
	NUMBER(1, struct budget_info, share), NUMBER(2, struct budget_info, own_ns),
	NUMBER(3, struct budget_info, target_ns), FLAG(4, struct budget_info, bpf_known),
	NUMBERS(5, struct budget_info, shed),
};

static const struct field target_table[] = {
	NUMBER_ALWAYS(TARGET_PID, struct target, pid),
	NUMBER_ALWAYS(TARGET_START_TIME, struct target, start_time),
	TEXT(TARGET_COMM, struct target, comm),
	TEXT(TARGET_EXE, struct target, exe),
};

#define R(id, member) NUMBER_ALWAYS(id, struct watch_result, member)

/* Members of struct watch_result at the beginning of the head, */
static const struct field head_table[] = {
	TEXT(META_VERSION, struct watch_result, version),
	TEXT(META_KERNEL, struct watch_result, kernel),
	TEXT(META_HOST, struct watch_result, host),
	R(META_START, start_ns), R(META_OFFSET, realtime_offset_ns), R(META_CPUS, cpus),
};

/* among what only the trailer has, */
static const struct field end_table[] = {
	R(META_EVENTS, events), R(META_BAD_EVENTS, bad_events),
	R(META_LISTEN_OVERFLOWS, listen_overflows), R(META_COLLECTOR, collector_cpu_seconds),
};

/* and those that are written on a condition, or between two that nobody reads. */
static const struct field more_table[] = {
	R(META_END, end_ns), R(META_ATTACHED, attached_ns),
};

#undef R
#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static void put_features(struct bytes *b, const struct feature_set *set)
{
	for (int f = 0; f < FEATURE_COUNT; f++) {
		uint64_t state[] = { set->available[f], set->used[f] };
		size_t begun = item_begin(b, META_FEATURE);

		item_text(b, FEATURE_NAME, feature_table[f].name);
		item_numbers(b, FEATURE_STATE, state, 2);
		item_end(b, begun, true);
	}
}

static void put_targets(struct bytes *b, const struct targets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t begun = item_begin(b, META_TARGET);

		fields_put(b, target_table, COUNT_OF(target_table), &t->list[i]);
		item_end(b, begun, true);
	}
}

static void put_request(struct bytes *b, const struct capture_request *request)
{
	const struct target_spec *target = request->target;

	for (size_t i = 0; i < target->n_ports; i++)
		item_number(b, OPTION_PORTS, target->ports[i]);
	for (size_t i = 0; i < target->n_comms; i++)
		item_text(b, OPTION_COMM, target->comms[i]);
	if (target->cgroup)
		item_text(b, OPTION_CGROUP, target->cgroup);
	item_number(b, OPTION_DURATION, request->duration_ns);
	item_number(b, OPTION_RING_KIB, request->ring_kib);
}

static void put_options(struct bytes *b, const struct watch_result *r,
			const struct capture_request *request)
{
	size_t begun = item_begin(b, META_OPTIONS);

	item_number(b, OPTION_NO_SYSCALLS, r->no_syscalls);
	item_number(b, OPTION_STACK_HZ, r->stack_hz);
	item_number(b, OPTION_STACK_DEPTH, r->stack_depth);
	item_number(b, OPTION_WINDOW, r->window_ns);
	if (request)
		put_request(b, request);
	item_end(b, begun, true);
}

void meta_put(struct bytes *b, const struct watch_result *r, const struct capture_request *request)
{
	static const uint64_t histogram[] = { HIST_SUB_BITS, HIST_EXP_MAX };

	fields_put(b, head_table, COUNT_OF(head_table), r);
	item_numbers(b, META_HISTOGRAM, histogram, 2);
	put_features(b, &r->features);
	put_targets(b, &r->targets);
	put_options(b, r, request);
	if (r->attached_ns && r->attached_ns != r->start_ns)
		item_number(b, META_ATTACHED, r->attached_ns);
}

static void put_loss(struct bytes *b, const struct aggregate *a)
{
	const struct counters *n = &a->counters;
	uint64_t loss[] = {
		aggregate_lost_events(a), n->map_full, a->missed + n->calls_missed, n->unmatched,
		n->clock,
	};

	item_numbers(b, META_LOSS, loss, sizeof(loss) / sizeof(loss[0]));
}

void meta_put_end(struct bytes *b, const struct watch_result *r, const uint64_t kinds[EV_KINDS])
{
	size_t begun;

	item_number(b, META_END, r->end_ns);
	item_number(b, META_OFFSET_END, (uint64_t)realtime_offset_ns());
	fields_put(b, end_table, COUNT_OF(end_table), r);
	if (r->aggregate)
		put_loss(b, r->aggregate);
	item_numbers(b, META_KINDS, kinds, EV_KINDS);
	begun = item_begin(b, META_FACTS);
	fields_put(b, facts_table, COUNT_OF(facts_table), &r->facts);
	item_end(b, begun, true);
	begun = item_begin(b, META_BUDGET);
	fields_put(b, budget_table, COUNT_OF(budget_table), &r->budget);
	item_end(b, begun, r->budget.share > 0);
}

/* By name: features that one of the two programs does not know cost nothing. */
static void get_feature(struct items from, struct feature_set *set)
{
	uint64_t state[2] = { 0 };
	char name[32] = "";
	struct item it;

	while (items_next(&from, &it)) {
		if (it.id == FEATURE_NAME)
			get_text(&it, name, sizeof(name));
		else if (it.id == FEATURE_STATE)
			get_numbers(&it, state, 2);
	}
	for (int f = 0; f < FEATURE_COUNT; f++) {
		if (strcmp(feature_table[f].name, name) != 0)
			continue;
		set->available[f] = state[0] != 0;
		set->used[f] = state[1] != 0;
	}
}

static int get_target(struct items from, struct targets *t)
{
	struct target *new;

	if (t->n >= TARGETS_MAX)
		return -EBADMSG;
	new = array_more(&t->list, t->n, sizeof(*new));
	if (!new)
		return -ENOMEM;
	t->n++;
	*new = (struct target){ 0 };
	fields_get(from, target_table, COUNT_OF(target_table), new);
	return 0;
}

static void get_options(struct items from, struct watch_result *r)
{
	struct item it;

	while (items_next(&from, &it)) {
		uint64_t n = get_number(&it);

		if (it.id == OPTION_NO_SYSCALLS)
			r->no_syscalls = n != 0;
		else if (it.id == OPTION_STACK_HZ && n <= STACK_HZ_MAX)
			r->stack_hz = (uint32_t)n;
		else if (it.id == OPTION_STACK_DEPTH && n && n <= STACK_DEPTH)
			r->stack_depth = (uint32_t)n;
		else if (it.id == OPTION_WINDOW && n >= TAIL_WINDOW_MIN_NS &&
			 n <= TAIL_WINDOW_MAX_NS)
			r->window_ns = n;
	}
}

static int check_histogram(const struct item *it)
{
	uint64_t bits[2] = { 0 };

	get_numbers(it, bits, 2);
	return bits[0] == HIST_SUB_BITS && bits[1] == HIST_EXP_MAX ? 0 : -EPROTO;
}

/* Only into an aggregate that does not know better. */
static void get_loss(const struct item *it, struct watch_result *r)
{
	uint64_t loss[5] = { 0 };

	get_numbers(it, loss, 5);
	r->loss_known = true;
	if (!r->rebuilt || !r->aggregate)
		return;
	r->aggregate->counters.ring_lost = loss[0];
	r->aggregate->counters.map_full = loss[1];
	r->aggregate->missed = loss[2];
	r->aggregate->counters.unmatched = loss[3];
	r->aggregate->counters.clock = loss[4];
}

/* Nothing in it may be believed: not that a name ends. */
static void get_facts(const struct item *it, struct facts *facts)
{
	*facts = (struct facts){ 0 };
	fields_get(items_in(it), facts_table, COUNT_OF(facts_table), facts);
	facts->cgroup[sizeof(facts->cgroup) - 1] = '\0';
	if (facts->n_threads > FACTS_THREADS)
		facts->n_threads = FACTS_THREADS;
	if (facts->n_listeners > FACTS_LISTENERS)
		facts->n_listeners = FACTS_LISTENERS;
}

static void get_budget(const struct item *it, struct budget_info *budget)
{
	*budget = (struct budget_info){ 0 };
	fields_get(items_in(it), budget_table, COUNT_OF(budget_table), budget);
	if (!(budget->share > 0 && budget->share <= 1))
		*budget = (struct budget_info){ 0 };
}

static int get_item(const struct item *it, struct watch_result *r, bool *fresh_targets)
{
	switch (it->id) {
	case META_HISTOGRAM:
		return check_histogram(it);
	case META_FEATURE:
		get_feature(items_in(it), &r->features);
		return 0;
	case META_TARGET:
		if (*fresh_targets)
			r->targets.n = 0;
		*fresh_targets = false;
		return get_target(items_in(it), &r->targets);
	case META_OPTIONS:
		get_options(items_in(it), r);
		return 0;
	case META_FACTS:
		get_facts(it, &r->facts);
		return 0;
	case META_LOSS:
		get_loss(it, r);
		return 0;
	case META_BUDGET:
		get_budget(it, &r->budget);
		return 0;
	default:
		return 0;
	}
}

int meta_get(struct items from, struct watch_result *r)
{
	bool fresh_targets = true;
	struct item it;
	int err = 0, bad = 0;

	fields_get(from, head_table, COUNT_OF(head_table), r);
	fields_get(from, end_table, COUNT_OF(end_table), r);
	fields_get(from, more_table, COUNT_OF(more_table), r);
	while (err != -ENOMEM && items_next(&from, &it)) {
		err = get_item(&it, r, &fresh_targets);
		bad = err ? err : bad;
	}
	return bad ? bad : from.cut ? -EBADMSG : 0;
}

void watch_result_free(struct watch_result *r)
{
	aggregate_free(r->aggregate);
	targets_free(&r->targets);
	*r = (struct watch_result){ 0 };
}
