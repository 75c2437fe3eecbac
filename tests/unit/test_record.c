/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_record.c - exchanges out of records of stamps, and the names that come before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/aggregate.h"
#include "stream/known.h"
#include "stream/record.h"
#include "bpf/stages.h"

static struct ev_record sample(void)
{
	return (struct ev_record){
		.head = { .size = RECORD_SHORT, .kind = EV_RECORD, .cpu = 1, .time_ns = 2000 },
		.conn = 7, .first_ns = 1000, .arrival_ns = 1100, .wake_ns = 1110, .oncpu_ns = 1150,
		.return_ns = 1160, .read_ns = 1200, .number = 3, .turn = 4, .pid = 5, .tid = 6,
		.reader_tid = 6, .bytes_in = 9,
		.flags = EXCHANGE_ASLEEP | EXCHANGE_SPLIT_SERVICE | RECORD_SLOW,
		.prev_sends = 2, .prev_send_ns = 30, .prev_deliver_ns = 40, .prev_bytes_out = 50,
	};
}

static uint64_t sum_of(const struct ev_exchange *x)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STAGE_COUNT; i++)
		sum += x->stage_ns[i];
	return sum;
}

static void test_asleep(void **state)
{
	static const uint64_t stages[STAGE_COUNT] = { 0, 100, 10, 40, 0, 10, 40, 800 };
	struct ev_record r = sample();
	struct ev_exchange x;

	(void)state;
	record_exchange(&r, &x);
	assert_int_equal(x.head.kind, EV_EXCHANGE);
	assert_int_equal(x.head.size, sizeof(x));
	assert_int_equal(x.latency_ns, 1000);
	assert_memory_equal(x.stage_ns, stages, sizeof(stages));
	assert_int_equal(x.flags, EXCHANGE_ASLEEP | EXCHANGE_SPLIT_SERVICE);
	assert_int_equal(x.number, 3);
	assert_int_equal(x.split[SPLIT_SERVICE].blocked_ns, 0);
}

static void test_busy_and_none(void **state)
{
	struct ev_record r = sample();
	struct ev_exchange x;

	(void)state;
	r.flags = 0;
	record_exchange(&r, &x);
	assert_int_equal(x.stage_ns[STAGE_BUSY], 60);
	assert_int_equal(x.stage_ns[STAGE_DISPATCH], 40);
	r.flags = EXCHANGE_NO_WAIT;
	record_exchange(&r, &x);
	assert_int_equal(x.stage_ns[STAGE_BUSY], 0);
	assert_int_equal(x.stage_ns[STAGE_DISPATCH], 100);
}

static void test_long(void **state)
{
	struct ev_record r = sample();
	struct ev_exchange x;

	(void)state;
	r.head.size = sizeof(r);
	r.accepted_ns = 1050;
	r.split[SPLIT_SERVICE] = (struct split){ 11, 22 };
	r.aside = (struct aside){ 1, 2, 3, 4 };
	r.flags |= EXCHANGE_ASYNC | EXCHANGE_UNARMED;
	record_exchange(&r, &x);
	assert_int_equal(x.stage_ns[STAGE_ACCEPT], 50);
	assert_int_equal(x.stage_ns[STAGE_RECEIVE], 50);
	assert_int_equal(x.split[SPLIT_SERVICE].runnable_ns, 11);
	assert_int_equal(x.split[SPLIT_SERVICE].blocked_ns, 22);
	assert_int_equal(x.aside.others_ns, 1);
	assert_int_equal(x.aside.unarmed_ns, 4);
	assert_true(x.flags & EXCHANGE_UNARMED);
	/* What follows the short part belongs to nobody. */
	r.head.size = RECORD_SHORT;
	record_exchange(&r, &x);
	assert_int_equal(x.stage_ns[STAGE_ACCEPT], 0);
	assert_int_equal(x.split[SPLIT_SERVICE].blocked_ns, 0);
	assert_int_equal(x.aside.idle_ns, 0);
}

