/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* capture_sample.c - see capture_sample.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_sample.h"
#include "capture/stacks.h"

#define START_NS    1000000000000ULL
#define BLOCK	    (256u << 10)
#define CONNECTIONS 50
#define ROUND	    100	/* exchanges between two ticks, at most */
#define AF_INET_    2

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44d;
	return x ^ x >> 33;
}

void sample_exchange(uint32_t i, struct ev_exchange *e, struct ev_answer *answer)
{
	uint64_t r = mix(i + 1), now = START_NS + 10000ULL * i + r % 5000;
	bool asleep = r & 1;

	*e = (struct ev_exchange){
		.head = { sizeof(*e), EV_EXCHANGE, (uint16_t)(r >> 8 & 1), now },
		.conn = 4242 + i % CONNECTIONS, .number = 1 + i / CONNECTIONS,
		.turn = 1 + i / 10, .bytes_in = 40, .pid = 1234, .tid = 1234,
		.flags = EXCHANGE_SPLIT_SERVICE | EXCHANGE_SPLIT_DISPATCH,
		.comm = "server",
		.flow = { .family = AF_INET_, .local_port = 80,
			  .remote_port = (uint16_t)(40000 + i % CONNECTIONS), .role = ROLE_SERVER,
			  .local = { 127, 0, 0, 1 }, .remote = { 127, 0, 0, 2 } },
	};
	e->stage_ns[asleep ? STAGE_WAKEUP : STAGE_BUSY] = 500 + (r >> 16) % 3000;
	if (asleep) {
		e->stage_ns[STAGE_RUNQUEUE] = (r >> 24) % 20000;
		e->stage_ns[STAGE_RETURN] = 300 + (r >> 28) % 2000;
	}
	e->stage_ns[STAGE_DISPATCH] = (r >> 32) % 50000;
	e->stage_ns[STAGE_SERVICE] = 10000 + (r >> 40) % 100000 + (i % 1000 ? 0 : 5000000);
	e->split[SPLIT_SERVICE].runnable_ns = (r >> 50) % 5000;
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		e->latency_ns += e->stage_ns[stage];
	*answer = (struct ev_answer){
		.head = { sizeof(*answer), EV_ANSWER, e->head.cpu, now + 5000 },
		.conn = e->conn, .number = e->number, .send_ns = r >> 20 & 1 ? 900 : 0,
		.deliver_ns = 2000 + (r >> 44) % 9000, .bytes_out = 200,
		.flags = ANSWER_DELIVERED,
	};
}

static void sample_close(uint32_t i, struct ev_conn_close *c)
{
	*c = (struct ev_conn_close){
		.head = { sizeof(*c), EV_CONN_CLOSE, 0, START_NS + 10000ULL * i + 9000 },
		.conn = 4242, .duration_ns = 10000ULL * i, .accept_wait_ns = 12000,
		.bytes_in = 40ULL * i, .bytes_out = 200ULL * i, .exchanges = i, .srtt_ns = 30000,
		.pid = 1234, .comm = "server", .reason = CLOSE_FIN, .closed_by = SIDE_REMOTE,
		.flow = { .family = AF_INET_, .local_port = 80, .remote_port = 40000,
			  .role = ROLE_SERVER, .local = { 127, 0, 0, 1 }, .remote = { 127, 0, 0, 2 } },
	};
}

static int sample_rest(struct aggregate *a)
{
	a->loops = calloc(1, sizeof(*a->loops));
	a->wakers = calloc(1, sizeof(*a->wakers));
	a->listeners = calloc(1, sizeof(*a->listeners));
	if (!a->loops || !a->wakers || !a->listeners)
		return -ENOMEM;
	a->n_loops = a->n_wakers = a->n_listeners = 1;
	a->loops[0] = (struct loop){ .pid = 1234, .tid = 1234, .comm = "server", .turns = 10,
				     .events = 20, .busy_ns = 3000, .wait_ns = 7000 };
	a->loops[0].turn.bucket[100] = 10;
	a->loops[0].turn.sum = 1000;
	a->loops[0].turn.max = 101;
	a->wakers[0].waker.count = 7;
	a->listeners[0] = (struct aggregate_listener){ .key.port = 80, .listener.limit = 511 };
	a->hists[H_SYSCALL + SC_READ].bucket[70] = 9;
	a->hists[H_SYSCALL + SC_READ].sum = 630;
	a->hists[H_SYSCALL + SC_READ].max = 70;
	a->counters.opened = CONNECTIONS;
	a->counters.closed = 1;
	a->counters.wakeups = 7;
	return 0;
}

int capture_sample_init(struct capture_sample *s, uint32_t exchanges)
{
	*s = (struct capture_sample){ .exchanges = exchanges, .round = ROUND };
	s->r = (struct watch_result){
		.version = "0.1.0", .kernel = "6.1.0", .host = "sample", .cpus = 2,
		.start_ns = START_NS, .end_ns = START_NS + 10000ULL * exchanges + 1000000,
		.realtime_offset_ns = 1700000000000000000, .events = 2ULL * exchanges + 1,
		.collector_cpu_seconds = 0.125, .loss_known = true, .program_status = -1,
	};
	memset(s->r.features.available, true, sizeof(s->r.features.available));
	memset(s->r.features.used, true, sizeof(s->r.features.used));
	s->r.aggregate = aggregate_new();
	s->r.targets.list = calloc(1, sizeof(*s->r.targets.list));
	if (!s->r.aggregate || !s->r.targets.list)
		return -ENOMEM;
	s->r.targets.n = 1;
	s->r.targets.list[0] = (struct target){ .pid = 1234, .start_time = 99, .comm = "server",
						.exe = "/usr/bin/server" };
	return sample_rest(s->r.aggregate);
}

