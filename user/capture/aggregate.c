/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* aggregate.c - struct aggregate as items: only what is not 0. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "capture/data.h"
#include "capture/format.h"

#define ITEMS_MAX 65536	/* loops, wakers, ...: more than any map holds */
#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* Ids are the file's for ever: a new member gets the next one. test_capture_data misses none. */
static const struct field counters_table[] = {
#define C(id, member) NUMBERS(id, struct counters, member)
	C(1, clamped), C(2, async), C(3, handoff), C(4, merged), C(5, no_wait), C(6, split),
	C(7, split_ns), C(8, opened), C(9, closed), C(10, preexisting), C(11, unknown),
	C(12, retransmits), C(13, resets), C(14, state), C(15, closed_reason), C(16, wakeups),
	C(17, preemptions), C(18, offcpu), C(19, offcpu_ns), C(20, syscall_errors),
	C(21, syscall_eagain), C(22, ring_lost), C(23, ring_sent), C(24, map_full),
	C(25, unmatched), C(26, clock), C(27, switches_missed), C(28, calls_missed),
	C(29, stacks_lost), C(30, accepts_left), C(31, accepts_taken), C(32, accept_empty),
	C(33, accept_no_fd), C(34, ctl), C(35, events_spurious), C(36, waits_empty),
	C(37, undrained), C(38, undrained_ns), C(39, answers), C(40, answer_sends),
	C(41, answers_small), C(42, nagle_held), C(43, nagle_delayed), C(44, nagle_delayed_ns),
	C(45, send_eagain), C(46, window_theirs), C(47, window_theirs_ns), C(48, window_ours),
	C(49, window_ours_ns), C(50, segments_out), C(51, close_wait_old),
	C(52, close_wait_unaccepted), C(53, close_wait_max_ns), C(54, wakes_vain), C(55, events_windowed),
	C(56, calls_begun), C(57, calls_open), C(58, kind_conns), C(59, kind_in), C(60, kind_out),
	C(61, kind_late), C(62, kind_rejudged), C(63, kind_doubtful),
	C(64, eof_reads), C(65, cork_delayed), C(66, cork_delayed_ns), C(67, answers_streamed),
	C(68, aside), C(69, unarmed), C(70, estimated),
#undef C
};

static const struct field totals_table[] = {
#define T(id, member) NUMBER(id, struct aggregate, member)
	T(1, loops_handed_out), T(2, drained), T(3, missed), T(4, cost_ns), T(5, cost_runs),
	T(6, cost_exchanges), T(7, sampled.watched_ns), T(8, sampled.window_ns),
	T(9, sampled.windows), T(10, sampled.us_squared),
#undef T
	NUMBERS(11, struct aggregate, sampled.begun),
	NUMBERS(12, struct aggregate, sampled.begun_squared),
	NUMBERS(13, struct aggregate, sampled.begun_us),
};

static const struct field loop_table[] = {
#define L(id, member) NUMBER(id, struct loop, member)
	L(1, pid), L(2, tid), BYTES(3, struct loop, comm), L(4, turns), L(5, events),
	L(6, wakeups), L(7, exchanges), L(8, accepts),
	/* Ids 9 and 10 are taken: older captures hold counts there that nobody reads. */
	L(11, busy_ns), L(12, wait_ns), HISTOGRAM(13, struct loop, turn),
	HISTOGRAM(14, struct loop, wait),
#undef L
};

static const struct field eventpoll_table[] = {
#define E(id, member) NUMBER(id, struct eventpoll_info, member)
	E(1, id), E(2, pid), E(3, returns), E(4, events), E(5, wait_ns), E(6, shared),
#undef E
};

static const struct field waker_table[] = {
	NUMBER(1, struct aggregate_waker, pid),
	NUMBER(2, struct aggregate_waker, waker.count),
	BYTES(3, struct aggregate_waker, waker.comm),
};

static const struct field listener_table[] = {
#define L(id, member) NUMBER(id, struct aggregate_listener, member)
	L(1, key.netns), L(2, key.port), L(3, listener.backlog), L(4, listener.backlog_max),
	L(5, listener.limit), L(6, listener.queued), L(7, listener.accepted),
#undef L
};

static const struct field ledger_table[] = {
#define S(i) HISTOGRAM(LEDGER_STAGE + (i), struct ledger_set, stage[i])
	HISTOGRAM(LEDGER_LATENCY, struct ledger_set, latency),
	HISTOGRAM(LEDGER_SEND, struct ledger_set, send),
	HISTOGRAM(LEDGER_DELIVER, struct ledger_set, deliver),
	S(0), S(1), S(2), S(3), S(4), S(5), S(6), S(7),
#undef S
};

_Static_assert(STAGE_COUNT == 8, "each has a row");

