/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_blame.c - every nanosecond of a slow exchange gets one cause, and the right name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/blame.h"

#define MS 1000000ULL
#define LOOP 100	/* tid of the loop */
#define HOLDER 200	/* tid of a thread that holds a lock */

/* An exchange that ends at `end`, with the stages busy, dispatch and service. */
static struct ev_exchange exchange(uint64_t end, uint64_t busy, uint64_t dispatch, uint64_t service)
{
	struct ev_exchange x = { .head = { .kind = EV_EXCHANGE, .time_ns = end }, .conn = 7,
				 .turn = 1, .pid = LOOP, .tid = LOOP, .reader_tid = LOOP };

	x.stage_ns[STAGE_BUSY] = busy;
	x.stage_ns[STAGE_DISPATCH] = dispatch;
	x.stage_ns[STAGE_SERVICE] = service;
	x.latency_ns = busy + dispatch + service;
	x.flags = EXCHANGE_SPLIT_BUSY | EXCHANGE_SPLIT_DISPATCH | EXCHANGE_SPLIT_SERVICE;
	memcpy(x.comm, "loop", 5);
	return x;
}

static struct ev_offcpu interval(uint32_t tid, uint64_t start, uint64_t blocked, uint64_t runnable,
				uint32_t kind)
{
	struct ev_offcpu o = { .head = { .kind = EV_OFFCPU, .time_ns = start + blocked + runnable },
			       .start_ns = start, .blocked_ns = blocked, .pid = LOOP, .tid = tid,
			       .kind = kind, .syscall = 230 };

	return o;
}

static struct ev_turn turn(uint64_t start, uint64_t end, uint64_t long_ns, uint64_t conn)
{
	return (struct ev_turn){ .head = { .kind = EV_TURN, .time_ns = end }, .start_ns = start,
				 .long_ns = long_ns, .long_conn = conn, .pid = LOOP, .tid = LOOP };
}

/* Joins, and checks that the causes sum to the latency. */
static struct blame_sums join(struct history *h, uint64_t tail_ns)
{
	struct blame_sums s;
	uint64_t sum = 0;

	assert_int_equal(blame_join(h, tail_ns, &s), 0);
	for (unsigned i = 0; i < CAUSE_COUNT; i++)
		sum += s.cause_ns[i];
	assert_int_equal(sum, s.latency_ns);
	history_free(h);
	return s;
}

static void test_nothing(void **state)
{
	struct blame_sums s = join(history_new(HISTORY_RECENT), 0);

	(void)state;
	assert_int_equal(s.count, 0);
	assert_int_equal(s.loops.n, 0);
}

static void test_only_the_tail(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange fast = exchange(10 * MS, 0, 0, 1 * MS);
	struct ev_exchange slow = exchange(50 * MS, 0, 0, 20 * MS);
	struct blame_sums s;

	(void)state;
	history_add(h, EV_EXCHANGE, &fast);
	history_add(h, EV_EXCHANGE, &slow);
	s = join(h, 20 * MS);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.cause_ns[CAUSE_SERVICE], 20 * MS);
	assert_int_equal(s.service_p50_ns, 20 * MS);
	assert_int_equal(s.service_max_ns, 20 * MS);
}

/* A neighbour's handler: the turn that we waited for was held by one connection, not ours. */
static void test_loop_held(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 18 * MS, 1 * MS, 1 * MS);
	struct ev_turn t = turn(100 * MS, 128 * MS, 27 * MS, 9);
	struct ev_exchange holder = exchange(128 * MS, 0, 0, 10);
	struct blame_sums s;

	(void)state;
	holder.conn = 9;
	holder.flow.family = 2;
	holder.flow.remote_port = 4242;
	history_add(h, EV_TURN, &t);
	history_add(h, EV_EXCHANGE, &x);
	history_add(h, EV_EXCHANGE, &holder);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_HELD], 18 * MS);
	assert_int_equal(s.cause_ns[CAUSE_SERVICE], 1 * MS);
	assert_int_equal(s.hold_max_ns, 27 * MS);
	assert_int_equal(s.conns.n, 1);
	assert_int_equal(s.conns.row[0].conn, 9);
	assert_int_equal(s.conns.row[0].flow.remote_port, 4242);
}

