/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_finding.c - every rule both ways: silent on a healthy server, firing on its own signal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "finding_server.h"

static void test_healthy(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	expect_none(&s);
}

static void test_too_few(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_LOCK, 90);
	s.r.latency.count = 99;
	expect_only(&s, "insufficient-data", SEVERITY_INFO);
}

static void test_too_much_lost(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_LOCK, 90);
	s.r.loss.ring = 100;
	expect_only(&s, "insufficient-data", SEVERITY_INFO);
}

/* Left out to keep to a budget: the tail's exchanges were not recorded, so nobody knows what they were. */
static void test_too_much_shed(void **state)
{
	struct shed_info *shed;
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_LOCK, 90);
	shed = &s.r.budget.shed[SHED_RECORDS];
	*shed = (struct shed_info){ .times = 1, .ns = s.r.window_ns / 10 };
	expect_only(&s, "insufficient-data", SEVERITY_INFO);
	/* Nearly all came in that short time. */
	*shed = (struct shed_info){ .times = 1, .exchanges = s.r.latency.count / 2 };
	expect_only(&s, "insufficient-data", SEVERITY_INFO);
	*shed = (struct shed_info){ .times = 1, .ns = s.r.window_ns / 100,
				    .exchanges = s.r.latency.count / 100 };
	expect_only(&s, "lock-contention", SEVERITY_SEVERE);
	s.r.budget.shed[SHED_WINDOWS] = *shed;
	assert_int_equal(finding_lacks(&s.r, 0.05), 0);
	s.r.budget.shed[SHED_WINDOWS].ns = s.r.window_ns / 10;
	assert_int_equal(finding_lacks(&s.r, 0.05), NEEDS_CALLS);
}

/* Causes of the tail: the share that fires, the one that does not, and a tail too small to matter. */
static void test_causes(void **state)
{
	static const struct {
		enum cause cause;
		const char *code;
		unsigned fires, silent;
	} rows[] = {
		{ CAUSE_STOPPED, "stopped", 60, 15 },
		{ CAUSE_LOCK, "lock-contention", 60, 15 },
		{ CAUSE_BLOCKED, "blocking-call", 60, 15 },
		{ CAUSE_CPU, "cpu-starved", 60, 15 },
		{ CAUSE_HELD, "loop-blocked", 60, 15 },
		{ CAUSE_SERVICE, "slow-service", 60, 35 },
		{ CAUSE_ASYNC, "slow-service", 60, 35 },
		{ CAUSE_UPSTREAM, "slow-upstream", 60, 35 },
		{ CAUSE_WORKER, "worker-wait", 60, 15 },
		{ CAUSE_UNARMED, "unarmed", 60, 15 },
		{ CAUSE_RECEIVE, "slow-request", 60, 35 },
		{ CAUSE_BATCH, "batch-queueing", 60, 15 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int way = 0; way < 3; way++) {
			struct server s;
			struct finding out[FINDINGS_MAX];
			size_t n;

			healthy(&s);
			s.r.runqueue.p99_ns = 5 * MS;
			s.b.hold_max_ns = rows[i].cause == CAUSE_HELD ? 20 * MS : 0;
			s.b.service_max_ns = 20 * MS;
			/* As long as a blocked loop's, it would be one. */
			if (rows[i].cause == CAUSE_SERVICE)
				s.b.hold_max_ns = s.b.service_max_ns = 5 * MS;
			s.r.client = (struct dist){ .count = 100, .p99_ns = 20 * MS,
						    .max_ns = 30 * MS };
			s.r.stages[STAGE_SERVICE].dist.p99_ns = 20 * MS;
			s.r.stages[STAGE_RECEIVE].dist = (struct dist){ .count = 10,
									.p99_ns = 20 * MS };
			s.r.stages[STAGE_DISPATCH].dist.p99_ns = 20 * MS;
			if (way == 2)
				s.r.latency.p99_ns = MS / 2;
			blame(&s, rows[i].cause, way == 1 ? rows[i].silent : rows[i].fires);
			n = ask(&s, out);
			if (way == 0 && (n != 1 || strcmp(out[0].code, rows[i].code)))
				fail_msg("%s: %zu findings, first %s", rows[i].code, n,
					 n ? out[0].code : "none");
			if (way != 0 && n)
				fail_msg("%s: fired way %d", out[0].code, way);
			if (way == 0 && rows[i].cause != CAUSE_RECEIVE)
				assert_int_equal(out[0].severity, SEVERITY_SEVERE);
		}
	}
}

