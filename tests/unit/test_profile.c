/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_profile.c - records with known stacks make exactly the trees that they say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/profile.h"
#include "explain/stage_map.h"

#define MS 1000000ULL
#define PID 100
#define LOOP 100	/* tids */
#define OTHER 200
#define HZ 100		/* a sample is 10 ms */

enum { KERNEL_SLEEP = 1, KERNEL_IRQ = 2, USER_MAIN = 10, USER_HASH = 11, USER_CUT = 12 };

static void add_stack(struct profile *p, uint32_t pid, int32_t id, const char *const *frames,
		      size_t n)
{
	struct named_stack s = { .key = { .pid = pid, .id = id }, .frames = frames, .n = n };

	profile_stack(p, &s);
}

#define STACK(p, pid, id, ...) do {						\
	const char *const list_[] = { __VA_ARGS__ };				\
	add_stack(p, pid, id, list_, sizeof(list_) / sizeof(list_[0]));		\
} while (0)

static struct profile *new_profile(void)
{
	struct profile *p = profile_new(history_new(HISTORY_WHOLE));

	assert_non_null(p);
	p->hz = HZ;
	return p;
}

static void free_profile(struct profile *p)
{
	history_free(p->history);
	profile_free(p);
}

static struct profile *with_stacks(void)
{
	struct profile *p = new_profile();

	assert_non_null(p);
	STACK(p, 0, KERNEL_SLEEP, "schedule_[k]", "nanosleep_[k]");
	STACK(p, 0, KERNEL_IRQ, "try_to_wake_up_[k]", "asm_sysvec_timer_[k]", "chance_[k]");
	STACK(p, PID, USER_MAIN, "serve", "main", "_start");
	STACK(p, PID, USER_HASH, "hash", "serve", "main", "[libc.so.6]");
	STACK(p, PID, USER_CUT, "read", "[server]");
	return p;
}

static void sample(struct profile *p, uint32_t tid, uint64_t at, int32_t user)
{
	struct ev_sample s = { .head = { .kind = EV_SAMPLE, .time_ns = at }, .pid = PID, .tid = tid,
			       .kernel_stack = -1, .user_stack = user, .comm = "srv" };

	history_add(p->history, EV_SAMPLE, &s);
}

static struct ev_offcpu absence(uint32_t tid, uint64_t start, uint64_t blocked, uint64_t runnable)
{
	struct ev_offcpu o = { .head = { .kind = EV_OFFCPU, .time_ns = start + blocked + runnable },
			       .start_ns = start, .blocked_ns = blocked, .pid = PID, .tid = tid,
			       .kernel_stack = KERNEL_SLEEP, .user_stack = USER_MAIN,
			       .waker_kernel_stack = -1, .waker_user_stack = -1, .comm = "srv" };

	return o;
}

static void blocked(struct profile *p, uint32_t tid, uint64_t start, uint64_t ns, uint64_t runnable)
{
	struct ev_offcpu o = absence(tid, start, ns, runnable);

	history_add(p->history, EV_OFFCPU, &o);
}

/* Begins at `start`; the stages in the order runqueue, busy, dispatch, service. */
static void exchange(struct profile *p, uint64_t start, const uint64_t stage[4], uint32_t flags)
{
	struct ev_exchange x = { .head = { .kind = EV_EXCHANGE }, .pid = PID, .tid = LOOP,
				 .reader_tid = LOOP, .flags = flags };

	x.stage_ns[STAGE_RUNQUEUE] = stage[0];
	x.stage_ns[STAGE_BUSY] = stage[1];
	x.stage_ns[STAGE_DISPATCH] = stage[2];
	x.stage_ns[STAGE_SERVICE] = stage[3];
	x.latency_ns = stage[0] + stage[1] + stage[2] + stage[3];
	x.head.time_ns = start + x.latency_ns;
	if (flags & EXCHANGE_HANDOFF)
		x.tid = OTHER;
	history_add(p->history, EV_EXCHANGE, &x);
}

#define EXCHANGE(p, start, flags, ...) \
	exchange(p, start, (const uint64_t[4]){ __VA_ARGS__ }, flags)

/* The tree as folded text; the caller frees. */
static char *folded(const struct flame_tree *t)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(flame_write_folded(t, out), 0);
	fclose(out);
	return text;
}