/* The mark of a stamp that is estimated goes with the exchange, and is counted. */
static void test_estimated(void **state)
{
	struct ev_record r = sample();
	struct aggregate *a = calloc(1, sizeof(*a));
	struct ev_exchange x;

	(void)state;
	assert_non_null(a);
	record_exchange(&r, &x);
	aggregate_add_exchange(a, &x);
	assert_int_equal(a->counters.estimated, 0);
	r.flags |= EXCHANGE_ESTIMATED;
	record_exchange(&r, &x);
	assert_int_equal(x.flags, EXCHANGE_ASLEEP | EXCHANGE_SPLIT_SERVICE | EXCHANGE_ESTIMATED);
	aggregate_add_exchange(a, &x);
	assert_int_equal(a->counters.estimated, 1);
	assert_int_equal(a->ledger.latency.sum, 2000);
	free(a);
}

/* Whatever the stamps are, the stages sum to the latency, and none is longer than it. */
static void test_any_stamps(void **state)
{
	(void)state;
	srand(1);
	for (unsigned n = 0; n < 200000; n++) {
		struct ev_record r = sample();
		__u64 *stamps[] = {
			&r.first_ns, &r.arrival_ns, &r.wake_ns, &r.oncpu_ns, &r.return_ns,
			&r.read_ns, &r.head.time_ns, &r.accepted_ns,
		};
		struct ev_exchange x;

		r.head.size = sizeof(r);
		r.flags = (uint32_t)rand();
		for (unsigned i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++)
			*stamps[i] = n % 2 ? (uint64_t)rand() % 50 : (uint64_t)rand() << 33 ^ (uint64_t)rand();
		record_exchange(&r, &x);
		assert_int_equal(sum_of(&x), x.latency_ns);
		for (unsigned i = 0; i < STAGE_COUNT; i++)
			assert_true(x.stage_ns[i] <= x.latency_ns);
		assert_true(x.latency_ns <= r.head.time_ns);
	}
}

static void test_previous_answer(void **state)
{
	struct ev_record r = sample();
	struct ev_answer a;

	(void)state;
	assert_true(record_answer(&r, &a));
	assert_int_equal(a.number, 2);
	assert_int_equal(a.send_ns, 30);
	assert_int_equal(a.deliver_ns, 40);
	assert_int_equal(a.bytes_out, 50);
	assert_int_equal(a.flags, ANSWER_DELIVERED);
	r.prev_deliver_ns = ~0ULL;
	assert_true(record_answer(&r, &a));
	assert_int_equal(a.flags, 0);
	assert_int_equal(a.deliver_ns, 0);
	r.prev_sends = 0;
	assert_false(record_answer(&r, &a));
}

static void test_added_up(void **state)
{
	struct aggregate *a = aggregate_new(), *b = aggregate_new();
	struct ev_record r = sample();
	struct ev_exchange x;

	(void)state;
	/* Who was woken at once was asleep all the same. */
	r.arrival_ns = r.wake_ns = r.oncpu_ns = r.return_ns = r.read_ns;
	record_exchange(&r, &x);
	aggregate_add_exchange(a, &x);
	assert_int_equal(a->ledger.stage[STAGE_WAKEUP].bucket[0], 1);
	assert_int_equal(a->ledger.stage[STAGE_BUSY].bucket[0], 0);
	x.flags |= EXCHANGE_UNARMED;
	x.aside = (struct aside){ .others_ns = 5, .idle_ns = 6, .unarmed_ns = 7 };
	x.latency_ns = 0;
	aggregate_add_exchange(a, &x);
	assert_int_equal(a->counters.unarmed, 1);
	assert_int_equal(a->counters.split_ns[SPLIT_BUSY], 7);
	assert_int_equal(a->counters.aside.others_ns, 5);
	aggregate_add_sends(a, 4, 400, 3 * SMALL_GAP_NS - 1);
	aggregate_merge(b, a);
	aggregate_merge(b, a);
	assert_int_equal(b->ledger.latency.sum, 2000);
	assert_int_equal(b->ledger.latency.max, 1000);
	assert_int_equal(b->counters.answers_small, 2);
	assert_int_equal(b->counters.answers_streamed, 0);
	aggregate_add_sends(a, 2, 100, 1ULL << 40);
	aggregate_add_sends(a, 4, 400, 3 * SMALL_GAP_NS);
	assert_int_equal(a->counters.answers_small, 1);
	assert_int_equal(a->counters.answers_streamed, 1);
	aggregate_free(a);
	aggregate_free(b);
}

