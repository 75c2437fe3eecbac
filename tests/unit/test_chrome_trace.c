/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_chrome_trace.c - the events that known records become in a timeline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/render.h"

#define MS 1000000ULL
#define PID 100
#define LOOP 100	/* tids */
#define OTHER 200

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void test_chrome_trace(void **state)
{
	struct ev_turn turn = { .head.time_ns = 9 * MS, .start_ns = 2 * MS + 5, .pid = PID,
				.tid = LOOP, .comm = "s\"v" };
	struct ev_offcpu o = {
		.head.time_ns = 6 * MS, .start_ns = 3 * MS, .blocked_ns = 1 * MS, .pid = PID,
		.tid = LOOP, .comm = "srv",
	}, idle = o;
	struct ev_exchange x = { .head.time_ns = 8 * MS, .latency_ns = 4 * MS, .pid = PID,
				 .tid = LOOP, .conn = 255 };
	struct chrome_trace *t;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	o.kind = OFFCPU_FUTEX;
	o.flags = OFFCPU_WAKER;
	o.waker_pid = PID;
	o.waker_tid = OTHER;
	idle.flags = OFFCPU_IN_WAIT;
	x.stage_ns[STAGE_SERVICE] = 4 * MS;
	t = chrome_trace_new(out, 4);
	assert_non_null(t);
	chrome_trace_turn(t, &turn);
	chrome_trace_offcpu(t, &o);
	chrome_trace_offcpu(t, &idle);
	chrome_trace_exchange(t, &x);
	chrome_trace_exchange(t, &x);
	chrome_trace_turn(t, &turn);
	assert_int_equal(chrome_trace_end(t, 5, 6), 2);
	fclose(out);
	/* A turn and the waking moment; blocked and runnable, which touch, and runnable again. */
	assert_int_equal(count(text, "\"ph\": \"X\""), 1 + 1);
	assert_int_equal(count(text, "\"ph\": \"B\""), 3);
	assert_int_equal(count(text, "\"ph\": \"E\""), 3);
	assert_int_equal(count(text, "\"ph\": \"s\""), 1);
	assert_int_equal(count(text, "\"ph\": \"f\""), 1);
	assert_int_equal(count(text, "\"ph\": \"b\""), 2);
	assert_int_equal(count(text, "\"ph\": \"e\""), 2);
	assert_int_equal(count(text, "\"ph\": \"M\""), 3);
	assert_int_equal(count(text, "\"s\\\"v\""), 2);
	assert_int_equal(count(text, "\"ts\": 2000.005, \"dur\": 6999.995"), 1);
	assert_int_equal(count(text, "\"left_out\": 2"), 1);
	assert_int_equal(chrome_trace_end(NULL, 0, 0), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_chrome_trace) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
