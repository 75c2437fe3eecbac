/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_claims.c - what a finding says it can bear: who ran, who released, what it slept in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "finding_server.h"

#define FUTEX futex_number()

static uint32_t futex_number(void)
{
	uint32_t nr = 0;

	while (!syscall_is_futex(nr))
		nr++;
	return nr;
}

/* The only call that the tail's blocked time was spent in. */
static void slept_in(struct server *s, uint32_t nr, uint32_t kind)
{
	s->b.calls.row[0] = (struct blame_row){ .nr = nr, .kind = kind, .ns = s->b.latency_ns / 2,
						.count = 50, .max_ns = 20 * MS };
	s->b.calls.n = 1;
}

static void test_page_fault(void **state)
{
	struct finding f;
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_BLOCKED, 60);
	slept_in(&s, SYSCALL_NONE, OFFCPU_OTHER);
	f = first_finding(&s, "blocking-call");
	expect_words(&f, "page faults, no system call");
	expect_words(&f, "mlock");
	expect_no_words(&f, "disk");
	expect_no_words(&f, "asynchronous form");
	expect_no_words(&f, "4294967295");
	s.b.calls.row[0].kind = OFFCPU_DISK;
	f = first_finding(&s, "blocking-call");
	expect_words(&f, "came from a disk");
	/* The last number that a call may have is a call. */
	s.b.calls.row[0].nr = SYSCALL_NONE - 1;
	f = first_finding(&s, "blocking-call");
	expect_no_words(&f, "page fault");
}

static void test_timed_wait(void **state)
{
	struct finding f;
	struct server s;

	(void)state;
	healthy(&s);
	blame(&s, CAUSE_BLOCKED, 60);
	slept_in(&s, FUTEX, OFFCPU_SLEEP);
	s.facts.n_threads = 1;
	s.facts.threads[0] = (struct thread_cpu){ .tid = 77, .run_ns = s.r.window_ns / 5 };
	s.facts.busiest[0] = 77;
	memcpy(s.facts.busiest_comm, "worker", 7);
	f = first_finding(&s, "blocking-call");
	expect_words(&f, "timed waits that expired");
	expect_words(&f, "worker (tid 77)");
	expect_no_words(&f, "released by");
	s.facts.threads[0].run_ns--;
	f = first_finding(&s, "blocking-call");
	expect_no_words(&f, "worker");
	/* A sleep is a sleep. */
	s.b.calls.row[0].nr = FUTEX + 1;
	f = first_finding(&s, "blocking-call");
	expect_no_words(&f, "timed");
}

/* Of 2 s of the tail 1.2 s went to waiting for a CPU. */
static void starved(struct server *s, uint64_t own_ms, uint64_t other_ms)
{
	healthy(s);
	blame(s, CAUSE_CPU, 60);
	s->r.runqueue.p99_ns = 5 * MS;
	s->b.instead.row[0] = (struct blame_row){ .pid = 99, .tid = 99, .ns = other_ms * MS,
						  .comm = "hog" };
	s->b.instead.row[1] = (struct blame_row){ .pid = 10, .tid = 12, .ns = own_ms * MS,
						  .comm = "server" };
	s->b.instead.n = 2;
}

static void test_instead(void **state)
{
	struct finding f;
	struct server s;

	(void)state;
	starved(&s, 0, 1200);
	f = first_finding(&s, "cpu-starved");
	assert_int_equal(f.severity, SEVERITY_SEVERE);
	expect_words(&f, "hog (pid 99) ran instead, for at least 100 %");
	/* Little is known, and most of that is of the server itself. */
	starved(&s, 90, 10);
	f = first_finding(&s, "cpu-starved");
	assert_int_equal(f.severity, SEVERITY_INFO);
	expect_no_words(&f, "hog");
	/* A fifth of what is known has a name; less has none. */
	starved(&s, 400, 100);
	f = first_finding(&s, "cpu-starved");
	assert_int_equal(f.severity, SEVERITY_INFO);
	starved(&s, 0, 100);
	for (unsigned i = 2; i < 6; i++)
		s.b.instead.row[i] = (struct blame_row){ .pid = 100 + i, .ns = 100 * MS };
	s.b.instead.n = 6;
	f = first_finding(&s, "cpu-starved");
	expect_words(&f, "hog (pid 99) ran instead, for at least 8.3 %");
	s.b.instead.row[0].ns--;
	f = first_finding(&s, "cpu-starved");
	expect_no_words(&f, "ran instead");
	/* Nothing is known. */
	starved(&s, 0, 0);
	s.b.instead.n = 0;
	f = first_finding(&s, "cpu-starved");
	assert_int_equal(f.severity, SEVERITY_SEVERE);
	expect_no_words(&f, "ran instead");
}