void capture_sample_free(struct capture_sample *s)
{
	watch_result_free(&s->r);
}

/* A tick, then ROUND exchanges and their answers, the answers last. */
static void put_round(struct capture_sample *s, struct bytes *b, uint32_t from)
{
	struct event_head tick = { sizeof(tick), CAPTURE_TICK, 0, START_NS + 10000ULL * from };
	struct ev_answer answers[ROUND];
	uint32_t n = s->exchanges - from < s->round ? s->exchanges - from : s->round;

	bytes_put(b, &tick, sizeof(tick));
	for (uint32_t i = 0; i < n; i++) {
		struct ev_exchange e;

		sample_exchange(from + i, &e, &answers[i]);
		bytes_put(b, &e, sizeof(e));
		aggregate_add_exchange(s->r.aggregate, &e);
		aggregate_add_answer(s->r.aggregate, &answers[i]);
	}
	bytes_put(b, answers, n * sizeof(answers[0]));
}

/* Of a user stack the last but one has no symbol; the second file of that name is another. */
static int put_stacks(struct capture_writer *w)
{
	static const char *const user[] = { "work", "[libfoo.so+0x1234]", "main" };
	static const char *const other[] = { "[libfoo.so~2+0x40]" };
	static const char *const kernel[] = { "schedule_[k]" };
	static const struct named_stack stacks[] = {
		{ .key = { .pid = 1234, .id = 7 }, .frames = user, .n = 3 },
		{ .key = { .pid = 1234, .id = 8 }, .frames = other, .n = 1, .cut = true },
		{ .key = { .id = 9 }, .frames = kernel, .n = 1 },
	};
	static const struct stack_module modules[] = {
		{ .name = "libfoo.so", .path = "/lib/libfoo.so", .build_id = { 0xab, 0xcd, 0xef },
		  .build_id_len = 3 },
		{ .name = "libfoo.so~2", .path = "/opt/libfoo.so" },
	};
	struct bytes b = { 0 };
	int err;

	modules_put(&b, &modules[0]);
	modules_put(&b, &modules[1]);
	err = capture_put_chunk(w, CHUNK_MODULES, b.data, b.len);
	b.len = 0;
	for (size_t i = 0; i < 3 && !err; i++)
		err = stacks_put(&b, &stacks[i]);
	if (!err)
		err = capture_put_chunk(w, CHUNK_STACKS, b.data, b.len);
	bytes_free(&b);
	return err;
}

/* A sample and an absence with these stacks in the first exchange. */
static void put_taken(struct bytes *b)
{
	struct ev_sample s = {
		.head = { sizeof(s), EV_SAMPLE, 0, START_NS + 100 }, .pid = 1234, .tid = 1234,
		.kernel_stack = -1, .user_stack = 7, .comm = "server",
	};
	struct ev_offcpu o = {
		.head = { sizeof(o), EV_OFFCPU, 0, START_NS + 3000 }, .start_ns = START_NS + 1000,
		.blocked_ns = 2000, .pid = 1234, .tid = 1234, .kernel_stack = 9, .user_stack = 8,
		.waker_kernel_stack = -1, .waker_user_stack = -1, .comm = "server",
	};

	bytes_put(b, &s, sizeof(s));
	bytes_put(b, &o, sizeof(o));
}

static int put_events(struct capture_sample *s, struct capture_writer *w)
{
	struct ev_conn_close c;
	struct bytes b = { 0 };
	int err = 0;

	for (uint32_t i = 0; i < s->exchanges && !err; i += s->round) {
		put_round(s, &b, i);
		if (s->round == ROUND && b.len < BLOCK)
			continue;
		err = capture_put_chunk(w, CHUNK_EVENTS, b.data, b.len);
		b.len = 0;
	}
	if (s->stacks)
		put_taken(&b);
	sample_close(s->exchanges, &c);
	bytes_put(&b, &c, sizeof(c));
	if (!err)
		err = b.failed ? -ENOMEM : capture_put_chunk(w, CHUNK_EVENTS, b.data, b.len);
	bytes_free(&b);
	return err;
}

static int put_ends(struct capture_sample *s, struct capture_writer *w)
{
	uint64_t kinds[EV_KINDS] = { [EV_EXCHANGE] = s->exchanges, [EV_ANSWER] = s->exchanges,
				     [EV_CONN_CLOSE] = 1 };
	struct bytes b = { 0 };
	int err = 0;

	if (s->stacks)
		err = put_stacks(w);
	if (!err && !s->no_aggregate) {
		aggregate_put(&b, s->r.aggregate);
		err = capture_put_chunk(w, CHUNK_AGGREGATE, b.data, b.len);
	}
	b.len = 0;
	meta_put(&b, &s->r, NULL);
	meta_put_end(&b, &s->r, kinds);
	if (!err)
		err = capture_put_chunk(w, CHUNK_TRAILER, b.data, b.len);
	bytes_free(&b);
	return err ? err : capture_end(w);
}

int capture_sample_write(struct capture_sample *s, int fd)
{
	struct capture_writer w;
	struct bytes b = { 0 };
	int err;

	fd = dup(fd);
	if (fd < 0)
		return -errno;
	if (s->stacks) {
		s->r.stack_hz = 100;
		s->r.stack_depth = STACK_DEPTH;
		s->r.window_ns = 60000000000;
	}
	capture_on_fd(&w, fd);
	meta_put(&b, &s->r, NULL);
	err = capture_put_head(&w, &b, s->flags);
	bytes_free(&b);
	err = err ? err : put_events(s, &w);
	if (!err && !s->no_end)
		err = put_ends(s, &w);
	capture_close(&w);
	return err;
}