/* Idle with answers due: upstreams are named if theirs take as long, and no harder than the evidence. */
static void test_idle(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_IDLE, 60);	/* 12 ms an exchange */
	expect_only(&s, "idle-wait", SEVERITY_WARNING);
	s.r.client = (struct dist){ .count = 100, .p99_ns = MS, .max_ns = 90 * MS };
	expect_only(&s, "idle-wait", SEVERITY_WARNING);
	s.r.client.p99_ns = 11 * MS;
	expect_only(&s, "slow-upstream", SEVERITY_WARNING);
	healthy(&s);
	blame(&s, CAUSE_IDLE, 35);
	expect_none(&s);
}

static void test_throttled(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_CPU, 60);
	s.r.runqueue.p99_ns = 5 * MS;
	s.facts.throttled = 12;
	s.facts.throttled_ns = 600 * MS;
	strcpy(s.facts.cgroup, "/web");
	expect_only(&s, "cpu-throttled", SEVERITY_SEVERE);
}

/* 1.2 s of the tail's time are waits for a CPU, none of which is long among all waits. */
static void test_starved_tail(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_CPU, 60);
	s.b.count = 1201;
	expect_none(&s);
	s.b.count = 1200;
	expect_only(&s, "cpu-starved", SEVERITY_SEVERE);
	/* One of a few waits is no P99. */
	s.b.count = 1201;
	s.r.runqueue = (struct dist){ .count = 99, .p99_ns = 5 * MS, .max_ns = 5 * MS };
	expect_none(&s);
	s.r.runqueue.count = 100;
	expect_only(&s, "cpu-starved", SEVERITY_SEVERE);
}

static void test_strongest_first(void **state)
{
	struct finding out[FINDINGS_MAX];
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_LOCK, 25);
	blame(&s, CAUSE_BLOCKED, 70);
	assert_int_equal(ask(&s, out), 2);
	assert_string_equal(out[0].code, "blocking-call");
	assert_string_equal(out[1].code, "lock-contention");
}

static void test_accept(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	s.r.connections.accept_wait.p99_ns = 60 * MS;
	expect_only(&s, "accept-starved", SEVERITY_SEVERE);
	healthy(&s);
	s.r.connections.listen_overflows = 1;	/* some listener's, in the namespace */
	expect_none(&s);
	healthy(&s);
	s.listener.backlog_max = 500;
	expect_only(&s, "accept-starved", SEVERITY_SEVERE);
	healthy(&s);
	s.r.counters.accept_no_fd = 1;
	expect_only(&s, "fd-exhaustion", SEVERITY_SEVERE);
}

static void test_herd(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	s.r.counters.accept_empty = 400;
	s.facts.herd_waiters = 4;
	expect_only(&s, "thundering-herd", SEVERITY_WARNING);
	s.facts.herd_waiters = 0;	/* nobody shares a listener */
	expect_none(&s);
	s.facts.epoll_unread = true;	/* or nobody looked */
	expect_only(&s, "thundering-herd", SEVERITY_WARNING);
	s.facts.epoll_unread = false;
	s.facts.herd_waiters = 4;
	s.r.counters.accept_empty = 100;
	expect_none(&s);
}

static void test_imbalance(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	s.loops[0].exchanges = 9900;
	s.loops[0].busy_share = 0.95;
	s.loops[1].exchanges = 100;
	expect_only(&s, "imbalance", SEVERITY_WARNING);
	s.r.window_ns = 5 * S;	/* not for long enough */
	expect_none(&s);
	s.r.window_ns = 20 * S;
	s.loops[0].busy_share = 0.4;	/* it has time to spare */
	expect_none(&s);
}

