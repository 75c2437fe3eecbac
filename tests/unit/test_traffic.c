/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_traffic.c - which kind a connection is, by what passes over it; protocols by their first bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "bpf/hist.h"
#include "bpf/events.h"
#include "bpf/protocol.h"
#include "bpf/traffic.h"

#define MS 1000000ULL

/* A connection as the kernel side keeps it, and what became of its answers. */
struct wire {
	struct traffic t;
	uint32_t turn;
	uint64_t now, first, read, sent;
	bool due;
	unsigned counted, doubtful, other;
};

static void wire_read(struct wire *w, uint64_t after_ms, uint32_t bytes)
{
	w->now += after_ms * MS;
	w->turn++;
	if (w->due)
		traffic_late_read(&w->t, bytes, w->now - w->read);
	else
		w->first = w->now;
	w->due = true;
	w->read = w->now;
}

static void wire_send(struct wire *w, uint64_t after_ms, bool same_turn)
{
	enum traffic_verdict verdict;

	w->now += after_ms * MS;
	w->turn += !same_turn;
	if (!w->due) {
		if (!same_turn)
			traffic_unasked(&w->t, w->turn, w->now - w->sent, w->now - w->read, 1);
	} else {
		verdict = TRAFFIC_COUNTS;
		if (!traffic_plain(&w->t, same_turn))
			verdict = traffic_answer(&w->t, same_turn, w->turn, w->now - w->sent,
						 w->now - w->first, w->now - w->read);
		w->counted += verdict == TRAFFIC_COUNTS;
		w->doubtful += verdict == TRAFFIC_DOUBTFUL;
		w->other += verdict == TRAFFIC_OTHER;
	}
	w->due = false;
	w->sent = w->now;
}

static void test_answers_at_once(void **state)
{
	struct wire w = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		wire_read(&w, i, 50);
		wire_send(&w, 3, true);
		wire_send(&w, 0, true);	/* its second half */
	}
	assert_int_equal(w.counted, 100);
	assert_int_equal(w.t.word, KIND_REQUEST);	/* the way that costs a comparison */
}

/* Handlers that answer turns later are in doubt at first, and never judged otherwise. */
static void test_answers_later(void **state)
{
	struct wire w = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		wire_read(&w, 1 + i % 7, 50);
		wire_send(&w, 1 + i % 50, false);
	}
	assert_int_equal(w.other, 0);
	assert_int_equal(w.doubtful, SEEN_ENOUGH - 1);
	assert_int_equal(w.counted, 100 - w.doubtful);
	assert_true(traffic_plain(&w.t, 0));
}

/* A head and its body, sent apart. */
static void test_requests_in_pieces(void **state)
{
	struct wire w = { 0 };

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		wire_read(&w, 5, 200);
		wire_read(&w, 40, 300);
		wire_send(&w, i % 3, i % 2);
	}
	for (unsigned i = 0; i < 20; i++) {
		wire_read(&w, 5, 200);
		for (unsigned part = 0; part < 30; part++)
			wire_read(&w, 1, 65536);
		wire_send(&w, 1, false);
	}
	assert_int_equal(w.other, 0);
	assert_int_equal(traffic_kind(&w.t), KIND_REQUEST);
}

/* 100 parts, 20 ms apart: on a connection that is asked again, answered at once or after a while. */
static void test_streams(void **state)
{
	static const struct {
		uint64_t first_ms, gap_ms;
		bool same_turn;
	} cases[] = { { 0, 20, true }, { 1, 20, false }, { 500, 100, false }, { 3, 1, false } };

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct wire w = { 0 };

		for (unsigned i = 0; i < 20; i++) {
			wire_read(&w, 30, 200);
			wire_send(&w, cases[k].first_ms, cases[k].same_turn);
			for (unsigned part = 0; part < 99 && cases[k].gap_ms < 100; part++)
				wire_send(&w, cases[k].gap_ms, false);
			for (unsigned part = 0; part < 20 && cases[k].gap_ms >= 100; part++)
				wire_send(&w, cases[k].gap_ms, false);
		}
		assert_int_equal(w.other, 0);
		assert_int_equal(w.counted + w.doubtful, 20);
		assert_int_equal(traffic_kind(&w.t), KIND_REQUEST);
	}
}

/* The body comes apart from its head, and the answer is streamed. */
static void test_streams_after_pieces(void **state)
{
	struct wire w = { 0 };

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		wire_read(&w, 30, 200);
		wire_read(&w, 2, 200);
		wire_send(&w, 5, false);
		for (unsigned part = 0; part < 20; part++)
			wire_send(&w, 20, false);
	}
	assert_int_equal(w.other, 0);
	assert_int_equal(traffic_kind(&w.t), KIND_REQUEST);
}

/* However long: HTTP/1 says that it is an answer. */
static void test_streams_for_ever(void **state)
{
	struct wire w = { .t.protocol = PROTOCOL_HTTP1 };

	(void)state;
	wire_read(&w, 1, 200);
	wire_send(&w, 1, true);
	for (unsigned i = 0; i < 1000; i++)
		wire_send(&w, 500, false);
	assert_int_equal(traffic_kind(&w.t), KIND_REQUEST);
	wire_read(&w, 1, 200);
	wire_send(&w, 500, false);
	assert_int_equal(w.other, 0);
}

