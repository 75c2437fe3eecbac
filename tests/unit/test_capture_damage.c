/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_capture_damage.c - a capture cut at every byte and with a bit flipped in every byte. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/format.h"
#include "capture_sample.h"
#include "watch/replay.h"

#define EXCHANGES 12
#define ROUND	  3
#define EVENTS	  (2 * EXCHANGES + 1)

struct damaged {
	uint8_t *bytes;		/* of the whole file */
	size_t len;
	int fd;
};

static int setup(void **state)
{
	struct damaged *d = calloc(1, sizeof(*d));
	struct capture_sample s;
	int null = open("/dev/null", O_WRONLY);

	assert_non_null(d);
	/* Thousands of lines say what is wrong: nobody wants to read them. */
	assert_true(null >= 0 && dup2(null, STDERR_FILENO) >= 0);
	close(null);
	d->fd = memfd_create("capture", 0);
	assert_int_equal(capture_sample_init(&s, EXCHANGES), 0);
	s.round = ROUND;
	assert_int_equal(capture_sample_write(&s, d->fd), 0);
	capture_sample_free(&s);
	d->len = (size_t)lseek(d->fd, 0, SEEK_END);
	d->bytes = malloc(d->len);
	assert_non_null(d->bytes);
	assert_int_equal(pread(d->fd, d->bytes, d->len, 0), d->len);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct damaged *d = *state;

	close(d->fd);
	free(d->bytes);
	free(d);
	return 0;
}

static void put(struct damaged *d, const uint8_t *bytes, size_t len)
{
	assert_int_equal(ftruncate(d->fd, 0), 0);
	assert_int_equal(pwrite(d->fd, bytes, len, 0), len);
	assert_int_equal(lseek(d->fd, 0, SEEK_SET), 0);
}

static int replay_it(struct damaged *d, struct watch_result *r)
{
	const struct replay_config config = { 0 };
	const struct sinks nobody = { .n = 0 };

	return replay_fd(dup(d->fd), "test", &config, &nobody, r);
}

/* What is whole is read, and not less than with a byte less. */
static void test_every_cut(void **state)
{
	struct damaged *d = *state;
	uint64_t most = 0;
	uint32_t head_bytes;

	memcpy(&head_bytes, d->bytes + offsetof(struct capture_head, head_bytes), 4);
	for (size_t len = 0; len <= d->len; len++) {
		struct watch_result r;
		int status;

		put(d, d->bytes, len);
		status = replay_it(d, &r);
		if (len < head_bytes - CAPTURE_ALIGN)
			assert_int_equal(status, 1);
		if (len >= head_bytes)
			assert_int_equal(status, 0);
		if (!status) {
			assert_true(r.events >= most && r.events <= EVENTS);
			most = r.events;
			if (len < d->len - CAPTURE_ALIGN)
				assert_true(r.damaged);
		}
		if (len == d->len)
			assert_false(r.damaged || r.rebuilt);
		watch_result_free(&r);
	}
	assert_int_equal(most, EVENTS);
}

static bool is_as_it_was(const struct watch_result *r)
{
	return r->events == EVENTS && !r->rebuilt && r->aggregate->counters.wakeups == 7 &&
	       r->targets.n == 1 && r->targets.list[0].start_time == 99 &&
	       r->realtime_offset_ns == 1700000000000000000;
}

/* It is noticed, or it was of no account; and a flip costs one chunk at most. */
static void test_every_flip(void **state)
{
	struct damaged *d = *state;
	uint8_t *bytes = malloc(d->len);

	assert_non_null(bytes);
	for (size_t at = 0; at < d->len; at++) {
		struct watch_result r;
		int status;

		memcpy(bytes, d->bytes, d->len);
		bytes[at] ^= (uint8_t)(1u << at % 8);
		put(d, bytes, d->len);
		status = replay_it(d, &r);
		if (!status && !r.damaged && !is_as_it_was(&r))
			fail_msg("a flip at %zu was not noticed", at);
		if (!status)
			assert_in_range(r.events, EVENTS - 2 * ROUND, EVENTS);
		if (at >= sizeof(((struct capture_head *)0)->magic) + 4)
			assert_int_equal(status, 0);
		watch_result_free(&r);
	}
	free(bytes);
}

/* A piece missing, a piece twice, foreign bytes between: the rest is found again. */
static void test_pieces(void **state)
{
	struct damaged *d = *state;
	uint8_t *bytes = calloc(1, 2 * d->len);

	assert_non_null(bytes);
	for (size_t at = 40; at + 200 < d->len; at += 24) {
		struct watch_result r;

		memcpy(bytes, d->bytes, at);
		memcpy(bytes + at, d->bytes + at + 64, d->len - at - 64);
		put(d, bytes, d->len - 64);
		assert_int_equal(replay_it(d, &r), 0);
		assert_true(r.damaged);
		watch_result_free(&r);

		memcpy(bytes, d->bytes, at);
		memset(bytes + at, 0x55, 64);
		memcpy(bytes + at + 64, d->bytes + at, d->len - at);
		put(d, bytes, d->len + 64);
		assert_int_equal(replay_it(d, &r), 0);
		assert_true(r.damaged);
		watch_result_free(&r);
	}
	free(bytes);
}

static size_t chunk_len(const uint8_t *at)
{
	struct capture_chunk_head head;

	memcpy(&head, at, sizeof(head));
	assert_int_equal(head.magic, CAPTURE_CHUNK_MAGIC);
	return sizeof(head) + head.stored_bytes + -head.stored_bytes % CAPTURE_ALIGN;
}

static void expect_told(struct damaged *d, const uint8_t *bytes, size_t len, uint64_t events)
{
	struct watch_result r;

	put(d, bytes, len);
	assert_int_equal(replay_it(d, &r), 0);
	assert_true(r.damaged);
	assert_int_equal(r.events, events);
	watch_result_free(&r);
}

/* Whole chunks that are missing, there twice, or in another order. */
static void test_chunks(void **state)
{
	struct damaged *d = *state;
	uint8_t *bytes = calloc(1, 2 * d->len);
	const uint8_t *end = d->bytes + d->len, *at, *first;
	size_t before, one, two;
	uint32_t head_bytes;

	assert_non_null(bytes);
	memcpy(&head_bytes, d->bytes + offsetof(struct capture_head, head_bytes), 4);
	first = d->bytes + head_bytes;
	for (at = first; at < first + 3 * chunk_len(first); at += one) {
		before = (size_t)(at - d->bytes);
		one = chunk_len(at);
		two = chunk_len(at + one);
		memcpy(bytes, d->bytes, before);
		memcpy(bytes + before, at + one, (size_t)(end - at) - one);
		expect_told(d, bytes, d->len - one, EVENTS - 2 * ROUND);

		memcpy(bytes + before, at, one);
		memcpy(bytes + before + one, at, (size_t)(end - at));
		expect_told(d, bytes, d->len + one, EVENTS);

		memcpy(bytes + before, at + one, two);
		memcpy(bytes + before + two, at, one);
		memcpy(bytes + before + two + one, at + one + two, (size_t)(end - at) - one - two);
		expect_told(d, bytes, d->len, EVENTS);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_flip),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_chunks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
