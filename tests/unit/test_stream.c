/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_stream.c - what sinks need together, what each hears, and what commands make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture_sample.h"
#include "capture/format.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "stream/stream.h"

/* ---- needs ------------------------------------------------------------------------------ */

static int ignore(void *ctx, const struct exchange_info *x)
{
	(void)ctx;
	(void)x;
	return 0;
}

static void test_needs_add_up(void **state)
{
	const struct sink counts = { .needs = { .conn_closes = true, .stack_hz = 10 } };
	const struct sink tail = { .needs = { .exchanges = EXCHANGES_TAIL }, .exchange = ignore };
	const struct sink slow = {
		.needs = { .exchanges = EXCHANGES_OVER, .over_ns = 5000, .answers = true,
			   .prompt_answers = true, .stack_hz = 99 },
		.exchange = ignore,
	};
	struct sinks sinks = { .n = 0 };
	struct needs needs = sinks_needs(&sinks);

	(void)state;
	assert_int_equal(needs.exchanges, EXCHANGES_SAMPLED);
	sinks_add(&sinks, NULL);
	sinks_add(&sinks, &counts);
	sinks_add(&sinks, &tail);
	needs = sinks_needs(&sinks);
	assert_int_equal(sinks.n, 2);
	assert_int_equal(needs.exchanges, EXCHANGES_TAIL);	/* the other hears none */
	assert_true(needs.conn_closes);
	assert_false(needs.answers || needs.prompt_answers || needs.intervals || needs.syscalls);
	sinks_add(&sinks, &slow);
	needs = sinks_needs(&sinks);
	assert_int_equal(needs.exchanges, EXCHANGES_OVER);
	assert_int_equal(needs.over_ns, 0);	/* the tail may lie below */
	assert_true(needs.answers && needs.prompt_answers);
	assert_int_equal(needs.stack_hz, 99);
}

/* ---- what is heard ---------------------------------------------------------------------- */

struct heard {
	unsigned exchanges, answers, records, ticks;
	unsigned enough;	/* after so many exchanges; 0: never */
};

static int hear_exchange(void *ctx, const struct exchange_info *x)
{
	struct heard *h = ctx;

	h->answers += x->has_answer;
	return ++h->exchanges == h->enough;
}

static void hear_record(void *ctx, const void *data, size_t size)
{
	(void)data;
	(void)size;
	((struct heard *)ctx)->records++;
}

static int hear_tick(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	((struct heard *)ctx)->ticks++;
	return 0;
}

static void feed(struct stream *s, uint32_t i, bool exchange, bool answer)
{
	struct ev_exchange e;
	struct ev_answer a;

	sample_exchange(i, &e, &a);
	if (exchange)
		stream_record(s, &e, sizeof(e));
	if (answer)
		stream_record(s, &a, sizeof(a));
}

static void test_answers_are_waited_for(void **state)
{
	struct heard at_once = { 0 }, joined = { 0 }, raw = { 0 };
	const struct sink a = { .exchange = hear_exchange, .ctx = &at_once };
	const struct sink b = { .needs.answers = true, .exchange = hear_exchange, .ctx = &joined };
	const struct sink c = { .record = hear_record, .tick = hear_tick, .ctx = &raw };
	const struct sinks sinks = { .list = { &a, &b, &c }, .n = 3 };
	const struct stream_config config = { .sinks = &sinks, .every_exchange = true };
	struct stream *s = stream_new(&config);
	struct event_head strange = { sizeof(strange), 9999, 0, 5 };

	(void)state;
	assert_non_null(s);
	feed(s, 0, true, false);
	feed(s, 1, true, false);
	assert_int_equal(at_once.exchanges, 2);
	assert_int_equal(at_once.answers, 0);
	assert_int_equal(joined.exchanges, 0);
	feed(s, 1, false, true);
	assert_int_equal(joined.exchanges, 1);
	stream_record(s, &strange, sizeof(strange));
	stream_tick(s, 1000000000001);
	stream_flush(s);
	assert_int_equal(joined.exchanges, 2);
	assert_int_equal(joined.answers, 1);
	assert_int_equal(raw.records, 4);
	assert_int_equal(raw.ticks, 1);
	assert_int_equal(stream_records(s), 4);
	assert_int_equal(stream_bad_records(s), 1);
	assert_false(stream_done(s));
	stream_free(s);
}

/* One that has had enough ends the stream, and hears no more of what is under way; others do. */
static void test_enough(void **state)
{
	struct heard few = { .enough = 2 }, all = { 0 };
	const struct sink a = { .exchange = hear_exchange, .ctx = &few };
	const struct sink b = { .exchange = hear_exchange, .ctx = &all };
	const struct sinks sinks = { .list = { &a, &b }, .n = 2 };
	const struct stream_config config = { .sinks = &sinks };
	struct stream *s = stream_new(&config);

	(void)state;
	assert_non_null(s);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(stream_done(s), i >= 2);
		feed(s, i, true, false);
	}
	assert_int_equal(few.exchanges, 2);
	assert_int_equal(all.exchanges, 5);
	stream_free(s);
}