/* Lists of struct aggregate: an item for each element. */
static const struct list {
	uint16_t id;
	uint16_t n_fields;
	const struct field *table;
	size_t list, count, size;	/* places in struct aggregate; of an element */
} lists[] = {
#define LIST(id, table, what)							\
	{ id, COUNT_OF(table), table, offsetof(struct aggregate, what),		\
	  offsetof(struct aggregate, n_##what), sizeof(*((struct aggregate *)0)->what) }
	LIST(AGGREGATE_LOOP, loop_table, loops),
	LIST(AGGREGATE_EVENTPOLL, eventpoll_table, eventpolls),
	LIST(AGGREGATE_WAKER, waker_table, wakers),
	LIST(AGGREGATE_LISTENER, listener_table, listeners),
#undef LIST
};

/* The file's names of the histograms: system calls are named by their place in syscalls.h. */
#define FILE_SYSCALL 256

static uint64_t hist_name(unsigned id)
{
	static const uint16_t names[H_SYSCALL] = {
		[H_SEND_LATE] = 1, [H_DELIVER_LATE] = 2, [H_CLIENT] = 3, [H_RUNQUEUE] = 4,
		[H_ACCEPT_WAIT] = 5, [H_OVERLAPPING] = 6,
	};

	return id < H_SYSCALL ? names[id] : FILE_SYSCALL + id - H_SYSCALL;
}

static void put_table(struct bytes *b, uint16_t id, const struct field *table, size_t n,
		      const void *from)
{
	size_t begun = item_begin(b, id);

	fields_put(b, table, n, from);
	item_end(b, begun, true);
}

static void put_stage_ns(struct bytes *b, const struct ledger_set *l)
{
	size_t begun = item_begin(b, LEDGER_STAGE_NS);

	for (uint64_t i = 0; i < HIST_BUCKETS; i++) {
		bool any = false;

		for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
			any |= l->stage_ns[i][stage] != 0;
		if (!any)
			continue;
		bytes_put(b, &i, sizeof(i));
		bytes_put(b, l->stage_ns[i], sizeof(l->stage_ns[i]));
	}
	item_end(b, begun, true);
}

static void put_ledger(struct bytes *b, const struct ledger_set *l)
{
	size_t begun = item_begin(b, AGGREGATE_LEDGER);

	fields_put(b, ledger_table, COUNT_OF(ledger_table), l);
	put_stage_ns(b, l);
	item_end(b, begun, true);
}

static void put_hist(struct bytes *b, unsigned id, const struct hist *h)
{
	size_t begun = item_begin(b, AGGREGATE_HIST), empty;

	item_number(b, HIST_ID, hist_name(id));
	empty = b->len;
	item_hist(b, HIST_DATA, h);
	item_end(b, begun, b->len > empty);
}

void aggregate_put(struct bytes *b, const struct aggregate *a)
{
	put_table(b, AGGREGATE_TOTALS, totals_table, COUNT_OF(totals_table), a);
	put_table(b, AGGREGATE_COUNTERS, counters_table, COUNT_OF(counters_table), &a->counters);
	put_ledger(b, &a->ledger);
	for (unsigned id = 0; id < H_MAX; id++)
		put_hist(b, id, &a->hists[id]);
	for (const struct list *l = lists; l < lists + COUNT_OF(lists); l++) {
		const char *from = *(char *const *)((const char *)a + l->list);
		size_t n = *(const size_t *)((const char *)a + l->count);

		for (size_t i = 0; i < n; i++)
			put_table(b, l->id, l->table, l->n_fields, from + i * l->size);
	}
}

static bool get_stage_ns(const struct item *it, struct ledger_set *l)
{
	uint64_t row[1 + STAGE_COUNT];

	if (it->len % sizeof(row))
		return false;
	for (size_t at = 0; at < it->len; at += sizeof(row)) {
		memcpy(row, it->data + at, sizeof(row));
		if (row[0] >= HIST_BUCKETS)
			return false;
		memcpy(l->stage_ns[row[0]], row + 1, sizeof(l->stage_ns[0]));
	}
	return true;
}

static bool get_ledger(struct items from, struct ledger_set *l)
{
	bool good = fields_get(from, ledger_table, COUNT_OF(ledger_table), l);
	struct item it;

	while (good && items_next(&from, &it))
		if (it.id == LEDGER_STAGE_NS)
			good = get_stage_ns(&it, l);
	return good;
}

static bool get_named_hist(struct items from, struct aggregate *a)
{
	uint64_t name = 0;
	struct item it;

	while (items_next(&from, &it)) {
		if (it.id == HIST_ID)
			name = get_number(&it);
		for (unsigned id = 0; it.id == HIST_DATA && id < H_MAX; id++)
			if (hist_name(id) == name && !get_hist(&it, &a->hists[id]))
				return false;
	}
	return !from.cut;
}

/* One more at the end of a list. */
static int get_one(struct items from, const struct list *l, struct aggregate *a)
{
	size_t *count = (size_t *)((char *)a + l->count);
	void *new;

	if (*count >= ITEMS_MAX)
		return -EBADMSG;
	new = array_more((char *)a + l->list, *count, l->size);
	if (!new)
		return -ENOMEM;
	memset(new, 0, l->size);
	if (!fields_get(from, l->table, l->n_fields, new))
		return -EBADMSG;
	++*count;
	return 0;
}

static int get_item(const struct item *it, struct aggregate *a)
{
	struct items in = items_in(it);
	bool good = true;

	if (it->id == AGGREGATE_TOTALS)
		good = fields_get(in, totals_table, COUNT_OF(totals_table), a);
	else if (it->id == AGGREGATE_COUNTERS)
		good = fields_get(in, counters_table, COUNT_OF(counters_table), &a->counters);
	else if (it->id == AGGREGATE_LEDGER)
		good = get_ledger(in, &a->ledger);
	else if (it->id == AGGREGATE_HIST)
		good = get_named_hist(in, a);
	for (const struct list *l = lists; l < lists + COUNT_OF(lists); l++)
		if (l->id == it->id)
			return get_one(in, l, a);
	return good ? 0 : -EBADMSG;
}

int aggregate_get(struct items from, struct aggregate *a)
{
	struct item it;
	int err = 0;

	while (!err && items_next(&from, &it))
		err = get_item(&it, a);
	return err ? err : from.cut ? -EBADMSG : 0;
}