static void expect_tree(struct profile *p, enum profile_mode mode, bool by_stage,
			struct profile_tail *tail, uint64_t total, const char *expected)
{
	struct flame_tree *t = flame_new();
	char *text;

	assert_int_equal(profile_tree(p, mode, by_stage, tail, t), 0);
	text = folded(t);
	assert_string_equal(text, expected);
	assert_int_equal(flame_total(t), total);
	free(text);
	flame_free(t);
}

static const struct profile_tail everything = { .to_ns = UINT64_MAX };

static void test_nothing(void **state)
{
	struct profile *p = new_profile();
	struct profile_tail tail = everything;
	struct profile_stats stats;

	(void)state;
	for (unsigned mode = 0; mode < PROFILE_MODES; mode++)
		expect_tree(p, mode, false, &tail, 0, "");
	expect_tree(p, PROFILE_OFFCPU, true, NULL, 0, "");
	profile_get_stats(p, PROFILE_CPU, &stats);
	assert_int_equal(stats.samples + stats.offcpu + stats.dropped + stats.broken, 0);
	free_profile(p);
	profile_free(NULL);
}

static void test_cpu(void **state)
{
	struct profile *p = with_stacks();

	(void)state;
	sample(p, LOOP, 3 * MS, USER_HASH);
	sample(p, LOOP, 1 * MS, USER_MAIN);
	sample(p, OTHER, 2 * MS, USER_HASH);
	sample(p, OTHER, 2 * MS, -1);
	sample(p, OTHER, 2 * MS, 999);
	expect_tree(p, PROFILE_CPU, false, NULL, 50 * MS,
		    "srv;[libc.so.6];main;serve;hash 20000000\n"
		    "srv;[no stack] 20000000\n"
		    "srv;_start;main;serve 10000000\n");
	free_profile(p);
}

static void test_offcpu(void **state)
{
	struct profile *p = with_stacks();
	struct ev_offcpu idle = absence(LOOP, 50 * MS, 30 * MS, 1 * MS);

	(void)state;
	idle.flags = OFFCPU_IN_WAIT;
	history_add(p->history, EV_OFFCPU, &idle);
	blocked(p, LOOP, 10 * MS, 7 * MS, 2 * MS);
	blocked(p, OTHER, 10 * MS, 5, 0);
	blocked(p, LOOP, 20 * MS, 0, 4 * MS);	/* preempted: not blocked */
	expect_tree(p, PROFILE_OFFCPU, false, NULL, 7 * MS + 5,
		    "srv;_start;main;serve;nanosleep_[k];schedule_[k] 7000005\n");
	free_profile(p);
}

/* By whom: a thread with its stack, an interrupt without whom it hit, nobody. */
static void test_wakeup(void **state)
{
	struct profile *p = with_stacks();
	struct ev_offcpu o = absence(LOOP, 10 * MS, 3 * MS, 0);

	(void)state;
	history_add(p->history, EV_OFFCPU, &o);
	o = absence(LOOP, 20 * MS, 4 * MS, 0);
	o.flags = OFFCPU_WAKER;
	memcpy(o.waker_comm, "worker", 7);
	o.waker_pid = PID;
	o.waker_user_stack = USER_HASH;
	history_add(p->history, EV_OFFCPU, &o);
	o.start_ns += 10 * MS;
	o.waker_kernel_stack = KERNEL_IRQ;
	history_add(p->history, EV_OFFCPU, &o);
	expect_tree(p, PROFILE_WAKEUP, false, NULL, 11 * MS,
		    "[interrupt];asm_sysvec_timer_[k];try_to_wake_up_[k];srv 4000000\n"
		    "[waker not seen];srv 3000000\n"
		    "worker;[libc.so.6];main;serve;hash;srv 4000000\n");
	free_profile(p);
}

static void expect_tail(struct profile *p, uint64_t exchanges, uint64_t stage_ns,
			uint64_t explained_ns, const char *expected)
{
	struct profile_tail tail = everything;

	expect_tree(p, PROFILE_TAIL, false, &tail, stage_ns, expected);
	assert_int_equal(tail.exchanges, exchanges);
	assert_int_equal(tail.stage_ns, stage_ns);
	assert_int_equal(tail.explained_ns, explained_ns);
}