static void test_ctl(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	/* Of 10,000 exchanges and 20,000 events: both have to have many calls. */
	s.r.counters.ctl[CTL_MOD] = 10000;
	expect_none(&s);
	s.r.counters.ctl[CTL_MOD] = 10001;
	expect_only(&s, "ctl-churn", SEVERITY_WARNING);
	s.r.counters.ctl[CTL_MOD] = 40000;
	expect_only(&s, "ctl-churn", SEVERITY_WARNING);
	/* They take a fifth of a CPU. */
	s.call.name = "epoll_ctl";
	s.call.dist.sum_ns = 4 * S;
	expect_only(&s, "ctl-churn", SEVERITY_SEVERE);
	s.call.dist.sum_ns--;
	expect_only(&s, "ctl-churn", SEVERITY_WARNING);
	/* Those that answer are not those that wait: each request is handed over. */
	s.loops[0].exchanges = s.loops[1].exchanges = 2499;
	expect_only(&s, "ctl-churn", SEVERITY_INFO);
}

static void test_epoll_use(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	s.r.counters.events_spurious = 15000;
	expect_only(&s, "spurious-wakeups", SEVERITY_WARNING);
	s.facts.n_threads = 1;
	s.facts.threads[0] = (struct thread_cpu){ .tid = 10, .run_ns = 10 * S };
	expect_only(&s, "spurious-wakeups", SEVERITY_WARNING);
	s.facts.threads[0].run_ns++;
	expect_only(&s, "spurious-wakeups", SEVERITY_SEVERE);
	/* Without progress it spins, unless it is known why it does not sleep. */
	s.r.counters.events_spurious = 18001;
	expect_only(&s, "poll-spin", SEVERITY_SEVERE);
	s.facts.out_armed = 1;
	expect_only(&s, "spurious-wakeups", SEVERITY_SEVERE);
	s.facts.out_armed = 0;
	s.facts.threads[0].run_ns--;
	expect_only(&s, "spurious-wakeups", SEVERITY_WARNING);
	s.facts.go = true;
	expect_none(&s);
	s.facts.go = false;
	s.loops[0].exchanges = s.loops[1].exchanges = 2499;	/* handed over */
	expect_none(&s);
	/* Sampled: of the events of turns that were looked at whole. */
	healthy(&s);
	s.r.sampled.on = true;
	s.r.counters.events_spurious = 1500;
	s.r.counters.events_windowed = 2000;
	expect_only(&s, "spurious-wakeups", SEVERITY_WARNING);
	s.r.counters.events_windowed = 200000;
	expect_none(&s);
	healthy(&s);
	s.r.counters.undrained = 3;
	s.r.counters.undrained_ns = 600 * MS;
	expect_only(&s, "edge-undrained", SEVERITY_SEVERE);
	healthy(&s);
	s.r.counters.waits_empty = 19900;
	s.facts.n_threads = 1;
	s.facts.threads[0] = (struct thread_cpu){ .tid = 10, .run_ns = 19 * S };
	expect_only(&s, "poll-spin", SEVERITY_SEVERE);
	s.facts.threads[0].run_ns = 2 * S;
	expect_none(&s);
	/* Reads of 0, over and over. */
	healthy(&s);
	s.facts.n_threads = 1;
	s.facts.threads[0] = (struct thread_cpu){ .tid = 10, .run_ns = 19 * S };
	s.r.counters.eof_reads = 18000;
	expect_none(&s);
	s.r.counters.eof_reads++;
	expect_only(&s, "poll-spin", SEVERITY_SEVERE);
	s.facts.threads[0].run_ns = 2 * S + 1;	/* it is short of CPU */
	expect_only(&s, "poll-spin", SEVERITY_SEVERE);
	s.facts.threads[0].run_ns--;
	expect_none(&s);
	healthy(&s);
	s.facts.io_uring = true;
	expect_only(&s, "io-uring-bypass", SEVERITY_INFO);
}

