/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_decode.c - records of every kind, cut at every byte, longer than known, of unknown kinds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/decode.h"

static const struct {
	uint16_t kind;
	size_t size;
} kinds[] = {
	{ EV_CONN_CLOSE, sizeof(struct ev_conn_close) },
	{ EV_EXCHANGE, sizeof(struct ev_exchange) },
	{ EV_ANSWER, sizeof(struct ev_answer) },
	{ EV_PROCESS, sizeof(struct ev_process) },
	{ EV_TURN, sizeof(struct ev_turn) },
	{ EV_OFFCPU, sizeof(struct ev_offcpu) },
	{ EV_SAMPLE, sizeof(struct ev_sample) },
	{ EV_BEHIND, sizeof(struct ev_behind) },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A record of exactly `size` bytes on the heap, off alignment: a sanitizer sees overruns. */
static int decode_bytes(uint16_t kind, size_t size, uint32_t claimed, struct event *out)
{
	struct event_head head = { .size = claimed, .kind = kind, .cpu = 3, .time_ns = 99 };
	unsigned char *block = malloc(size + 1);
	int err;

	assert_non_null(block);
	for (size_t i = 0; i < size; i++)
		block[1 + i] = (unsigned char)(i * 7 + 1);
	memcpy(block + 1, &head, size < sizeof(head) ? size : sizeof(head));
	err = decode_event(block + 1, size, out);
	free(block);
	return err;
}

static void test_every_kind(void **state)
{
	(void)state;
	assert_int_equal(N_KINDS, EV_KINDS - 1);
	for (size_t k = 0; k < N_KINDS; k++) {
		struct event e;
		const unsigned char *bytes = (const unsigned char *)&e;

		assert_int_equal(decode_bytes(kinds[k].kind, kinds[k].size,
					      (uint32_t)kinds[k].size, &e), 0);
		assert_int_equal(e.head.kind, kinds[k].kind);
		assert_int_equal(e.head.size, kinds[k].size);
		assert_int_equal(e.head.time_ns, 99);
		for (size_t i = sizeof(e.head); i < kinds[k].size; i++)
			assert_int_equal(bytes[i], (unsigned char)(i * 7 + 1));
	}
}

/* Some got more fields than they had in the first captures. */
static size_t least_of(uint16_t kind, size_t size)
{
	return kind == EV_TURN ? 96 : kind == EV_EXCHANGE ? 240 : size;
}

static void test_every_truncation(void **state)
{
	struct event before, e;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	e = before;
	for (size_t k = 0; k < N_KINDS; k++)
		for (size_t size = 0; size < kinds[k].size; size++) {
			/* cut on the way, and honest about being too short */
			assert_int_equal(decode_bytes(kinds[k].kind, size,
						      (uint32_t)kinds[k].size, &e), -EBADMSG);
			if (size < least_of(kinds[k].kind, kinds[k].size))
				assert_int_equal(decode_bytes(kinds[k].kind, size, (uint32_t)size,
							      &e), -EBADMSG);
		}
	assert_memory_equal(&e, &before, sizeof(e));
}

/* What an older writer did not send reads as 0. */
static void test_older_record(void **state)
{
	struct event e;

	(void)state;
	memset(&e, 0x5a, sizeof(e));
	assert_int_equal(decode_bytes(EV_TURN, 96, 96, &e), 0);
	assert_int_equal(e.turn.own_ns, 0);
	assert_int_equal(e.turn.flags, 0);
	assert_int_equal(e.turn.flow.family, 0);
	memset(&e, 0x5a, sizeof(e));
	assert_int_equal(decode_bytes(EV_EXCHANGE, 240, 240, &e), 0);
	assert_int_equal(e.exchange.kind, 0);
	assert_int_equal(e.exchange.protocol, 0);
	assert_int_equal(e.exchange.aside.others_ns, 0);
	assert_int_equal(e.exchange.aside.unarmed_ns, 0);
}

static void test_longer_than_known(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_KINDS; k++)
		for (size_t more = 1; more < 600; more += 7) {
			size_t size = kinds[k].size + more;
			struct event e;

			assert_int_equal(decode_bytes(kinds[k].kind, size, (uint32_t)size, &e), 0);
			assert_int_equal(e.head.size, size);
		}
}

static void test_size_disagrees(void **state)
{
	struct event e;
	size_t size = sizeof(struct ev_answer);

	(void)state;
	assert_int_equal(decode_bytes(EV_ANSWER, size, (uint32_t)size + 1, &e), -EBADMSG);
	assert_int_equal(decode_bytes(EV_ANSWER, size, (uint32_t)size - 1, &e), -EBADMSG);
	assert_int_equal(decode_bytes(EV_ANSWER, size, 0, &e), -EBADMSG);
	assert_int_equal(decode_bytes(EV_ANSWER, size, UINT32_MAX, &e), -EBADMSG);
}

static void test_unknown_kinds(void **state)
{
	struct event e;

	(void)state;
	assert_int_equal(decode_bytes(EV_NONE, 64, 64, &e), -ENOTSUP);
	for (unsigned kind = EV_KINDS; kind <= UINT16_MAX; kind++)
		assert_int_equal(decode_bytes((uint16_t)kind, 16, 16, &e), -ENOTSUP);
	/* a wrong size is worse news than an unknown kind */
	assert_int_equal(decode_bytes(EV_KINDS, 64, 63, &e), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_older_record),
		cmocka_unit_test(test_longer_than_known),
		cmocka_unit_test(test_size_disagrees),
		cmocka_unit_test(test_unknown_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
