/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_push.c - the decoder of tools/push.h: what it takes, what it waits for, what it refuses. */
#include "tools/push.h"

#include <stdio.h>

static int failed;

static void expect(const char *name, long wanted, long got)
{
	if (wanted == got) {
		printf("ok push: %s\n", name);
		return;
	}
	printf("not ok push: %s: expected %ld got %ld\n", name, wanted, got);
	failed = 1;
}

static void test_round_trip(void)
{
	const struct push_frame f = { PUSH_MESSAGE, 13, 0x01020304, 0xfffffffe, 77, NULL };
	uint8_t bytes[64] = { 0 };
	struct push_frame g;
	long wrong = 0;

	push_encode(bytes, &f);
	memcpy(bytes + PUSH_HEADER, "topicfromdata", 13);
	expect("size", PUSH_HEADER + 13, push_decode(bytes, sizeof(bytes), &g));
	expect("type", f.type, g.type);
	expect("sequence", f.sequence, g.sequence);
	expect("ack", f.ack, g.ack);
	expect("window", f.window, g.window);
	expect("payload", 0, memcmp(g.payload, "topicfromdata", g.length));
	for (size_t size = 0; size < PUSH_HEADER + 13; size++)
		wrong += push_decode(bytes, size, &g) != 0;
	expect("each shorter piece is waited for", 0, wrong);
}

/* The header of a HEARTBEAT with one byte changed. */
static int with(size_t at, uint8_t value, size_t size)
{
	const struct push_frame f = { .type = PUSH_HEARTBEAT };
	uint8_t bytes[PUSH_MAX_FRAME + 1] = { 0 };
	struct push_frame g;

	push_encode(bytes, &f);
	bytes[at] = value;
	return push_decode(bytes, size, &g);
}

static void test_refused(void)
{
	expect("wrong magic", -EPROTO, with(0, 'x', PUSH_HEADER));
	expect("wrong magic at the first byte", -EPROTO, with(0, 'x', 1));
	expect("wrong version", -EPROTO, with(2, 2, PUSH_HEADER));
	expect("type 0", -EPROTO, with(3, 0, PUSH_HEADER));
	expect("type too high", -EPROTO, with(3, PUSH_TYPES, PUSH_HEADER));
	expect("a heartbeat with a payload", -EPROTO, with(7, 1, PUSH_HEADER + 1));
	expect("a message without its head", -EPROTO, with(3, PUSH_MESSAGE, PUSH_HEADER));
	expect("4 GB", -EPROTO, with(4, 0xff, PUSH_HEADER));
}

static void test_order(void)
{
	expect("after", 1, push_after(5, 4));
	expect("not after itself", 0, push_after(4, 4));
	expect("after, over the wrap", 1, push_after(1, 0xffffffff));
	expect("not after, over the wrap", 0, push_after(0xffffffff, 1));
}

int main(void)
{
	test_round_trip();
	test_refused();
	test_order();
	return failed;
}