/* Each gets what it needs of the same exchanges. */
static void test_thresholds(void **state)
{
	struct heard over = { 0 }, tail = { 0 }, all = { 0 };
	const struct sink a = {
		.needs = { .exchanges = EXCHANGES_OVER, .over_ns = 1000000 },
		.exchange = hear_exchange, .ctx = &over,
	};
	const struct sink b = {
		.needs.exchanges = EXCHANGES_TAIL, .exchange = hear_exchange, .ctx = &tail,
	};
	const struct sink c = { .exchange = hear_exchange, .ctx = &all };
	const struct sinks sinks = { .list = { &a, &b, &c }, .n = 3 };
	const struct stream_config config = { .sinks = &sinks, .every_exchange = true };
	struct stream *s = stream_new(&config);
	unsigned before;

	(void)state;
	assert_non_null(s);
	for (uint32_t i = 0; i < 1000; i++)
		feed(s, i, true, false);
	assert_int_equal(tail.exchanges, 1000);		/* there is no P99 yet */
	stream_tick(s, 1000000000000 + 10000ULL * 1000);
	before = tail.exchanges;
	for (uint32_t i = 1001; i < 3000; i++)
		feed(s, i, true, false);
	assert_in_range(tail.exchanges - before, 1, 100);
	assert_int_equal(over.exchanges, 2);	/* every thousandth takes 5 ms: the first, and 2000 */
	assert_int_equal(all.exchanges, 2999);
	stream_free(s);
}

/* ---- commands --------------------------------------------------------------------------- */

/* Runs a command on the capture in fd. What it prints to stdout comes into `out`, terminated. */
static int run(int (*command)(const struct options *o), int fd, char *const *arguments, char *out,
	       size_t size)
{
	char path[64], program[] = "epollscope", input[] = "-i", *argv[16] = { program };
	int to = memfd_create("stdout", 0), kept, status, argc = 1;
	struct options o;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	while (*arguments)
		argv[argc++] = *arguments++;
	argv[argc++] = input;
	argv[argc++] = path;
	assert_int_equal(options_parse(&o, argc, argv), 0);
	fflush(stdout);
	kept = dup(STDOUT_FILENO);
	assert_true(to >= 0 && kept >= 0 && dup2(to, STDOUT_FILENO) >= 0);
	status = command(&o);
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	n = pread(to, out, size - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	close(to);
	options_free(&o);
	return status;
}

static int sample_file(struct capture_sample *s, uint32_t exchanges)
{
	int fd = memfd_create("capture", 0);

	assert_true(fd >= 0);
	assert_int_equal(capture_sample_init(s, exchanges), 0);
	return fd;
}

/* Two exchanges, the second of which is answered first. */
static void write_crossed(struct capture_sample *s, int fd)
{
	struct event_head tick = { sizeof(tick), CAPTURE_TICK, 0, s->r.start_ns };
	struct ev_exchange exchanges[2];
	struct ev_answer answers[2];
	struct capture_writer w;
	struct bytes b = { 0 };

	for (uint32_t i = 0; i < 2; i++)
		sample_exchange(i, &exchanges[i], &answers[1 - i]);
	capture_on_fd(&w, dup(fd));
	meta_put(&b, &s->r, NULL);
	assert_int_equal(capture_put_head(&w, &b, 0), 0);
	b.len = 0;
	bytes_put(&b, &tick, sizeof(tick));
	bytes_put(&b, exchanges, sizeof(exchanges));
	bytes_put(&b, answers, sizeof(answers));
	assert_int_equal(capture_put_chunk(&w, CHUNK_EVENTS, b.data, b.len), 0);
	bytes_free(&b);
	capture_close(&w);
}

static bool comes_before(const char *text, const char *first, const char *second)
{
	const char *a = strstr(text, first), *b = strstr(text, second);

	assert_non_null(a);
	assert_non_null(b);
	return a < b;
}

/* Nothing of an answer is printed as text: a line does not wait for it, as JSON does. */
static void test_slow_text_needs_no_answer(void **state)
{
	char *text[] = { "slow", "--over", "0ns", NULL };
	char *json[] = { "slow", "--over", "0ns", "--json", NULL };
	struct capture_sample s;
	char out[8192];
	int fd = sample_file(&s, 2);

	(void)state;
	write_crossed(&s, fd);
	assert_int_equal(run(cmd_slow, fd, text, out, sizeof(out)), 0);
	assert_true(comes_before(out, "127.0.0.2:40000", "127.0.0.2:40001"));
	assert_int_equal(run(cmd_slow, fd, json, out, sizeof(out)), 0);
	assert_true(comes_before(out, "127.0.0.2:40001", "127.0.0.2:40000"));
	capture_sample_free(&s);
	close(fd);
}

/* A damaged or hostile head may not say what was watched. */
static void test_flame_without_target(void **state)
{
	char *svg[] = { "flame", "--svg", "/proc/self/fd/1", NULL };
	char *typical[] = { "flame", "--svg", "/proc/self/fd/1", "--against", "typical", NULL };
	char *folded[] = { "flame", NULL };
	static char out[1 << 20];
	struct capture_sample s;
	int fd = sample_file(&s, 50);

	(void)state;
	s.stacks = true;
	s.r.targets.n = 0;
	assert_int_equal(capture_sample_write(&s, fd), 0);
	assert_int_equal(run(cmd_flame, fd, svg, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "unknown target, "));
	assert_int_equal(run(cmd_flame, fd, typical, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "unknown target, "));
	assert_int_equal(run(cmd_flame, fd, folded, out, sizeof(out)), 0);
	capture_sample_free(&s);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needs_add_up),
		cmocka_unit_test(test_answers_are_waited_for),
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_slow_text_needs_no_answer),
		cmocka_unit_test(test_flame_without_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