/* Off the CPU to the nanosecond, the rest among the samples that fell into the stage. */
static void test_tail(void **state)
{
	struct profile *p = with_stacks();

	(void)state;
	EXCHANGE(p, 100 * MS, 0, 0, 0, 0, 20 * MS + 1);
	blocked(p, LOOP, 95 * MS, 8 * MS, 1 * MS);	/* 3 and 1 ms of it fall into the service */
	blocked(p, LOOP, 119 * MS, 50 * MS, 0);		/* 1 ms and 1 ns */
	blocked(p, OTHER, 105 * MS, 5 * MS, 0);
	sample(p, LOOP, 105 * MS, USER_HASH);
	sample(p, LOOP, 106 * MS, USER_HASH);
	sample(p, LOOP, 107 * MS, USER_MAIN);
	sample(p, LOOP, 99 * MS, USER_MAIN);
	sample(p, OTHER, 107 * MS, USER_MAIN);
	expect_tail(p, 1, 20 * MS + 1, 20 * MS + 1,
		    "service;srv;[libc.so.6];main;serve;hash 10000000\n"
		    "service;srv;_start;main;serve 5000000\n"
		    "service;srv;_start;main;serve;nanosleep_[k];schedule_[k] 4000001\n"
		    "service;srv;_start;main;serve;nanosleep_[k];schedule_[k];[runnable] 1000000\n");
	free_profile(p);
}

/* One sample counts for each exchange that waited while it was taken. */
static void test_tail_shared(void **state)
{
	struct profile *p = with_stacks();

	(void)state;
	EXCHANGE(p, 100 * MS, 0, 0, 0, 0, 10 * MS);
	EXCHANGE(p, 101 * MS, 0, 0, 9 * MS, 1 * MS, 3);
	EXCHANGE(p, 102 * MS, 0, 0, 8 * MS, 1 * MS, 3);
	sample(p, LOOP, 105 * MS, USER_HASH);
	sample(p, LOOP, 101 * MS + 1, USER_MAIN);
	expect_tail(p, 3, 29 * MS + 6, 27 * MS + 6,
		    "busy;srv;[libc.so.6];main;serve;hash 11333334\n"
		    "busy;srv;_start;main;serve 5666666\n"
		    "dispatch;[not sampled] 2000000\n"
		    "service;srv;[libc.so.6];main;serve;hash 5000003\n"
		    "service;srv;_start;main;serve 5000003\n");
	free_profile(p);
}

/* Where no thread answers for the time it is not in the tree; runqueue is what it says. */
static void test_tail_stages(void **state)
{
	struct profile *p = with_stacks();
	struct ev_exchange x = { .head.time_ns = 200 * MS, .latency_ns = 60 * MS, .tid = LOOP,
				 .reader_tid = LOOP, .pid = PID };
	struct profile_tail tail = everything;
	struct ev_offcpu wait = absence(LOOP, 100 * MS, 63 * MS, 7 * MS);

	(void)state;
	x.stage_ns[STAGE_ACCEPT] = 10 * MS;	/* from 140 */
	x.stage_ns[STAGE_RECEIVE] = 12 * MS;
	x.stage_ns[STAGE_WAKEUP] = 1 * MS;
	x.stage_ns[STAGE_RUNQUEUE] = 8 * MS;	/* from 163, a millisecond more than the absence tells */
	x.stage_ns[STAGE_RETURN] = 9 * MS;
	x.stage_ns[STAGE_SERVICE] = 20 * MS;
	history_add(p->history, EV_EXCHANGE, &x);
	wait.flags = OFFCPU_IN_WAIT;
	wait.kernel_stack = wait.user_stack = USER_HASH;	/* an earlier absence's */
	history_add(p->history, EV_OFFCPU, &wait);
	expect_tail(p, 1, 37 * MS, 8 * MS,
		    "return;[not sampled] 9000000\n"
		    "runqueue;[runnable] 1000000\n"
		    "runqueue;srv;[wait for events];[runnable] 7000000\n"
		    "service;[not sampled] 20000000\n");
	expect_tree(p, PROFILE_TAIL, false, &tail, 37 * MS,
		    "return;[not sampled] 9000000\n"
		    "runqueue;[runnable] 1000000\n"
		    "runqueue;srv;[wait for events];[runnable] 7000000\n"
		    "service;[not sampled] 20000000\n");
	assert_int_equal(tail.latency_ns, 60 * MS);
	free_profile(p);
}