/* Request 2 is read while request 1 is served; both are answered, in order. */
static void test_early_reads(void **state)
{
	struct wire w = { 0 };

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		wire_read(&w, 50, 1);
		wire_read(&w, 10, 1);
		wire_send(&w, 10, false);
		wire_send(&w, 20, false);
	}
	assert_int_equal(traffic_kind(&w.t), KIND_OVERLAPPING);
	assert_int_equal(w.counted, 0);
	assert_in_range(w.doubtful, 1, 4);
	for (unsigned i = 0; i < PLAIN_ENOUGH + SCORE_MAX; i++) {
		wire_read(&w, 5, 1);
		wire_send(&w, 0, true);
	}
	assert_int_equal(traffic_kind(&w.t), KIND_REQUEST);
	assert_true(w.counted > 0);
}

/* A connection of such a server that asks one by one from then on. */
static void test_judged_again(void **state)
{
	struct wire w = { 0 };

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		wire_read(&w, 50, 1);
		wire_read(&w, 10, 1);
		wire_send(&w, 10, false);
		wire_send(&w, 20, false);
	}
	assert_int_equal(traffic_kind(&w.t), KIND_OVERLAPPING);
	for (unsigned i = 0; i < 2 * PLAIN_ENOUGH; i++) {
		wire_read(&w, 5, 1);
		wire_send(&w, 20, false);
	}
	assert_int_equal(traffic_kind(&w.t), KIND_REQUEST);
	assert_true(w.counted > 0);
}

/* Notes that want no answer every second, news every 700 ms. */
static void test_one_way(void **state)
{
	struct wire w = { 0 };
	uint64_t note = 1000, news = 700, at = 0;

	(void)state;
	wire_read(&w, 0, 1);
	while (at < 30000) {
		uint64_t next = note < news ? note : news;

		if (note < news) {
			wire_read(&w, next - at, 4);
			note += 1000;
		} else {
			wire_send(&w, next - at, false);
			news += 700;
		}
		at = next;
	}
	assert_int_equal(traffic_kind(&w.t), KIND_ONE_WAY);
	assert_int_equal(w.counted, 0);
	assert_in_range(w.doubtful, 1, 6);
}

/* Ten notes for each news, which do not answer the last of them. */
static void test_many_notes(void **state)
{
	struct wire w = { 0 };

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned note = 0; note < 10; note++)
			wire_read(&w, 100 - (note ? 0 : 30 + i), 10);
		wire_send(&w, 30 + i, false);
	}
	assert_int_equal(traffic_kind(&w.t), KIND_ONE_WAY);
	assert_int_equal(w.counted, 0);
}

/* An answer in many parts, through a proxy: they are close to each other, and to the next answer. */
static void test_parts(void **state)
{
	struct wire w = { .now = 1 };

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		wire_read(&w, 1, 30);
		for (unsigned part = 0; part < 10; part++)
			wire_send(&w, 1, false);
	}
	assert_int_equal(w.other, 0);
	assert_int_equal(traffic_kind(&w.t), KIND_REQUEST);
}

/* Subscribed once, pushed to for ever: one-way until it asks again, which counts. */
static void test_pushes_alone(void **state)
{
	struct wire w = { 0 };

	(void)state;
	wire_read(&w, 1, 30);
	wire_send(&w, 0, true);
	for (unsigned i = 0; i < 100; i++)
		wire_send(&w, 100, false);
	assert_int_equal(traffic_kind(&w.t), KIND_ONE_WAY);
	wire_read(&w, 1, 30);
	wire_send(&w, 0, true);
	assert_int_equal(w.counted, 2);
	assert_int_equal(traffic_kind(&w.t), KIND_REQUEST);
}

static void test_notes_alone(void **state)
{
	struct wire w = { 0 };

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		wire_read(&w, 1000, 30);
	assert_int_not_equal(traffic_kind(&w.t), KIND_REQUEST);
}

static void test_by_protocol(void **state)
{
	static const struct {
		uint32_t protocol, kind;
	} cases[] = {
		{ PROTOCOL_HTTP2, KIND_OVERLAPPING }, { PROTOCOL_MQTT, KIND_ONE_WAY },
		{ PROTOCOL_WEBSOCKET, KIND_ONE_WAY }, { PROTOCOL_HTTP1, KIND_REQUEST },
		{ PROTOCOL_TLS, KIND_REQUEST }, { PROTOCOL_REDIS, KIND_REQUEST },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct wire w = { 0 };

		traffic_protocol(&w.t, cases[k].protocol);
		for (unsigned i = 0; i < 100; i++) {
			wire_read(&w, 1, 50);
			wire_send(&w, 0, true);
		}
		assert_int_equal(traffic_kind(&w.t), cases[k].kind);
		assert_int_equal(cases[k].kind == KIND_REQUEST ? w.counted : w.other, 100);
	}
}

/* ---- protocols -------------------------------------------------------------------------- */

