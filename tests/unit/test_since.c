/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_since.c - the difference of two readings: what grew, and what is as it is now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/aggregate.h"

#define US 1000ULL

static void put(struct hist *h, uint64_t ns, unsigned times)
{
	h->bucket[hist_bucket(ns)] += times;
	h->sum += ns * times;
	if (ns > h->max)
		h->max = ns;
}

static struct aggregate *fresh(void)
{
	struct aggregate *a = aggregate_new();

	assert_non_null(a);
	a->loops = calloc(4, sizeof(*a->loops));
	a->eventpolls = calloc(4, sizeof(*a->eventpolls));
	a->listeners = calloc(4, sizeof(*a->listeners));
	assert_non_null(a->loops);
	assert_non_null(a->eventpolls);
	assert_non_null(a->listeners);
	return a;
}

static struct aggregate *since(const struct aggregate *now, const struct aggregate *then)
{
	struct aggregate *d = aggregate_new();

	assert_non_null(d);
	assert_int_equal(aggregate_since(d, now, then), 0);
	return d;
}

static void free_three(struct aggregate *a, struct aggregate *b, struct aggregate *c)
{
	aggregate_free(a);
	aggregate_free(b);
	aggregate_free(c);
}

/* The slowest of before is no maximum of the window. */
static void test_histograms(void **state)
{
	struct aggregate *then = fresh(), *now = fresh(), *d;

	(void)state;
	put(&then->ledger.latency, 900 * US, 5);
	put(&then->ledger.latency, 10 * US, 5);
	now->ledger = then->ledger;
	put(&now->ledger.latency, 20 * US, 7);
	put(&now->hists[H_RUNQUEUE], 3 * US, 2);
	now->ledger.stage_ns[3][STAGE_BUSY] = 44;
	d = since(now, then);
	assert_int_equal(d->ledger.latency.sum, 140 * US);
	assert_int_equal(d->ledger.latency.bucket[hist_bucket(20 * US)], 7);
	assert_int_equal(d->ledger.latency.bucket[hist_bucket(900 * US)], 0);
	assert_int_equal(d->ledger.latency.max, hist_bucket_upper(hist_bucket(20 * US)));
	assert_int_equal(d->hists[H_RUNQUEUE].max, 3 * US);
	assert_int_equal(d->ledger.stage_ns[3][STAGE_BUSY], 44);
	aggregate_free(d);
	put(&now->ledger.latency, 901 * US, 1);
	d = since(now, then);
	assert_int_equal(d->ledger.latency.max, 901 * US);
	aggregate_free(d);
	/* Nothing new: as if nothing had ever been. */
	d = since(now, now);
	assert_int_equal(d->ledger.latency.max, 0);
	assert_int_equal(d->ledger.latency.sum, 0);
	free_three(then, now, d);
}

static void test_counters(void **state)
{
	struct aggregate *then = fresh(), *now = fresh(), *d;

	(void)state;
	then->counters.opened = 10;
	then->counters.state[1] = 4;
	then->counters.close_wait_max_ns = 7;
	then->drained = 50;
	now->counters.opened = 13;
	now->counters.state[1] = 2;
	now->counters.close_wait_max_ns = 9;
	now->drained = 58;
	now->loops_handed_out = 6;
	d = since(now, then);
	assert_int_equal(d->counters.opened, 3);
	assert_int_equal(d->counters.state[1], 2);
	assert_int_equal(d->counters.close_wait_max_ns, 9);
	assert_int_equal(d->drained, 8);
	assert_int_equal(d->loops_handed_out, 6);
	free_three(then, now, d);
}

static void add_loop(struct aggregate *a, uint32_t tid, uint64_t turns)
{
	struct loop *l = &a->loops[a->n_loops++];

	*l = (struct loop){ .pid = 10, .tid = tid, .turns = turns, .busy_ns = turns * 2,
			    .wait_ns = turns * 3 };
	put(&l->turn, 2 * US, (unsigned)turns);
}

/* By thread, wherever they stand; one that fell is another thread with the same number. */
static void test_loops(void **state)
{
	struct aggregate *then = fresh(), *now = fresh(), *d;

	(void)state;
	add_loop(then, 11, 100);
	add_loop(then, 12, 50);
	add_loop(then, 13, 70);
	add_loop(now, 12, 50);
	add_loop(now, 11, 130);
	add_loop(now, 14, 5);
	add_loop(now, 13, 20);
	d = since(now, then);
	assert_int_equal(d->n_loops, 4);
	assert_int_equal(d->loops[0].turns, 0);
	assert_int_equal(d->loops[1].turns, 30);
	assert_int_equal(d->loops[1].busy_ns, 60);
	assert_int_equal(d->loops[1].wait_ns, 90);
	assert_int_equal(d->loops[1].turn.bucket[hist_bucket(2 * US)], 30);
	assert_int_equal(d->loops[2].turns, 5);
	assert_int_equal(d->loops[3].turns, 20);
	free_three(then, now, d);
}

static void add_listener(struct aggregate *a, uint16_t port, uint32_t backlog, uint32_t max,
			 uint64_t accepted)
{
	a->listeners[a->n_listeners++] = (struct aggregate_listener){
		.key.port = port,
		.listener = { .backlog = backlog, .backlog_max = max, .limit = 511,
			      .queued = accepted, .accepted = accepted },
	};
}

static void test_listeners(void **state)
{
	struct aggregate *then = fresh(), *now = fresh(), *d;

	(void)state;
	add_listener(then, 80, 2, 500, 10);
	add_listener(then, 81, 0, 5, 0);
	add_listener(now, 81, 1, 9, 3);
	add_listener(now, 80, 1, 500, 15);
	add_listener(now, 82, 4, 6, 7);
	d = since(now, then);
	assert_int_equal(d->n_listeners, 3);
	assert_int_equal(d->listeners[0].listener.backlog_max, 9);
	assert_int_equal(d->listeners[0].listener.accepted, 3);
	/* It was full once: not in this window, as far as anybody saw. */
	assert_int_equal(d->listeners[1].listener.backlog_max, 2);
	assert_int_equal(d->listeners[1].listener.backlog, 1);
	assert_int_equal(d->listeners[1].listener.queued, 5);
	assert_int_equal(d->listeners[2].listener.backlog_max, 6);
	free_three(then, now, d);
}

static void test_eventpolls(void **state)
{
	struct aggregate *then = fresh(), *now = fresh(), *d;

	(void)state;
	then->eventpolls[then->n_eventpolls++] =
		(struct eventpoll_info){ .id = 1, .pid = 10, .returns = 5, .shared = 1 };
	then->eventpolls[then->n_eventpolls++] =
		(struct eventpoll_info){ .id = 2, .pid = 10, .returns = 5 };
	now->eventpolls[now->n_eventpolls++] = then->eventpolls[0];
	now->eventpolls[now->n_eventpolls++] =
		(struct eventpoll_info){ .id = 2, .pid = 10, .returns = 8, .events = 4 };
	d = since(now, then);
	/* One that nobody waits on any more says nothing of how events are shared now. */
	assert_int_equal(d->n_eventpolls, 1);
	assert_int_equal(d->eventpolls[0].id, 2);
	assert_int_equal(d->eventpolls[0].returns, 3);
	assert_int_equal(d->eventpolls[0].events, 4);
	free_three(then, now, d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histograms), cmocka_unit_test(test_counters),
		cmocka_unit_test(test_loops),	   cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_eventpolls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