static void test_network(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	s.r.counters.close_wait_old = 7;
	s.r.counters.close_wait_max_ns = 90 * S;
	expect_only(&s, "close-wait-leak", SEVERITY_SEVERE);
	healthy(&s);
	s.r.counters.nagle_delayed = 500;
	s.r.counters.nagle_delayed_ns = 20 * S;
	expect_only(&s, "nagle-delay", SEVERITY_SEVERE);
	s.r.counters.nagle_delayed = 50;
	expect_none(&s);
	healthy(&s);
	s.r.counters.answers_small = 6000;
	s.r.counters.answer_sends = 60000;
	expect_only(&s, "small-writes", SEVERITY_WARNING);
	healthy(&s);
	s.r.send.p99_ns = 80 * MS;
	s.r.counters.send_eagain = 99;
	expect_only(&s, "streamed", SEVERITY_INFO);
	s.r.counters.send_eagain = 100;
	expect_only(&s, "send-blocked", SEVERITY_SEVERE);
	s.r.send.p99_ns = 50 * MS;
	expect_none(&s);
	healthy(&s);
	s.r.counters.cork_delayed = 101;
	s.r.counters.cork_delayed_ns = 20 * S;
	expect_only(&s, "nagle-delay", SEVERITY_SEVERE);
	s.r.counters.cork_delayed = 100;
	expect_none(&s);
	healthy(&s);
	s.r.connections.retransmits = 300;
	expect_only(&s, "retransmits", SEVERITY_SEVERE);
	s.r.connections.retransmits = 50;
	expect_none(&s);
	healthy(&s);
	s.r.counters.window_theirs = 2;
	s.r.counters.window_theirs_ns = 2 * S;
	expect_only(&s, "zero-window", SEVERITY_SEVERE);
}

static void test_thresholds(void **state)
{
	double t[THRESHOLD_COUNT];

	(void)state;
	thresholds_default(t);
	assert_null(threshold_set(t, "turn=5ms"));
	assert_true(t[THRESHOLD_TURN] == 5e6);
	assert_null(threshold_set(t, "cause=30%"));
	assert_true(t[THRESHOLD_CAUSE] > 0.299 && t[THRESHOLD_CAUSE] < 0.301);
	assert_null(threshold_set(t, "ctl=2.5"));
	assert_true(t[THRESHOLD_CTL] == 2.5);
	assert_non_null(threshold_set(t, "turn=5"));
	assert_non_null(threshold_set(t, "turn"));
	assert_non_null(threshold_set(t, "turnip=5ms"));
	assert_non_null(threshold_set(t, "=5ms"));
	assert_non_null(threshold_set(t, "cause=nan"));
	assert_non_null(threshold_set(t, "cause=-1"));
	assert_non_null(threshold_set(t, ""));
}

static bool has(const char *const *codes, size_t n, const char *code)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(codes[i], code))
			return true;
	return false;
}

/* What can't be judged has no code. */
static void test_codes(void **state)
{
	const char *codes[FINDINGS_MAX];
	size_t all = finding_codes(0, codes, FINDINGS_MAX), n;

	(void)state;
	assert_int_equal(all, 29);
	assert_true(has(codes, all, "close-wait-leak") && has(codes, all, "ctl-churn"));
	n = finding_codes(NEEDS_CALLS | NEEDS_END, codes, FINDINGS_MAX);
	assert_int_equal(n, all - 5);
	assert_true(has(codes, n, "blocking-call") && has(codes, n, "poll-spin"));
	assert_false(has(codes, n, "close-wait-leak") || has(codes, n, "ctl-churn"));
	assert_int_equal(finding_codes(0, codes, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),	    cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_too_much_lost), cmocka_unit_test(test_causes),
		cmocka_unit_test(test_idle), cmocka_unit_test(test_throttled),
		cmocka_unit_test(test_starved_tail),
		cmocka_unit_test(test_strongest_first), cmocka_unit_test(test_accept),
		cmocka_unit_test(test_herd),	    cmocka_unit_test(test_imbalance),
		cmocka_unit_test(test_ctl),	    cmocka_unit_test(test_epoll_use),
		cmocka_unit_test(test_network),	    cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_codes),	    cmocka_unit_test(test_too_much_shed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