static void test_tail_async(void **state)
{
	struct profile *p = with_stacks();

	(void)state;
	EXCHANGE(p, 100 * MS, EXCHANGE_ASYNC, 0, 0, 1 * MS, 20 * MS);
	sample(p, LOOP, 105 * MS, USER_HASH);
	blocked(p, LOOP, 110 * MS, 5 * MS, 0);
	expect_tail(p, 1, 21 * MS, 0,
		    "dispatch;[not sampled] 1000000\nservice;[asynchronous] 20000000\n");
	free_profile(p);
}

/* Where its thread's time is known, it is divided: only its own has code to show. */
static void test_tail_async_split(void **state)
{
	struct ev_exchange x = { .head.time_ns = 120 * MS, .latency_ns = 20 * MS, .tid = LOOP,
				 .reader_tid = LOOP, .pid = PID,
				 .flags = EXCHANGE_ASYNC | EXCHANGE_SPLIT_SERVICE,
				 .aside = { .others_ns = 3 * MS, .idle_ns = 4 * MS } };
	struct profile *p = with_stacks();

	(void)state;
	x.stage_ns[STAGE_SERVICE] = 20 * MS;
	x.split[SPLIT_SERVICE] = (struct split){ .runnable_ns = 1 * MS, .blocked_ns = 5 * MS };
	history_add(p->history, EV_EXCHANGE, &x);
	sample(p, LOOP, 105 * MS, USER_MAIN);	/* for others */
	sample(p, LOOP, 115 * MS, USER_HASH);
	blocked(p, LOOP, 108 * MS, 4 * MS, 0);
	expect_tail(p, 1, 20 * MS, 18 * MS,
		    "service;[asynchronous];[held by others] 3000000\n"
		    "service;[asynchronous];[idle] 4000000\n"
		    "service;[asynchronous];[off the CPU] 2000000\n"
		    "service;[asynchronous];srv;[libc.so.6];main;serve;hash 7000000\n"
		    "service;[asynchronous];srv;_start;main;serve;nanosleep_[k];schedule_[k] 4000000\n");
	free_profile(p);
}

/* The thread that answered, which may have waited for something to do at first. */
static void test_tail_handoff(void **state)
{
	struct profile *p = with_stacks();
	struct ev_offcpu wait = absence(OTHER, 50 * MS, 52 * MS, 1 * MS);

	(void)state;
	EXCHANGE(p, 100 * MS, EXCHANGE_HANDOFF, 0, 0, 0, 20 * MS);
	EXCHANGE(p, 300 * MS, 0, 0, 0, 0, 2 * MS);
	wait.flags = OFFCPU_IN_WAIT;
	history_add(p->history, EV_OFFCPU, &wait);
	blocked(p, OTHER, 110 * MS, 5 * MS, 0);
	blocked(p, LOOP, 110 * MS, 6 * MS, 0);	/* the reader's, by then nobody's business */
	sample(p, OTHER, 105 * MS, USER_HASH);
	sample(p, LOOP, 301 * MS, USER_MAIN);
	expect_tail(p, 2, 22 * MS, 20 * MS,
		    "service;[handed over];srv;[libc.so.6];main;serve;hash 12000000\n"
		    "service;[handed over];srv;[wait for events] 2000000\n"
		    "service;[handed over];srv;[wait for events];[runnable] 1000000\n"
		    "service;[handed over];srv;_start;main;serve;nanosleep_[k];schedule_[k] 5000000\n"
		    "service;srv;_start;main;serve 2000000\n");
	free_profile(p);
}

static void test_tail_set(void **state)
{
	struct profile *p = with_stacks();
	struct profile_tail tail = { .from_ns = 5 * MS, .to_ns = 6 * MS };

	(void)state;
	for (uint64_t ms = 1; ms <= 10; ms++)
		EXCHANGE(p, ms * 100 * MS, 0, 0, 0, 0, ms * MS);
	expect_tree(p, PROFILE_TAIL, false, &tail, 11 * MS, "service;[not sampled] 11000000\n");
	assert_int_equal(tail.exchanges, 2);
	assert_int_equal(tail.latency_ns, 11 * MS);
	free_profile(p);
}

