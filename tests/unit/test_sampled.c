/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_sampled.c - system calls seen in windows: the estimate for the whole time, and its error. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/aggregate.h"

#define MS 1000000ULL

/* The same calls in each of so many windows of 10 ms, of 100 ms each. */
static void steady(struct sampled_calls *s, unsigned windows, unsigned call, uint64_t calls)
{
	uint64_t begun[SC_COUNT] = { 0 };

	begun[call] = calls;
	for (unsigned i = 0; i < windows; i++)
		sampled_add(s, begun, 10 * MS);
	s->watched_ns += windows * 100 * MS;
}

static void test_share(void **state)
{
	struct sampled_calls s = { 0 };

	(void)state;
	assert_true(sampled_share(&s) == 1);
	assert_false(call_is_sampled(&s, SC_READ));
	steady(&s, 10, SC_READ, 7);
	assert_true(fabs(sampled_share(&s) - 0.1) < 1e-9);
	assert_true(call_is_sampled(&s, SC_READ));
	assert_true(call_is_sampled(&s, SC_SPLICE) && call_is_sampled(&s, SC_EPOLL_CTL));
	assert_false(call_is_sampled(&s, SC_EPOLL_PWAIT2) || call_is_sampled(&s, SC_ACCEPT4) ||
		     call_is_sampled(&s, SC_PSELECT6));
}

static void test_error(void **state)
{
	struct sampled_calls s = { 0 };
	uint64_t begun[SC_COUNT] = { 0 };

	(void)state;
	steady(&s, 1, SC_READ, 7);
	assert_true(isnan(sampled_error(&s, SC_READ)));		/* one window tells nothing */
	steady(&s, 99, SC_READ, 7);
	assert_true(sampled_error(&s, SC_READ) < 1e-6);
	assert_true(isnan(sampled_error(&s, SC_WRITE)));	/* nor do windows without the call */

	/* 0 and 20 by turns: a deviation of 10 in 100 windows with 10 each. */
	s = (struct sampled_calls){ .watched_ns = 10000 * MS };
	for (unsigned i = 0; i < 100; i++) {
		begun[SC_READ] = i % 2 * 20;
		begun[SC_WRITE] = 10;
		sampled_add(&s, begun, 10 * MS);
	}
	assert_true(fabs(sampled_error(&s, SC_READ) - sqrt(0.9 * 100 / 99. / 100)) < 1e-9);
	assert_true(fabs(sampled_error(&s, CALLS_TOGETHER) - sampled_error(&s, SC_READ) / 2) < 1e-9);
}

/* Windows of any length scatter nothing if the rate is the same in each. */
static void test_lengths(void **state)
{
	struct sampled_calls s = { .watched_ns = 10000 * MS };
	uint64_t begun[SC_COUNT] = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 20; i++) {
		begun[SC_READ] = 3 * i;
		sampled_add(&s, begun, i * MS);
	}
	assert_true(sampled_error(&s, SC_READ) < 1e-6);
}

static struct syscall_info *row(struct report *r, const char *name)
{
	for (size_t i = 0; i < r->n_syscalls; i++)
		if (!strcmp(r->syscalls[i].name, name))
			return &r->syscalls[i];
	fail();
	return NULL;
}

static void put(struct hist *h, uint64_t ns, unsigned times)
{
	h->bucket[hist_bucket(ns)] += times;
	h->sum += ns * times;
	h->max = ns > h->max ? ns : h->max;
}

static void test_report(void **state)
{
	struct aggregate *a = aggregate_new();
	struct report r = { 0 };

	(void)state;
	assert_non_null(a);
	steady(&a->sampled, 10, SC_READ, 5);
	put(&a->hists[H_SYSCALL + SC_READ], 1000, 49);
	put(&a->hists[H_SYSCALL + SC_READ], 200 * MS, 1);
	put(&a->hists[H_SYSCALL + SC_EPOLL_WAIT], 1000, 30);
	a->counters.syscall_eagain[SC_READ] = 3;
	a->counters.syscall_eagain[SC_EPOLL_WAIT] = 2;
	a->counters.ctl[CTL_MOD] = 4;
	a->counters.calls_open[1] = ~0ULL;
	a->counters.calls_open[8] = 2;
	assert_int_equal(aggregate_report(a, &r), 0);
	assert_int_equal(row(&r, "read")->dist.count, 500);
	assert_int_equal(row(&r, "read")->dist.sum_ns, 10 * (49 * 1000 + 200 * MS));
	assert_int_equal(row(&r, "read")->dist.max_ns, 200 * MS);
	assert_int_equal(row(&r, "read")->eagain, 30);
	assert_true(fabs(row(&r, "read")->sampled - 0.1) < 1e-9);
	assert_true(row(&r, "read")->error_known);
	assert_int_equal(row(&r, "epoll_wait")->dist.count, 30);
	assert_int_equal(row(&r, "epoll_wait")->eagain, 2);
	assert_int_equal(row(&r, "epoll_wait")->windows, 0);
	assert_int_equal(r.counters.ctl[CTL_MOD], 40);
	assert_int_equal(r.sampled.unfinished, 1);
	report_free(&r);
	aggregate_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
