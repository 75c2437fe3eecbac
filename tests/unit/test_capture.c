/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_capture.c - what is written is what is read, by this program, an older and a newer one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/read.h"
#include "capture_sample.h"
#include "watch/replay.h"
#include "symbols/stack_modules.h"

static int memory_file(void)
{
	int fd = memfd_create("capture", 0);

	assert_true(fd >= 0);
	return fd;
}

struct heard {
	unsigned exchanges, answers, conns;
};

static int hear_exchange(void *ctx, const struct exchange_info *x)
{
	struct heard *h = ctx;

	h->exchanges++;
	h->answers += x->has_answer;
	return 0;
}

static int hear_conn(void *ctx, const struct event *e)
{
	(void)e;
	((struct heard *)ctx)->conns++;
	return 0;
}

static int replay_again(int fd, struct heard *heard, struct watch_result *r)
{
	const struct sink sink = {
		.needs.answers = true, .exchange = hear_exchange,
		.event = { [EV_CONN_CLOSE] = hear_conn }, .ctx = heard,
	};
	const struct sinks sinks = { .list = { &sink }, .n = 1 };
	const struct replay_config config = { 0 };

	memset(heard, 0, sizeof(*heard));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return replay_fd(dup(fd), "test", &config, &sinks, r);
}

static void expect_same_lists(const struct aggregate *a, const struct aggregate *b)
{
#define SAME_LIST(list) do {							\
	assert_int_equal(a->n_##list, b->n_##list);				\
	assert_memory_equal(a->list, b->list, a->n_##list * sizeof(*a->list));	\
} while (0)
	SAME_LIST(loops);
	SAME_LIST(eventpolls);
	SAME_LIST(wakers);
	SAME_LIST(listeners);
#undef SAME_LIST
}

static void expect_same(const struct aggregate *a, const struct aggregate *b)
{
	assert_memory_equal(&a->ledger, &b->ledger, sizeof(a->ledger));
	assert_memory_equal(&a->counters, &b->counters, sizeof(a->counters));
	assert_memory_equal(&a->sampled, &b->sampled, sizeof(a->sampled));
	assert_memory_equal(a->hists, b->hists, sizeof(a->hists));
	expect_same_lists(a, b);
	assert_memory_equal(&a->loops_handed_out, &b->loops_handed_out,
			    sizeof(*a) - offsetof(struct aggregate, loops_handed_out));
}

static void test_round_trip(void **state)
{
	struct capture_sample s;
	struct watch_result r;
	struct heard heard;
	int fd = memory_file();

	(void)state;
	assert_int_equal(capture_sample_init(&s, 3000), 0);
	s.r.budget = (struct budget_info){
		.share = 0.02, .own_ns = 3, .target_ns = 4, .bpf_known = true,
		.shed[SHED_WINDOWS] = { .times = 1, .ns = 7, .first_ns = 8, .exchanges = 9 },
		.shed[SHED_SPLITS] = { .times = 2, .ns = 1, .back_ns = 5 },
	};
	assert_int_equal(capture_sample_write(&s, fd), 0);
	assert_int_equal(replay_again(fd, &heard, &r), 0);
	assert_false(r.damaged || r.rebuilt || r.n_notes || r.bad_events);
	assert_true(r.loss_known);
	assert_int_equal(heard.exchanges, 3000);
	assert_int_equal(heard.answers, 3000);
	assert_int_equal(heard.conns, 1);
	assert_int_equal(r.events, s.r.events);
	assert_string_equal(r.version, s.r.version);
	assert_string_equal(r.kernel, s.r.kernel);
	assert_string_equal(r.host, s.r.host);
	assert_int_equal(r.cpus, s.r.cpus);
	assert_int_equal(r.start_ns, s.r.start_ns);
	assert_int_equal(r.end_ns, s.r.end_ns);
	assert_int_equal(r.realtime_offset_ns, s.r.realtime_offset_ns);
	assert_true(r.collector_cpu_seconds == s.r.collector_cpu_seconds);
	assert_true(r.budget.share == s.r.budget.share && r.budget.bpf_known);
	assert_int_equal(r.budget.own_ns, s.r.budget.own_ns);
	assert_int_equal(r.budget.target_ns, s.r.budget.target_ns);
	assert_memory_equal(r.budget.shed, s.r.budget.shed, sizeof(r.budget.shed));
	assert_memory_equal(r.features.available, s.r.features.available,
			    sizeof(r.features.available));
	assert_int_equal(r.targets.n, 1);
	assert_memory_equal(r.targets.list, s.r.targets.list, sizeof(*r.targets.list));
	expect_same(r.aggregate, s.r.aggregate);
	watch_result_free(&r);
	capture_sample_free(&s);
	close(fd);
}

/* Its exchanges add up to what the kernel's sums would have been. */
static void test_without_aggregate(void **state)
{
	struct capture_sample s;
	struct watch_result r;
	struct heard heard;
	int fd = memory_file();

	(void)state;
	assert_int_equal(capture_sample_init(&s, 1000), 0);
	s.no_aggregate = true;
	s.flags = CAPTURE_WINDOW;
	s.r.aggregate->counters.ring_lost = 7;
	s.r.aggregate->counters.clock = 3;
	assert_int_equal(capture_sample_write(&s, fd), 0);
	assert_int_equal(replay_again(fd, &heard, &r), 0);
	assert_true(r.rebuilt && r.loss_known && !r.damaged);
	assert_int_equal(r.n_notes, 2);
	assert_memory_equal(&r.aggregate->ledger, &s.r.aggregate->ledger, sizeof(r.aggregate->ledger));
	assert_int_equal(aggregate_lost_events(r.aggregate), 7);
	assert_int_equal(r.aggregate->counters.clock, 3);
	watch_result_free(&r);
	capture_sample_free(&s);
	close(fd);
}

static void test_interrupted(void **state)
{
	struct capture_sample s;
	struct watch_result r;
	struct heard heard;
	int fd = memory_file();
	off_t size;

	(void)state;
	assert_int_equal(capture_sample_init(&s, 1000), 0);
	s.round = 10;
	s.no_end = true;
	assert_int_equal(capture_sample_write(&s, fd), 0);
	assert_int_equal(replay_again(fd, &heard, &r), 0);
	assert_true(r.rebuilt && !r.loss_known && !r.damaged);
	assert_int_equal(heard.exchanges, 1000);
	watch_result_free(&r);

	/* in the middle of a chunk, as a crash may leave it */
	size = lseek(fd, 0, SEEK_END);
	assert_int_equal(ftruncate(fd, size / 2 + 3), 0);
	assert_int_equal(replay_again(fd, &heard, &r), 0);
	assert_true(r.rebuilt && !r.damaged);
	assert_in_range(heard.exchanges, 400, 600);
	assert_int_equal(heard.exchanges % 10, 0);
	assert_true(r.end_ns > r.start_ns && r.end_ns < s.r.end_ns);
	watch_result_free(&r);
	capture_sample_free(&s);
	close(fd);
}

/* ---- stacks and the files of their nameless frames --------------------------------------- */

struct heard_stacks {
	unsigned stacks, modules, resolved;
	char frames[3][64];
};

static void hear_stack(void *ctx, const struct named_stack *s)
{
	struct heard_stacks *h = ctx;

	assert_true(s->key.id == 7 || h->stacks);
	if (s->key.id == 7) {
		assert_int_equal(s->key.pid, 1234);
		assert_int_equal(s->n, 3);
		assert_false(s->cut);
		for (unsigned i = 0; i < 3; i++)
			snprintf(h->frames[i], sizeof(h->frames[i]), "%s", s->frames[i]);
	}
	if (s->key.id == 8)
		assert_true(s->cut && s->n == 1);
	h->stacks++;
}

static void hear_module(void *ctx, const struct stack_module *m)
{
	struct heard_stacks *h = ctx;

	/* Before the first stack that needs it. */
	assert_int_equal(h->stacks, h->modules);
	if (!h->modules++) {
		assert_string_equal(m->name, "libfoo.so");
		assert_string_equal(m->path, "/lib/libfoo.so");
		assert_int_equal(m->build_id_len, 3);
		assert_memory_equal(m->build_id, "\xab\xcd\xef", 3);
	} else {
		assert_string_equal(m->name, "libfoo.so~2");
		assert_string_equal(m->path, "/opt/libfoo.so");
		assert_int_equal(m->build_id_len, 0);
	}
}

static void test_stacks(void **state)
{
	struct capture_sample s;
	struct heard_stacks heard = { 0 };
	const struct sink sink = {
		.needs.stack_hz = 1, .stack = hear_stack, .module = hear_module, .ctx = &heard,
	};
	const struct sinks sinks = { .list = { &sink }, .n = 1 };
	const struct replay_config config = { .debug_dir = "/nonexistent" };
	struct watch_result r;
	int fd = memory_file();

	(void)state;
	assert_int_equal(capture_sample_init(&s, 10), 0);
	s.stacks = true;
	assert_int_equal(capture_sample_write(&s, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(replay_fd(fd, "test", &config, &sinks, &r), 0);
	assert_false(r.damaged);
	assert_int_equal(heard.stacks, 3);
	assert_int_equal(heard.modules, 2);
	assert_string_equal(heard.frames[0], "work");
	assert_string_equal(heard.frames[1], "[libfoo.so+0x1234]");
	assert_string_equal(heard.frames[2], "main");
	assert_int_equal(r.stack_hz, 100);	/* not the reader's */
	assert_int_equal(r.stack_depth, 127);
	assert_int_equal(r.window_ns, 60000000000);
	watch_result_free(&r);
	capture_sample_free(&s);
}

/* What the reader is told of the window comes before what the file says. */
static void test_window_told(void **state)
{
	const struct sink sink = { .needs.exchanges = EXCHANGES_TAIL };
	const struct sinks sinks = { .list = { &sink }, .n = 1 };
	const struct replay_config config = { .window_ns = 2000000000 };
	struct capture_sample s;
	struct watch_result r;
	int fd = memory_file();

	(void)state;
	assert_int_equal(capture_sample_init(&s, 10), 0);
	s.stacks = true;
	s.flags = CAPTURE_WINDOW;
	s.no_aggregate = true;
	s.r.attached_ns = s.r.start_ns - 5000;
	assert_int_equal(capture_sample_write(&s, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(replay_fd(fd, "test", &config, &sinks, &r), 0);
	assert_int_equal(r.window_ns, 2000000000);
	assert_int_equal(r.attached_ns, s.r.start_ns - 5000);
	watch_result_free(&r);
	capture_sample_free(&s);
}

/* Two files of one name, and what is no frame of theirs. */
static void test_modules(void **state)
{
	struct stack_modules *m = stack_modules_new();
	struct symbol_place a = { .path = "/a/x+0x1.so", .build_id = { 1, 2, 3 }, .build_id_len = 3,
				  .vaddr = 0x10 };
	struct symbol_place b = { .path = "/b/x+0x1.so", .vaddr = 0xfffffffffff };
	const struct stack_module *first, *second, *told;
	char frame[MODULE_FRAME_MAX];
	bool fresh;

	(void)state;
	assert_non_null(m);
	first = stack_modules_frame(m, "x+0x1.so", &a, &fresh, frame);
	assert_true(first && fresh);
	assert_string_equal(frame, "[x+0x1.so+0x10]");
	second = stack_modules_frame(m, "x+0x1.so", &b, &fresh, frame);
	assert_true(second && fresh);
	assert_string_equal(frame, "[x+0x1.so~2+0xfffffffffff]");
	a.vaddr++;
	assert_non_null(stack_modules_frame(m, "x+0x1.so", &a, &fresh, frame));
	assert_false(fresh);
	assert_string_equal(frame, "[x+0x1.so+0x11]");
	assert_null(stack_modules_resolve(m, "/nonexistent", frame, &told));
	assert_string_equal(told->path, a.path);
	assert_null(stack_modules_resolve(m, "/nonexistent", frame, &told));
	assert_null(told);
	assert_null(stack_modules_resolve(m, "/nonexistent", "[x+0x1.so]", &told));
	assert_null(stack_modules_resolve(m, "/nonexistent", "[x+0x1.so~2+0x]", &told));
	assert_null(stack_modules_resolve(m, "/nonexistent", "[x+0x1.so~2+0x1] ", &told));
	assert_null(stack_modules_resolve(m, "/nonexistent", "", &told));
	assert_null(told);
	assert_null(stack_modules_resolve(m, "/nonexistent", "[x+0x1.so~2+0x1]", &told));
	assert_string_equal(told->name, "x+0x1.so~2");
	stack_modules_free(m);
}

/* ---- the aggregate's tables ------------------------------------------------------------- */

static uint64_t seed = 88172645463325252u;

static void fill(void *to, size_t size)
{
	uint8_t *bytes = to;

	for (size_t i = 0; i < size; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		bytes[i] = (uint8_t)(seed >> 24) | 1;
	}
}

/* Every byte of every member, so that a member that the tables lack is found. */
static void test_every_member(void **state)
{
	struct aggregate *a = aggregate_new(), *b = aggregate_new();
	struct bytes bytes = { 0 };

	(void)state;
	assert_true(a && b);
	fill(&a->ledger, sizeof(a->ledger));
	fill(&a->counters, sizeof(a->counters));
	fill(a->hists, sizeof(a->hists));
	fill(&a->sampled, sizeof(a->sampled));
	fill(&a->loops_handed_out, sizeof(*a) - offsetof(struct aggregate, loops_handed_out));
#define FILL_LIST(list, n) do {							\
	a->list = calloc(n, sizeof(*a->list));					\
	assert_non_null(a->list);						\
	a->n_##list = (n);							\
} while (0)
	FILL_LIST(loops, 3);
	fill(a->loops, 3 * sizeof(*a->loops));
	FILL_LIST(eventpolls, 1);
	a->eventpolls[0] = (struct eventpoll_info){ ~0ull, ~0u, 1, ~0ull >> 1, 3, 1 };
	FILL_LIST(wakers, 2);
	a->wakers[1].pid = 5;
	fill(&a->wakers[1].waker, sizeof(a->wakers[1].waker));
	FILL_LIST(listeners, 1);
	a->listeners[0].key = (struct listener_key){ .netns = ~0u, .port = 65535 };
	a->listeners[0].listener = (struct listener){ 1, 2, ~0u, 0, 4, ~0ull };
#undef FILL_LIST
	/* what is between members has no name */
	a->loops_handed_out = 77;
	memset((char *)&a->loops_handed_out + sizeof(a->loops_handed_out), 0,
	       offsetof(struct aggregate, drained) - offsetof(struct aggregate, loops_handed_out) -
	       sizeof(a->loops_handed_out));

	aggregate_put(&bytes, a);
	assert_false(bytes.failed);
	assert_int_equal(aggregate_get((struct items){ .data = bytes.data, .len = bytes.len }, b), 0);
	expect_same(a, b);
	bytes_free(&bytes);
	aggregate_free(a);
	aggregate_free(b);
}

struct old { uint64_t a; uint64_t list[2]; uint32_t gone; };
struct new { uint64_t b; uint64_t list[4]; uint64_t a; };

static const struct field old_table[] = {
	NUMBER(1, struct old, a), NUMBERS(2, struct old, list), NUMBER(3, struct old, gone),
};
static const struct field new_table[] = {
	NUMBER(1, struct new, a), NUMBERS(2, struct new, list), NUMBER(4, struct new, b),
};

/* Members appended, lists grown, one gone: both ways. */
static void test_other_versions(void **state)
{
	struct old o = { 1, { 2, 3 }, 4 }, from_new = { 0 };
	struct new n = { 5, { 6, 7, 8, 9 }, 10 }, from_old = { .b = 99 };
	struct bytes b = { 0 };

	(void)state;
	fields_put(&b, old_table, 3, &o);
	assert_true(fields_get((struct items){ .data = b.data, .len = b.len }, new_table, 3, &from_old));
	assert_int_equal(from_old.a, 1);
	assert_int_equal(from_old.b, 99);
	assert_int_equal(from_old.list[1], 3);
	assert_int_equal(from_old.list[2], 0);
	b.len = 0;
	fields_put(&b, new_table, 3, &n);
	assert_true(fields_get((struct items){ .data = b.data, .len = b.len }, old_table, 3, &from_new));
	assert_int_equal(from_new.a, 10);
	assert_int_equal(from_new.list[1], 7);
	assert_int_equal(from_new.gone, 0);
	bytes_free(&b);
}

/* ---- records ---------------------------------------------------------------------------- */

static size_t put_record(uint8_t *to, uint16_t kind, uint32_t size, unsigned noise)
{
	struct event_head head = { size, kind, 1, seed >> 40 };

	memset(to, 0x11, size);
	fill(to + sizeof(head), noise < size - sizeof(head) ? noise : size - sizeof(head));
	memcpy(to, &head, sizeof(head));
	return size;
}

/* Any kind, any size: what comes out is what went in. */
static void test_packing(void **state)
{
	static const uint16_t kinds[] = { 0, 1, 2, 3, 62, 63, 64, 200, CAPTURE_TICK };
	static const uint32_t sizes[] = { 16, 24, 64, 240, 504, 512, 520, 17, 100, 4000 };
	size_t room = 400000, len = 0, packed;
	uint8_t *plain = malloc(room), *again = malloc(room), *small;

	(void)state;
	assert_true(plain && again);
	for (unsigned i = 0; i < 2000 && len < room - 4096; i++) {
		uint16_t kind = kinds[(seed >> 13) % 9];
		uint32_t size = i % 3 ? 240 : sizes[(seed >> 33) % 10];

		len += put_record(plain + len, kind, size, (unsigned)(seed >> 50) % 300);
	}
	small = malloc(packed_bound(len));
	assert_non_null(small);
	packed = pack_events(small, plain, len);
	assert_in_range(packed, 1, packed_bound(len));
	/* exactly as long, so that a sanitizer sees what reads behind it */
	small = realloc(small, packed);
	assert_non_null(small);
	assert_true(unpack_events(again, len, small, packed));
	assert_memory_equal(again, plain, len);
	assert_false(unpack_events(again, len - 1, small, packed));
	assert_false(unpack_events(again, len, small, packed - 1));
	assert_int_equal(pack_events(again, plain, 15), 0);
	assert_true(unpack_events(again, 0, small, 0));
	free(plain);
	free(again);
	free(small);
}

/* ---- what a newer program may write ----------------------------------------------------- */

static void test_newer(void **state)
{
	struct event_head strange = { 32, 9999, 0, 1000000000005 };
	uint8_t record[32] = { 0 };
	struct capture_sample s;
	struct capture_writer w;
	struct watch_result r;
	struct heard heard;
	int fd = memory_file();
	uint16_t version = CAPTURE_MAJOR + 1;

	(void)state;
	assert_int_equal(capture_sample_init(&s, 10), 0);
	s.no_end = true;
	assert_int_equal(capture_sample_write(&s, fd), 0);
	capture_on_fd(&w, dup(fd));
	w.number = 1;	/* behind the sample's only chunk */
	memcpy(record, &strange, sizeof(strange));
	assert_int_equal(capture_put_chunk(&w, CHUNK_EVENTS, record, sizeof(record)), 0);
	assert_int_equal(capture_put_chunk(&w, CHUNK_SYMBOLS, "name", 4), 0);
	capture_close(&w);
	assert_int_equal(replay_again(fd, &heard, &r), 0);
	assert_false(r.damaged);
	assert_int_equal(heard.exchanges, 10);
	assert_int_equal(r.bad_events, 1);
	watch_result_free(&r);

	assert_int_equal(pwrite(fd, &version, 2, offsetof(struct capture_head, major)), 2);
	assert_int_equal(replay_again(fd, &heard, &r), 1);
	assert_int_equal(heard.exchanges, 0);
	watch_result_free(&r);
	capture_sample_free(&s);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_window_told),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_without_aggregate),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_every_member),
		cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_packing),
		cmocka_unit_test(test_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