/* What the loop did behind its last answer is its own work: no connection is blamed for it. */
static void test_own_work(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 18 * MS, 1 * MS, 0);
	struct ev_turn t = turn(100 * MS, 128 * MS, 1 * MS, 9);
	struct blame_sums s;

	(void)state;
	t.own_ns = 27 * MS;
	history_add(h, EV_TURN, &t);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_HELD], 0);
	assert_int_equal(s.cause_ns[CAUSE_OWN] + s.cause_ns[CAUSE_BATCH], 19 * MS);
	assert_in_range(s.cause_ns[CAUSE_OWN], 17 * MS, 19 * MS);
	assert_int_equal(s.own_count, 1);
	assert_int_equal(s.own_max_ns, 27 * MS);
	assert_int_equal(s.hold_count, 0);
	assert_int_equal(s.conns.n, 0);
}

/* More switches than the kernel side remembers: the turn's own totals split the wait behind it. */
static void test_split_by_turn(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 20 * MS, 0, 0);
	struct ev_turn t = turn(90 * MS, 130 * MS, 1 * MS, 9);
	struct blame_sums s;

	(void)state;
	x.flags &= ~(uint32_t)EXCHANGE_SPLIT_BUSY;
	t.own_ns = 39 * MS;
	t.runnable_ns = 10 * MS;
	t.blocked_ns = 4 * MS;
	history_add(h, EV_TURN, &t);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_in_range(s.cause_ns[CAUSE_CPU], 5 * MS - 2000, 5 * MS + 2000);
	assert_in_range(s.cause_ns[CAUSE_BLOCKED], 2 * MS - 2000, 2 * MS + 2000);
	assert_in_range(s.cause_ns[CAUSE_OWN], 13 * MS - 4000, 13 * MS + 4000);
}

/* The same wait behind many short handlers is nobody's fault. */
static void test_batch(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 18 * MS, 1 * MS, 0);
	struct ev_turn t = turn(100 * MS, 128 * MS, 2 * MS, 9);
	struct blame_sums s;

	(void)state;
	history_add(h, EV_TURN, &t);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_HELD], 0);
	assert_int_equal(s.cause_ns[CAUSE_BATCH], 19 * MS);
	assert_int_equal(s.conns.n, 0);
}

static void test_blocking_call(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 0, 0, 22 * MS);
	struct ev_offcpu o = interval(LOOP, 109 * MS, 20 * MS, 1 * MS, OFFCPU_SLEEP);
	struct blame_sums s;

	(void)state;
	x.split[SPLIT_SERVICE] = (struct split){ .blocked_ns = 20 * MS, .runnable_ns = 1 * MS };
	history_add(h, EV_OFFCPU, &o);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_BLOCKED], 20 * MS);
	assert_int_equal(s.cause_ns[CAUSE_CPU], 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_SERVICE], 1 * MS);
	assert_int_equal(s.calls.row[0].kind, OFFCPU_SLEEP);
	assert_int_equal(s.calls.row[0].ns, 20 * MS);
	assert_int_equal(s.calls.row[0].nr, 230);
	assert_int_equal(s.calls.row[0].max_ns, 20 * MS);
}

/* What the kernel summed up and nobody told of stays blocked, without a name. */
static void test_untold(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 0, 0, 22 * MS);
	struct blame_sums s;

	(void)state;
	x.split[SPLIT_SERVICE] = (struct split){ .blocked_ns = 5 * MS };
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_BLOCKED], 5 * MS);
	assert_int_equal(s.calls.n, 0);
}

static void test_no_cpu(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 0, 0, 1 * MS);
	struct ev_offcpu o = interval(LOOP, 90 * MS, 30 * MS, 9 * MS, OFFCPU_IDLE);
	struct blame_sums s;

	(void)state;
	x.stage_ns[STAGE_RUNQUEUE] = 9 * MS;
	x.latency_ns += 9 * MS;
	o.flags = OFFCPU_IN_WAIT;
	o.instead_pid = 33;
	o.instead_tid = 34;
	memcpy(o.instead_comm, "hog", 4);
	o.flags |= OFFCPU_INSTEAD;
	o.instead_us = 8999;	/* all of it, as far as microseconds tell */
	history_add(h, EV_OFFCPU, &o);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_CPU], 9 * MS);
	assert_int_equal(s.cause_ns[CAUSE_BLOCKED], 0);
	assert_int_equal(s.instead.n, 1);
	assert_int_equal(s.instead.row[0].pid, 33);
	assert_int_equal(s.instead.row[0].ns, 9 * MS);
	assert_string_equal(s.instead.row[0].comm, "hog");
}