static uint32_t look(const char *bytes, size_t len, bool middle)
{
	uint8_t b[LOOK_BYTES] = { 0 };

	memcpy(b, bytes, len < sizeof(b) ? len : sizeof(b));
	return protocol_of(b, (uint32_t)len, middle);
}

#define LOOK(text, middle) look(text, sizeof(text) - 1, middle)

static void test_protocols(void **state)
{
	(void)state;
	assert_int_equal(LOOK("GET / HTTP/1.1\r\nHost: x\r\n\r\n", false), PROTOCOL_HTTP1);
	assert_int_equal(LOOK("POST /a HTTP/1.1\r\n", false), PROTOCOL_HTTP1);
	assert_int_equal(LOOK("OPTIONS * HTTP/1.1\r\n", false), PROTOCOL_HTTP1);
	assert_int_equal(LOOK("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false), PROTOCOL_HTTP2);
	assert_int_equal(LOOK("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", false), PROTOCOL_TLS);
	assert_int_equal(LOOK("\x17\x03\x03\x00\x20....", true), PROTOCOL_TLS);
	assert_int_equal(LOOK("*1\r\n$4\r\nPING\r\n", false), PROTOCOL_REDIS);
	assert_int_equal(LOOK("*12\r\n$4\r\nMSET\r\n", false), PROTOCOL_REDIS);
	assert_int_equal(LOOK("PING\r\n", false), PROTOCOL_REDIS);
	assert_int_equal(LOOK("get key\r\n", false), PROTOCOL_MEMCACHED);
	assert_int_equal(LOOK("mg key v\r\n", false), PROTOCOL_MEMCACHED);
	assert_int_equal(look("\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00"
			      "\x00\x00\x00\x00\x00\x00\x00\x00" "abc", 27, false), PROTOCOL_MEMCACHED);
	assert_int_equal(LOOK("\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02" "ab", false), PROTOCOL_MQTT);
	assert_int_equal(LOOK("\x00\x00\x00\x08\x04\xd2\x16\x2f", false), PROTOCOL_POSTGRESQL);
	assert_int_equal(LOOK("\x00\x00\x00\x10\x00\x03\x00\x00user\x00me\x00", false),
			 PROTOCOL_POSTGRESQL);
}

static void test_protocols_from_the_middle(void **state)
{
	(void)state;
	assert_int_equal(LOOK("\x40\x02\x00\x07", true), PROTOCOL_MQTT);
	assert_int_equal(LOOK("\xc0\x00", true), PROTOCOL_MQTT);
	assert_int_equal(LOOK("\x30\x07\x00\x03t/1hi", true), PROTOCOL_MQTT);
	assert_int_equal(LOOK("\x81\x82....hi", true), PROTOCOL_WEBSOCKET);
	assert_int_equal(LOOK("\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x10\x00", true),
			 PROTOCOL_HTTP2);
	assert_int_equal(LOOK("Q\x00\x00\x00\x0eselect 1;\x00", true), PROTOCOL_POSTGRESQL);
	/* None of these, at the beginning of a connection. */
	assert_int_equal(LOOK("\x81\x82....hi", false), PROTOCOL_NONE);
	assert_int_equal(LOOK("\x40\x02\x00\x07", false), PROTOCOL_NONE);
}

static void test_no_protocol(void **state)
{
	(void)state;
	for (unsigned middle = 0; middle < 2; middle++) {
		assert_int_equal(LOOK("q", middle), PROTOCOL_NONE);
		assert_int_equal(LOOK("note", middle), PROTOCOL_NONE);
		assert_int_equal(LOOK("hello world, how are you", middle), PROTOCOL_NONE);
		assert_int_equal(LOOK("GETTER", middle), PROTOCOL_NONE);
		assert_int_equal(LOOK("\x00\x00\x00\x05hello", middle), PROTOCOL_NONE);
		assert_int_equal(LOOK("\x00\x00\x00\x00", middle), PROTOCOL_NONE);
		assert_int_equal(LOOK("{\"id\":1,\"method\":\"get\"}", middle), PROTOCOL_NONE);
		assert_int_equal(LOOK("4 8 15 16 23 42", middle), PROTOCOL_NONE);
	}
}

static void test_signs(void **state)
{
	(void)state;
	assert_true(is_replica_ack((const uint8_t *)"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK"));
	assert_false(is_replica_ack((const uint8_t *)"*3\r\n$3\r\nSET\r\n$1\r\na\r\n"));
	assert_true(is_switching((const uint8_t *)"HTTP/1.1 101 Switching"));
	assert_false(is_switching((const uint8_t *)"HTTP/1.1 200 OK\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_at_once),
		cmocka_unit_test(test_answers_later),
		cmocka_unit_test(test_requests_in_pieces),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_streams_after_pieces),
		cmocka_unit_test(test_streams_for_ever),
		cmocka_unit_test(test_early_reads),
		cmocka_unit_test(test_judged_again),
		cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_many_notes),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_pushes_alone),
		cmocka_unit_test(test_notes_alone),
		cmocka_unit_test(test_by_protocol),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_protocols_from_the_middle),
		cmocka_unit_test(test_no_protocol),
		cmocka_unit_test(test_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