/* The target listens on port 80; others share its namespace, or its port. */
static void listening(struct server *s)
{
	healthy(s);
	s->facts.listeners[0] = (struct listener_fact){ .inode = 1, .port = 80, .own = 1, .pid = 10,
							.limit = 511 };
	s->facts.listeners[1] = (struct listener_fact){ .inode = 2, .port = 81, .limit = 10 };
	s->facts.listeners[2] = (struct listener_fact){ .inode = 3, .port = 80, .pid = 99,
							.comm = "old", .limit = 511 };
	s->facts.n_listeners = 3;
	s->listener.accepted = 140;
}

static void test_overflows(void **state)
{
	struct finding f;
	struct server s;

	(void)state;
	listening(&s);
	s.r.connections.listen_overflows = 50;
	s.facts.listeners[1].drops = 50;	/* of another port */
	s.facts.listeners[2].drops = 1;		/* of another process */
	expect_none(&s);
	s.facts.listeners[0].drops = 3;
	f = first_finding(&s, "accept-starved");
	expect_words(&f, "; 3 were dropped because it was full");
	/* What was dropped for another reason is no overflow. */
	s.r.connections.listen_overflows = 2;
	f = first_finding(&s, "accept-starved");
	expect_words(&f, "; 2 were dropped");
	s.r.connections.listen_overflows = 0;
	expect_none(&s);
	/* Whose the listeners are is not known: those of our ports. */
	listening(&s);
	s.facts.epoll_unread = true;
	s.r.connections.listen_overflows = 50;
	s.facts.listeners[1].drops = 50;
	expect_none(&s);
	s.facts.listeners[2].drops = 1;
	expect_only(&s, "accept-starved", SEVERITY_SEVERE);
}

static void test_deaf_listener(void **state)
{
	struct listener_fact *old;
	struct finding f;
	struct server s;

	(void)state;
	listening(&s);
	old = &s.facts.listeners[2];
	old->queue = 120;
	old->oldest_ns = S;
	old->unmoved = 1;
	f = first_finding(&s, "accept-starved");
	assert_int_equal(f.severity, SEVERITY_SEVERE);
	expect_words(&f, "second listening socket of port 80");
	expect_words(&f, "120 connections are queued, the first for 1.00 s, and none was accepted");
	expect_words(&f, "140 were accepted at the other");
	expect_words(&f, "open in old (pid 99)");
	old->oldest_ns--;
	expect_none(&s);
	old->oldest_ns++;
	old->queue = 0;
	expect_none(&s);
	/* Somebody accepts, slowly: the first in the queue changes and waits no longer than others. */
	old->queue = 120;
	old->unmoved = 0;
	s.r.connections.accept_wait.max_ns = S / 10;
	expect_none(&s);
	s.r.connections.accept_wait.max_ns--;
	f = first_finding(&s, "accept-starved");
	expect_no_words(&f, "none was accepted");
	/* Another port is not the target's. */
	old->port = 81;
	expect_none(&s);
	/* The only one of the port. */
	listening(&s);
	s.facts.listeners[2].port = 82;
	old = &s.facts.listeners[0];
	old->queue = 1;
	old->oldest_ns = 5 * S;
	old->unmoved = 1;
	f = first_finding(&s, "accept-starved");
	expect_words(&f, "Nobody accepts at port 80");
	expect_no_words(&f, "SO_REUSEPORT");
}

/* EPOLLOUT and back, where an answer goes on in a later turn: of 10,000 exchanges and 20,000 events. */
static void test_yields(void **state)
{
	struct server s;

	(void)state;
	healthy(&s);
	s.r.counters.ctl[CTL_MOD_OUT] = 15000;
	s.r.counters.ctl[CTL_MOD] = 15000;
	expect_only(&s, "ctl-churn", SEVERITY_WARNING);
	s.r.counters.answer_sends += 10000;
	expect_none(&s);
	s.r.counters.answer_sends -= 1;
	expect_only(&s, "ctl-churn", SEVERITY_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_fault),
		cmocka_unit_test(test_timed_wait),
		cmocka_unit_test(test_instead),
		cmocka_unit_test(test_overflows),
		cmocka_unit_test(test_deaf_listener),
		cmocka_unit_test(test_yields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
