/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_push.c - any bytes into the decoder of tools/push.h.
 *
 * A libFuzzer target: clang -fsanitize=fuzzer,address. With -DSTANDALONE it has a main of its own:
 * fuzz_push [N [SEED]] decodes N pseudo-random inputs, most of them nearly right.
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

#ifdef STANDALONE

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A frame whose fields are mostly possible; returns its size. */
static size_t put_frame(uint8_t *to, uint64_t *state)
{
	uint64_t r = next_random(state);
	struct push_frame f = {
		.type = (uint8_t)(1 + r % PUSH_TYPES), .length = push_fixed((uint8_t)(1 + r % PUSH_TYPES)),
		.sequence = (uint32_t)(r >> 8), .ack = (uint32_t)(r >> 16), .window = (uint32_t)(r >> 24),
	};

	if (r >> 60 < 8)
		f.length += (uint32_t)(r >> 40) % 64;
	push_encode(to, &f);
	memset(to + PUSH_HEADER, (int)r, f.length);
	return PUSH_HEADER + f.length;
}

int main(int argc, char **argv)
{
	unsigned long inputs = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 88172645463325252u;

	for (unsigned long i = 0; i < inputs; i++) {
		uint64_t r = next_random(&state);
		size_t size = 0, frames = r % 4, flips = r >> 8 & 3;
		uint8_t bytes[1024], *exact;

		while (frames--)
			size += put_frame(bytes + size, &state);
		size -= size && r >> 16 & 1 ? next_random(&state) % size : 0;
		while (size && flips--)
			bytes[next_random(&state) % size] ^= (uint8_t)(1u << (r >> 24 & 7));
		/* Memory of that size exactly, so that a sanitizer sees the byte behind it. */
		exact = malloc(size ? size : 1);
		if (!exact)
			return 1;
		memcpy(exact, bytes, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	printf("ok fuzz push: %lu inputs\n", inputs);
	return 0;
}

#endif