/* Who ran last has run for a part of the wait: no more of it is said to be its own. */
static void test_ran_last(void **state)
{
	static const struct {
		uint32_t flags, us, pid;
		uint64_t ns;
	} rows[] = {
		{ OFFCPU_INSTEAD, 2000, 33, 2 * MS },
		{ OFFCPU_INSTEAD, 8998, 33, 8998000 },
		{ OFFCPU_INSTEAD, 0, 33, 0 },
		{ OFFCPU_INSTEAD, 9000, 0, 0 },	/* an idle processor */
		{ 0, 9000, 33, 0 },		/* an older capture does not know */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history *h = history_new(HISTORY_RECENT);
		struct ev_exchange x = exchange(130 * MS, 0, 0, 1 * MS);
		struct ev_offcpu o = interval(LOOP, 90 * MS, 30 * MS, 9 * MS, OFFCPU_IDLE);
		struct blame_sums s;

		x.stage_ns[STAGE_RUNQUEUE] = 9 * MS;
		x.latency_ns += 9 * MS;
		o.flags = OFFCPU_IN_WAIT | rows[i].flags;
		o.instead_pid = rows[i].pid;
		o.instead_us = rows[i].us;
		history_add(h, EV_OFFCPU, &o);
		history_add(h, EV_EXCHANGE, &x);
		s = join(h, 1 * MS);
		assert_int_equal(s.cause_ns[CAUSE_CPU], 9 * MS);
		assert_int_equal(s.instead.n ? s.instead.row[0].ns : 0, rows[i].ns);
	}
}

/* A timer ends the wait for a lock, in whatever task it hits: that one has released nothing. */
static void test_timed_out(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 0, 0, 21 * MS);
	struct ev_offcpu wait = interval(LOOP, 109 * MS, 20 * MS, 0, OFFCPU_FUTEX);
	struct ev_turn t = turn(109 * MS - 1000, 131 * MS, 21 * MS, 7);
	struct blame_sums s;

	(void)state;
	x.split[SPLIT_SERVICE].blocked_ns = 20 * MS;
	wait.flags = OFFCPU_WAKER | OFFCPU_INTERRUPT;
	wait.waker_pid = wait.waker_tid = 33;
	history_add(h, EV_TURN, &t);
	history_add(h, EV_OFFCPU, &wait);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_LOCK], 0);
	assert_int_equal(s.cause_ns[CAUSE_BLOCKED], 20 * MS);
	assert_int_equal(s.calls.row[0].kind, OFFCPU_SLEEP);
	assert_int_equal(s.wakers.n, 0);
	assert_int_equal(s.n_chain, 0);
}

/* The loop waits for a lock; its holder slept with it. */
static void test_chain(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(130 * MS, 0, 0, 21 * MS);
	struct ev_offcpu wait = interval(LOOP, 109 * MS, 20 * MS, 0, OFFCPU_FUTEX);
	struct ev_offcpu sleep = interval(HOLDER, 110 * MS, 18 * MS, 0, OFFCPU_SLEEP);
	struct ev_turn t = turn(109 * MS - 1000, 131 * MS, 21 * MS, 7);
	struct blame_sums s;

	(void)state;
	x.split[SPLIT_SERVICE].blocked_ns = 20 * MS;
	wait.flags = OFFCPU_WAKER;
	wait.waker_pid = LOOP;
	wait.waker_tid = HOLDER;
	memcpy(wait.waker_comm, "holder", 7);
	history_add(h, EV_TURN, &t);
	history_add(h, EV_OFFCPU, &sleep);
	history_add(h, EV_OFFCPU, &wait);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_LOCK], 20 * MS);
	assert_int_equal(s.wakers.row[0].tid, HOLDER);
	assert_int_equal(s.n_chain, 1);
	assert_string_equal(s.chain[0].comm, "holder");
	assert_int_equal(s.chain[0].blocked_ns, 18 * MS);
	assert_int_equal(s.chain[0].nr, 230);
}

static void test_stopped(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(330 * MS, 200 * MS, 0, 0);
	struct ev_offcpu o = interval(LOOP, 100 * MS, 220 * MS, 0, OFFCPU_STOPPED);
	struct blame_sums s;

	(void)state;
	x.split[SPLIT_BUSY].blocked_ns = 190 * MS;
	history_add(h, EV_OFFCPU, &o);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_STOPPED], 190 * MS);
}