/* Many samples and exchanges that no division likes: nothing is lost, nothing appears. */
static void test_tail_sums(void **state)
{
	struct profile *p = with_stacks();
	struct profile_tail tail = everything;
	struct flame_tree *t = flame_new();
	uint64_t at = 0, sum = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < 2000; i++) {
		uint64_t s[4] = { (uint64_t)rand() % 1000, (uint64_t)rand() % 7777,
				  (uint64_t)rand() % 333, (uint64_t)rand() % 99999 };

		at += (uint64_t)rand() % 20000;
		exchange(p, at, s, i % 7 ? 0 : i % 2 ? EXCHANGE_ASYNC : EXCHANGE_HANDOFF);
		sum += s[0] + s[1] + s[2] + s[3];
		sample(p, i % 3 ? LOOP : OTHER, at + (uint64_t)rand() % 50000, USER_MAIN + i % 3);
	}
	for (uint64_t start = 0; start < at; start += 5000) {
		blocked(p, LOOP, start, (uint64_t)rand() % 2000, (uint64_t)rand() % 2000);
		blocked(p, OTHER, start, (uint64_t)rand() % 2000, (uint64_t)rand() % 2000);
	}
	assert_int_equal(profile_tree(p, PROFILE_TAIL, false, &tail, t), 0);
	assert_int_equal(tail.stage_ns, sum);
	assert_int_equal(flame_total(t), sum);
	assert_true(tail.explained_ns <= sum);
	flame_free(t);
	free_profile(p);
}

/* Service before busy, busy before what nobody waits for; cut where the stages meet. */
static void test_by_stage(void **state)
{
	struct profile *p = with_stacks();

	(void)state;
	EXCHANGE(p, 100 * MS, 0, 0, 0, 0, 10 * MS);
	EXCHANGE(p, 101 * MS, 0, 0, 9 * MS, 1 * MS, 5 * MS);
	EXCHANGE(p, 90 * MS, EXCHANGE_ASYNC, 0, 0, 0, 100 * MS);
	EXCHANGE(p, 112 * MS, 0, 0, 2 * MS, 0, 0);
	EXCHANGE(p, 108 * MS, 0, 0, 3 * MS, 0, 0);
	blocked(p, LOOP, 80 * MS, 120 * MS, 0);
	blocked(p, OTHER, 100 * MS, 1 * MS, 0);
	sample(p, LOOP, 110 * MS, USER_MAIN);
	sample(p, LOOP, 110 * MS - 1, USER_MAIN);
	sample(p, LOOP, 190 * MS, USER_MAIN);
	expect_tree(p, PROFILE_OFFCPU, true, NULL, 121 * MS,
		    "asynchronous;srv;_start;main;serve;nanosleep_[k];schedule_[k] 84000000\n"
		    "dispatch;srv;_start;main;serve;nanosleep_[k];schedule_[k] 1000000\n"
		    "other;srv;_start;main;serve;nanosleep_[k];schedule_[k] 21000000\n"
		    "service;srv;_start;main;serve;nanosleep_[k];schedule_[k] 15000000\n");
	expect_tree(p, PROFILE_CPU, true, NULL, 30 * MS,
		    "dispatch;srv;_start;main;serve 10000000\n"
		    "other;srv;_start;main;serve 10000000\n"
		    "service;srv;_start;main;serve 10000000\n");
	expect_tree(p, PROFILE_WAKEUP, true, NULL, 121 * MS,
		    "asynchronous;[waker not seen];srv 84000000\n"
		    "dispatch;[waker not seen];srv 1000000\n"
		    "other;[waker not seen];srv 21000000\n"
		    "service;[waker not seen];srv 15000000\n");
	free_profile(p);
}

/* Against a count of every nanosecond. */
static void test_stage_map_sums(void **state)
{
	enum { N = 60, SPAN = 3000 };
	struct ev_exchange x[N];
	uint64_t slow[STAGE_WORDS] = { 0 }, fast[STAGE_WORDS] = { 0 }, sum = 0;
	struct stage_map *m;

	(void)state;
	srand(7);
	memset(x, 0, sizeof(x));
	for (int i = 0; i < N; i++) {
		x[i].tid = x[i].reader_tid = LOOP;
		x[i].flags = i % 5 ? 0 : EXCHANGE_ASYNC;
		for (unsigned s = STAGE_RUNQUEUE; s < STAGE_COUNT; s++)
			x[i].latency_ns += x[i].stage_ns[s] = (uint64_t)rand() % 20;
		x[i].head.time_ns = 100 + (uint64_t)rand() % SPAN;
	}
	m = stage_map_new(x, N);
	assert_non_null(m);
	for (uint64_t at = 0; at < SPAN; at++)
		stage_map_split(m, LOOP, at, at + 1, slow);
	stage_map_split(m, LOOP, 0, SPAN, fast);
	for (unsigned w = 0; w < STAGE_WORDS; w++) {
		assert_int_equal(slow[w], fast[w]);
		sum += fast[w];
	}
	assert_int_equal(sum, SPAN);
	memset(fast, 0, sizeof(fast));
	stage_map_split(m, OTHER, 5, 10, fast);
	stage_map_split(m, LOOP, 10, 5, fast);
	assert_int_equal(fast[STAGE_WORD_OTHER], 5);
	stage_map_free(m);
}