/* Live, records are added up as they are; from a capture by the exchanges and answers made of them. */
static void test_added_alike(void **state)
{
	static const unsigned waits[] = { 0, EXCHANGE_ASLEEP, EXCHANGE_MERGED, EXCHANGE_NO_WAIT };
	struct aggregate *by_record = aggregate_new(), *by_exchange = aggregate_new();
	struct ev_exchange x;
	struct ev_answer answer;

	(void)state;
	srand(7);
	for (unsigned i = 0; i < 10000; i++) {
		struct ev_record r = sample();
		bool is_long = i % 3 == 0;

		r.head.size = is_long ? sizeof(r) : RECORD_SHORT;
		r.head.time_ns = 1000 + (unsigned)rand() % 3000;
		r.arrival_ns = 1000 + (unsigned)rand() % 500;
		r.wake_ns = r.arrival_ns + (unsigned)rand() % 100;
		r.oncpu_ns = r.wake_ns + 1 + (unsigned)rand() % 100;
		r.return_ns = r.oncpu_ns + (unsigned)rand() % 100;
		r.read_ns = r.return_ns + (unsigned)rand() % 100;
		r.accepted_ns = is_long ? (unsigned)rand() % 2000 : ~0ULL;
		r.flags = (unsigned)rand() & (RECORD_SLOW - 1) & ~(waits[1] | waits[2] | waits[3]);
		r.flags |= waits[rand() % 4];
		r.prev_sends = (unsigned)rand() % 5;
		r.prev_deliver_ns = rand() & 1 ? ~0ULL : (unsigned)rand() % 1000;
		for (unsigned s = 0; s < SPLIT_COUNT; s++)
			r.split[s] = (struct split){ (unsigned)rand() % 50, (unsigned)rand() % 50 };
		aggregate_add_record(by_record, &r);
		record_exchange(&r, &x);
		aggregate_add_exchange(by_exchange, &x);
		if (!record_answer(&r, &answer))
			continue;
		aggregate_add_answer(by_exchange, &answer);
		aggregate_add_sends(by_exchange, r.prev_sends, r.prev_bytes_out, r.prev_send_ns);
	}
	assert_memory_equal(&by_record->ledger, &by_exchange->ledger, sizeof(by_record->ledger));
	assert_memory_equal(&by_record->counters, &by_exchange->counters,
			    sizeof(by_record->counters));
	assert_int_equal(hist_count(&by_record->ledger.latency), 10000);
	aggregate_free(by_record);
	aggregate_free(by_exchange);
}

static struct ev_exchange named(const struct known *k, uint64_t conn, uint32_t tid)
{
	struct ev_exchange x = { .conn = conn, .tid = tid };

	known_name(k, &x);
	return x;
}

static void test_names(void **state)
{
	struct ev_thread t = { .tid = 6, .comm = "worker" };
	struct known *k = known_new();

	(void)state;
	assert_non_null(k);
	for (uint64_t id = 1; id <= 1000; id++)
		known_conn(k, &(struct ev_conn){ .conn = id, .flow = { .remote_port = (__u16)id } });
	known_thread(k, &t);
	assert_int_equal(named(k, 1000, 6).flow.remote_port, 1000);
	assert_string_equal(named(k, 1000, 6).comm, "worker");
	assert_int_equal(named(k, 1001, 7).flow.remote_port, 0);
	assert_int_equal(named(k, 1001, 7).comm[0], 0);
	/* Another thread has the id by now. */
	memcpy(t.comm, "other", 6);
	known_thread(k, &t);
	assert_string_equal(named(k, 1, 6).comm, "other");
	known_free(k);
	known_free(NULL);
}

/* A closed one keeps its address until its records have come; its place is used again. */
static void test_names_of_closed(void **state)
{
	struct known *k = known_new();

	(void)state;
	for (uint64_t id = 1; id <= 100000; id++) {
		known_conn(k, &(struct ev_conn){ .conn = id, .flow = { .remote_port = 9 } });
		known_close(k, id);
		assert_int_equal(named(k, id, 0).flow.remote_port, 9);
		if (id % 10 == 0) {
			known_settle(k);
			assert_int_equal(named(k, id, 0).flow.remote_port, 0);
		}
	}
	known_close(k, 5);
	known_settle(k);
	known_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asleep),
		cmocka_unit_test(test_busy_and_none),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_estimated),
		cmocka_unit_test(test_any_stamps),
		cmocka_unit_test(test_previous_answer),
		cmocka_unit_test(test_added_up),
		cmocka_unit_test(test_added_alike),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_of_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