/* More than it remembers: the last of each kind; more names than a table has: the largest. */
static void test_bounds(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct blame_sums s;

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++) {
		struct ev_exchange x = exchange(i * MS, 0, 0, MS);
		struct ev_offcpu o = interval(LOOP, i * MS - MS, MS / 2, 0, OFFCPU_DISK);

		o.syscall = i % 50;
		x.split[SPLIT_SERVICE].blocked_ns = MS / 2;
		history_add(h, EV_EXCHANGE, &x);
		history_add(h, EV_OFFCPU, &o);
	}
	s = join(h, 0);
	assert_true(s.count < 20000 && s.count > 1000);
	assert_int_equal(s.cause_ns[CAUSE_BLOCKED], s.count * MS / 2);
	assert_int_equal(s.calls.n, BLAME_ROWS);
}

/* The next window has its own exchanges; what may explain them is kept. */
static void test_forget(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange old = exchange(40 * MS, 0, 0, 30 * MS);
	struct ev_exchange late = exchange(130 * MS, 18 * MS, 1 * MS, 1 * MS);
	struct ev_turn before = turn(10 * MS, 40 * MS, 30 * MS, 8);
	struct ev_turn t = turn(100 * MS, 128 * MS, 27 * MS, 9);
	struct blame_sums s;

	(void)state;
	history_add(h, EV_EXCHANGE, &old);
	history_add(h, EV_TURN, &before);
	history_add(h, EV_TURN, &t);
	history_forget(h, 100 * MS);
	history_add(h, EV_EXCHANGE, &late);
	s = join(h, 0);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.cause_ns[CAUSE_HELD], 18 * MS);
	assert_int_equal(s.hold_max_ns, 27 * MS);
}

/* Answered turns later: every part of the thread's time has its cause. */
static void test_async(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(100 * MS, 0, 0, 60 * MS);
	struct ev_turn held = turn(50 * MS, 65 * MS, 12 * MS, 9);
	struct ev_turn own = turn(80 * MS, 101 * MS, 20 * MS, 7);
	struct ev_offcpu fsync = interval(LOOP, 70 * MS, 4 * MS, 0, OFFCPU_DISK);
	struct blame_sums s;

	(void)state;
	x.flags |= EXCHANGE_ASYNC;
	x.split[SPLIT_SERVICE] = (struct split){ .runnable_ns = 3 * MS, .blocked_ns = 5 * MS };
	x.aside = (struct aside){ .others_ns = 15 * MS, .idle_ns = 18 * MS, .upstream_ns = 10 * MS };
	history_add(h, EV_TURN, &held);
	history_add(h, EV_TURN, &own);
	history_add(h, EV_OFFCPU, &fsync);
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_SERVICE], 19 * MS);
	assert_int_equal(s.service_max_ns, 19 * MS);
	assert_int_equal(s.cause_ns[CAUSE_HELD], 12 * MS);
	assert_int_equal(s.conns.row[0].conn, 9);
	assert_int_equal(s.cause_ns[CAUSE_BATCH], 3 * MS);
	assert_int_equal(s.cause_ns[CAUSE_CPU], 3 * MS);
	assert_int_equal(s.cause_ns[CAUSE_BLOCKED], 5 * MS);
	assert_int_equal(s.cause_ns[CAUSE_UPSTREAM], 10 * MS);
	assert_int_equal(s.cause_ns[CAUSE_IDLE], 8 * MS);
}

/* A hostile file's figures are no more than the stage. */
static void test_async_too_much(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(100 * MS, 20 * MS, 0, 60 * MS);
	struct blame_sums s;

	(void)state;
	x.flags |= EXCHANGE_ASYNC | EXCHANGE_UNARMED;
	x.aside = (struct aside){ ~0ULL, ~0ULL - 5, ~0ULL, ~0ULL };
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_UPSTREAM], 60 * MS);
	assert_int_equal(s.cause_ns[CAUSE_UNARMED], 20 * MS);
}