static void test_dropped(void **state)
{
	struct profile *p = new_profile();
	struct profile_stats stats;

	(void)state;
	for (unsigned i = 0; i < HISTORY_WHOLE + 3; i++)
		sample(p, LOOP, i, -1);
	profile_get_stats(p, PROFILE_CPU, &stats);
	assert_int_equal(stats.samples, HISTORY_WHOLE);
	assert_int_equal(stats.dropped, 3);
	assert_int_equal(stats.unnamed, HISTORY_WHOLE);
	free_profile(p);
}

static void test_broken(void **state)
{
	struct profile *p = with_stacks();
	const char *const frames[] = { "work", "serve" };
	/* Its beginning was not kept: nothing can be said of it. */
	struct named_stack cut = { .key = { .pid = PID, .id = 25 }, .frames = frames, .n = 2, .cut = true };
	struct profile_stats stats;

	(void)state;
	STACK(p, PID, 20, "[libc.so.6]");
	STACK(p, PID, 21, "runtime.futex", "runtime.mcall");
	STACK(p, PID, 22, "work", "std::thread", "start_thread", "clone3");
	STACK(p, PID, 23, "main");
	STACK(p, PID, 24, "main", "a", "b", "c", "d");
	profile_stack(p, &cut);
	for (int32_t id = 20; id <= 25; id++)
		sample(p, LOOP, (uint64_t)id, id);
	sample(p, LOOP, 30, USER_MAIN);
	sample(p, LOOP, 31, USER_HASH);
	sample(p, LOOP, 32, USER_CUT);
	profile_get_stats(p, PROFILE_CPU, &stats);
	assert_int_equal(stats.user_stacks, 9);
	assert_int_equal(stats.broken, 3);	/* 20, 24, USER_CUT */
	assert_int_equal(stats.cut, 1);
	assert_int_equal(stats.user_frames, 13 + 3 + 4 + 2 + 2);
	assert_int_equal(stats.unknown, 3);
	free_profile(p);
}

/* --- the innermost function of the application that holds half of a tree --- */

static const char *const slow[] = { "service", "web", "main", "handle", "slow_hash", "read_[k]" };
static const char *const fast[] = { "busy", "web", "main", "handle", "parse" };
static const char *const none[] = { "busy", "web", "[no stack]" };

static void test_hot_code(void **state)
{
	struct flame_tree *t = flame_new();
	char name[64];

	(void)state;
	flame_add(t, slow, 6, 60);
	flame_add(t, fast, 5, 40);
	assert_int_equal(hot_code(t, name, sizeof(name)), 9);
	assert_string_equal(name, "slow_hash");
	assert_int_equal(hot_code(t, name, 5), 4);
	assert_string_equal(name, "slow");
	flame_free(t);
}

static void test_no_hot_code(void **state)
{
	struct flame_tree *t = flame_new();
	char name[64] = "";

	(void)state;
	assert_int_equal(hot_code(t, name, sizeof(name)), 0);
	flame_add(t, none, 3, 60);
	flame_add(t, slow, 6, 40);
	assert_int_equal(hot_code(t, name, sizeof(name)), 0);
	flame_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_offcpu),
		cmocka_unit_test(test_wakeup),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_tail_shared),
		cmocka_unit_test(test_tail_stages),
		cmocka_unit_test(test_tail_async), cmocka_unit_test(test_tail_async_split),
		cmocka_unit_test(test_tail_handoff),
		cmocka_unit_test(test_tail_set),
		cmocka_unit_test(test_tail_sums),
		cmocka_unit_test(test_by_stage),
		cmocka_unit_test(test_stage_map_sums),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_hot_code),
		cmocka_unit_test(test_no_hot_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
