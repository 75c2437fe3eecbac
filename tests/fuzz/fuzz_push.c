/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_push.c - any bytes into the decoder of tools/push.h; tests/fuzz/push/ are its seeds.
 *
 *   clang -I. -fsanitize=fuzzer,address,undefined -o fuzz_push tests/fuzz/fuzz_push.c
 */
#include "tools/push.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_push: %s\n", what);
	abort();
}

/* Decodes it as a stream; what is decoded must lie in the input and encode to the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[PUSH_HEADER];
	volatile uint8_t touched = 0;
	struct push_frame f;
	size_t done = 0;
	int n;

	while ((n = push_decode(data + done, size - done, &f)) > 0) {
		demand((size_t)n <= size - done, "frame beyond the input");
		demand(f.length <= PUSH_MAX_PAYLOAD && f.length >= push_fixed(f.type), "length");
		demand(f.payload + f.length == data + done + n, "payload elsewhere");
		push_encode(again, &f);
		demand(!memcmp(again, data + done, PUSH_HEADER), "header encodes to other bytes");
		for (uint32_t i = 0; i < f.length; i++)
			touched ^= f.payload[i];
		done += (size_t)n;
	}
	(void)touched;
	demand(n == 0 || n == -EPROTO, "status");
	demand(n < 0 || size - done < PUSH_MAX_FRAME, "waits for more than a frame");
	return 0;
}