/* Nobody watched the descriptor; what came after that is the loop's. */
static void test_unarmed(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange x = exchange(200 * MS, 90 * MS, 0, 1 * MS);
	struct blame_sums s;

	(void)state;
	x.flags |= EXCHANGE_UNARMED;
	x.aside.unarmed_ns = 80 * MS;
	history_add(h, EV_EXCHANGE, &x);
	s = join(h, 1 * MS);
	assert_int_equal(s.cause_ns[CAUSE_UNARMED], 80 * MS);
	assert_int_equal(s.unarmed_max_ns, 80 * MS);
	assert_int_equal(s.cause_ns[CAUSE_BATCH], 10 * MS);
}

/* Read by a thread without a loop, `wait` after its loop handed it over. */
static struct ev_exchange by_worker(uint64_t end, uint32_t tid, uint64_t wait, uint64_t service)
{
	struct ev_exchange x = exchange(end, 0, wait, service);

	x.turn = 0;
	x.tid = x.reader_tid = tid;
	x.flags = EXCHANGE_SPLIT_SERVICE;
	return x;
}

static struct ev_offcpu for_work(uint32_t tid, uint64_t start, uint64_t end)
{
	struct ev_offcpu o = interval(tid, start, end - start, 0, OFFCPU_FUTEX);

	o.flags = OFFCPU_WAKER;
	o.waker_pid = o.waker_tid = LOOP;
	return o;
}

/* Two workers, one of them free for the first 10 ms that the request waited. */
static void test_workers(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange first = by_worker(20 * MS, 301, 0, 19 * MS);
	struct ev_exchange x = by_worker(100 * MS, 302, 50 * MS, 10 * MS);	/* waits from 40 */
	struct ev_exchange last = by_worker(120 * MS, 301, 0, 15 * MS);
	struct ev_offcpu idle = for_work(301, 20 * MS, 50 * MS);
	struct ev_offcpu sleep = interval(302, 39 * MS, 30 * MS, 0, OFFCPU_SLEEP);
	struct blame_sums s;

	(void)state;
	history_add(h, EV_EXCHANGE, &first);
	history_add(h, EV_EXCHANGE, &x);
	history_add(h, EV_EXCHANGE, &last);
	history_add(h, EV_OFFCPU, &idle);
	history_add(h, EV_OFFCPU, &sleep);
	s = join(h, 60 * MS);
	assert_int_equal(s.workers, 2);
	assert_int_equal(s.cause_ns[CAUSE_WORKER], 40 * MS);
	assert_int_equal(s.cause_ns[CAUSE_ASYNC], 10 * MS);
	assert_int_equal(s.worker_busy_ns, 90 * MS);
	assert_int_equal(s.worker_calls.n, 1);
	assert_int_equal(s.worker_calls.row[0].kind, OFFCPU_SLEEP);
}

/* One of which nothing more is known is not called busy. */
static void test_worker_unknown(void **state)
{
	struct history *h = history_new(HISTORY_RECENT);
	struct ev_exchange first = by_worker(20 * MS, 301, 0, 19 * MS);
	struct ev_exchange x = by_worker(100 * MS, 302, 50 * MS, 10 * MS);
	struct ev_offcpu sleep = interval(302, 39 * MS, 30 * MS, 0, OFFCPU_SLEEP);
	struct blame_sums s;

	(void)state;
	history_add(h, EV_EXCHANGE, &first);
	history_add(h, EV_EXCHANGE, &x);
	history_add(h, EV_OFFCPU, &sleep);
	s = join(h, 60 * MS);
	assert_int_equal(s.cause_ns[CAUSE_WORKER], 0);
	assert_int_equal(s.cause_ns[CAUSE_ASYNC], 50 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),	      cmocka_unit_test(test_only_the_tail),
		cmocka_unit_test(test_loop_held),     cmocka_unit_test(test_batch),
		cmocka_unit_test(test_blocking_call), cmocka_unit_test(test_untold),
		cmocka_unit_test(test_no_cpu),	      cmocka_unit_test(test_chain),
		cmocka_unit_test(test_stopped),	      cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_forget),	      cmocka_unit_test(test_ran_last),
		cmocka_unit_test(test_timed_out),
		cmocka_unit_test(test_own_work),
		cmocka_unit_test(test_split_by_turn),
		cmocka_unit_test(test_forget),	      cmocka_unit_test(test_async),
		cmocka_unit_test(test_async_too_much), cmocka_unit_test(test_unarmed),
		cmocka_unit_test(test_workers),	      cmocka_unit_test(test_worker_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
