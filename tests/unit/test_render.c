/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_render.c - reports and lines: valid JSON, fixed names, 100 columns, hostile or no data. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "explain/finding.h"
#include "json_check.h"
#include "render/render.h"

#define OFFSET INT64_C(1763716000000000000)

static void assert_json(const char *text)
{
	const char *end = json_end(text);

	if (!end)
		fail_msg("not JSON: %s", text);
	assert_string_equal(end, "\n");
}

/* ---- samples ------------------------------------------------------------------------------ */

static struct dist some(uint64_t count, uint64_t ns)
{
	return (struct dist){ count, count * ns, ns, 2 * ns, 9 * ns, 12 * ns, 20 * ns };
}

static struct exchange_info sample_exchange(void)
{
	struct exchange_info x = {
		.ex = {
			.head = { .time_ns = 1234567890 },
			.conn = 0x4b1, .number = 7, .turn = 3, .latency_ns = 1000000,
			.stage_ns = { [STAGE_BUSY] = 800000, [STAGE_DISPATCH] = 50000,
				      [STAGE_SERVICE] = 150000 },
			.split = { [SPLIT_BUSY] = { 8000, 92000 } },
			.bytes_in = 120, .pid = 4242, .tid = 4243,
			.flags = EXCHANGE_SPLIT_BUSY | EXCHANGE_ASYNC,
			.comm = "redis-server",
			.flow = { .family = AF_INET, .local_port = 6379, .remote_port = 51234,
				  .role = ROLE_SERVER, .local = { 127, 0, 0, 1 },
				  .remote = { 127, 0, 0, 2 } },
		},
		.answer = { .send_ns = 10, .deliver_ns = 20, .bytes_out = 4000,
			    .flags = ANSWER_DELIVERED },
		.has_answer = true,
	};

	return x;
}

static struct ev_conn_close sample_close(void)
{
	struct ev_conn_close c = {
		.head = { .time_ns = 5000000 },
		.conn = 0x4d, .duration_ns = 123456789, .accept_wait_ns = 30000,
		.bytes_in = 123456, .bytes_out = 9, .exchanges = 1234567,
		.max_latency_ns = 5310000, .srtt_ns = 40000, .retransmits = 1, .pid = 4242,
		.comm = "nginx: worker pr",	/* all 16 bytes: not terminated */
		.closed_by = SIDE_REMOTE, .reason = CLOSE_RESET_RECEIVED,
	};

	c.state_ns[1] = 123000000;
	c.state_ns[8] = 456789;
	c.flow = sample_exchange().ex.flow;
	return c;
}

struct sample {
	struct report r;
	struct target_info targets[2];
	struct exchange_info worst[2];
	struct syscall_info syscalls[2];
	struct waker_info wakers[2];
	struct loop_info loops[20];
	struct hold holds[2];
	struct eventpoll_info eventpolls[1];
	struct listener_info listeners[1];
	struct finding findings[1];
	const char *notes[1];
};

static void link_sample(struct sample *s)
{
	s->r.targets = s->targets;
	s->r.n_targets = 2;
	s->r.worst = s->worst;
	s->r.n_worst = 2;
	s->r.syscalls = s->syscalls;
	s->r.n_syscalls = 2;
	s->r.wakers = s->wakers;
	s->r.n_wakers = 2;
	s->r.loops = s->loops;
	s->r.n_loops = 20;
	s->r.holds.worst = s->holds;
	s->r.holds.n_worst = 2;
	s->r.eventpolls = s->eventpolls;
	s->r.n_eventpolls = 1;
	s->r.listeners = s->listeners;
	s->r.n_listeners = 1;
	s->r.findings = s->findings;
	s->r.n_findings = 1;
	s->r.notes = s->notes;
	s->r.n_notes = 1;
}

static void fill_sample(struct sample *s)
{
	static const double shares[STAGE_COUNT] = { .01, 0, .01, .03, .62, .02, .07, .24 };

	memset(s, 0, sizeof(*s));
	s->r.version = "0.1.0";
	strcpy(s->r.kernel, "6.18.0");
	strcpy(s->r.host, "web3");
	s->r.start_realtime_ns = (uint64_t)OFFSET + 123456789;
	s->r.window_ns = 10000000000;
	s->targets[0] = (struct target_info){ 4242, "redis-server", "/usr/bin/redis-server" };
	s->targets[1] = (struct target_info){ 4250, "nginx", "" };
	s->r.latency = some(199950, 180000);
	for (unsigned i = 1; i < STAGE_COUNT; i++)
		s->r.stages[i].dist = some(199950, 1000 * i);
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		s->r.stages[i].tail_share = shares[i];
	s->r.stages[STAGE_BUSY].has_split = true;
	s->r.stages[STAGE_BUSY].split_ns = 1000;
	s->r.stages[STAGE_BUSY].oncpu_ns = 700;
	s->r.stages[STAGE_BUSY].runnable_ns = 50;
	s->r.stages[STAGE_BUSY].blocked_ns = 250;
	s->r.tail_count = 2013;
	s->r.send = some(199950, 1200);
	s->r.clamped = 12;
	s->worst[0] = s->worst[1] = sample_exchange();
	s->syscalls[0] = (struct syscall_info){ .name = "epoll_wait",
						.dist = some(180000, 40000) };
	s->syscalls[1] = (struct syscall_info){ .name = "close", .errors = 1, .windows = 3,
						.sampled = 0.1, .error_known = 1,
						.error = 0.25 };
	s->r.wakeups = 12345;
	s->r.runqueue = some(12357, 2000);
	s->r.offcpu_count[OFFCPU_FUTEX] = 3;
	s->r.offcpu_ns[OFFCPU_FUTEX] = 90000;
	s->wakers[0] = (struct waker_info){ "swapper/0", 1000 };
	s->wakers[1] = (struct waker_info){ "redis-benchmark", 10 };
	for (unsigned i = 0; i < 20; i++)
		s->loops[i] = (struct loop_info){ .pid = 4242, .tid = 4242 + i, .turns = 146000,
						  .comm = "redis-server", .events = 199950,
						  .busy_share = .92, .turn = some(146000, 50000) };
	s->eventpolls[0] = (struct eventpoll_info){ .id = 0x1b37d100, .pid = 4242, .returns = 146000,
						    .events = 199950 };
	s->r.connections.opened = 50;
	s->r.connections.by_state[1] = 50;
	s->r.connections.by_reason[CLOSE_FIN] = 18;
	s->listeners[0] = (struct listener_info){ 6379, 0, 5, 511, 50, 50 };
	s->r.holds = (struct holds){ .known = true, .limit_ns = 999424, .count = 20,
				     .long_count = 20, .sum_ns = 1000000000, .max_ns = 50400000,
				     .deaf = .1, .p99_ns = 45000000, .p999_ns = 49500000 };
	s->holds[0] = (struct hold){ .start_ns = 5000000, .end_ns = 55400000, .blocked_ns = 50100000,
				     .conn = 7, .conn_ns = 50300000, .call_ns = 50100000,
				     .call = 202, .pid = 4242, .tid = 4243, .waiting = 8,
				     .comm = "redis-server" };
	s->holds[1] = (struct hold){ .start_ns = 5000000, .end_ns = 15400000, .own_ns = 10000000,
				     .flags = TURN_BEFORE | TURN_UNENDED, .call = ~0u };
	s->r.traffic[KIND_REQUEST - 1] = (struct traffic_info){
		.connections = 48, .exchanges = 199950, .bytes_in = 10397400, .bytes_out = 999750,
		.latency = some(199950, 60000), .protocols = { [PROTOCOL_REDIS] = 47, [0] = 1 },
	};
	s->r.traffic[KIND_OVERLAPPING - 1] = (struct traffic_info){
		.connections = 1, .exchanges = 300, .bytes_in = 900, .bytes_out = 900,
		.latency = some(300, 20000000), .protocols = { [PROTOCOL_HTTP2] = 1 },
	};
	s->r.traffic[KIND_ONE_WAY - 1] = (struct traffic_info){
		.connections = 1234567, .bytes_in = 40, .bytes_out = 123456789,
		.protocols = { [PROTOCOL_MQTT] = 999999, [PROTOCOL_WEBSOCKET] = 200000, [0] = 34568 },
	};
	s->r.counters.kind_late = 100;
	s->r.overhead.bpf_known = true;
	s->r.overhead.bpf_ns_per_exchange = 512.4;
	s->notes[0] = "before 6.3 arrival times come from tcp_probe";
	s->findings[0] = (struct finding){
		.code = "loop-blocked", .severity = SEVERITY_SEVERE, .share = .62,
		.summary = "Single handlers held the event loop.", .advice = "Move the work.",
		.evidence = { { .name = "handler_max_ns", .value = 2e7 },
			      { .name = "thread", .text = "nginx" } },
		.n_evidence = 2,
	};
	link_sample(s);
}

/* Everything as large and as foul as its type allows. */
static void spoil_sample(struct sample *s)
{
	static const char *const reals[] = { "a\x1b]0;x\x07\r\n\"\\\xff", "\xe6\x97\xa5\xe6\x97" };

	memset(s, 0xff, sizeof(*s));
	s->r.version = reals[0];
	memset(s->r.kernel, '\x1b', sizeof(s->r.kernel));
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		s->r.stages[i].has_split = true;
	for (unsigned i = 0; i < 2; i++) {
		s->worst[i].has_answer = true;
		s->worst[i].ex.flow.family = AF_INET6;
		s->syscalls[i].name = "epoll_pwait2";
		strcpy(s->targets[i].comm, reals[i]);
	}
	s->r.overhead.bpf_known = true;
	s->r.exchanges_only = false;
	s->r.loss_unknown = false;
	s->r.sampled.on = true;
	s->r.holds.known = true;
	s->r.budget.bpf_known = true;
	s->r.gates[0] = '\0';
	s->notes[0] = reals[0];
	for (size_t i = 0; i < sizeof(s->findings[0].summary) - 1; i++)
		s->findings[0].summary[i] = i % 12 ? 'x' : ' ';
	s->findings[0].summary[sizeof(s->findings[0].summary) - 1] = '\0';
	s->findings[0].code = s->findings[0].advice = "said by us";
	s->findings[0].share = NAN;
	s->findings[0].n_evidence = 0;
	link_sample(s);
}

/* ---- rendering into memory -------------------------------------------------------------- */

struct text {
	FILE *out;
	char *s;
	size_t len;
};

static FILE *text_open(struct text *t)
{
	t->s = NULL;
	t->out = open_memstream(&t->s, &t->len);
	assert_non_null(t->out);
	return t->out;
}

static const char *text_close(struct text *t)
{
	fclose(t->out);
	assert_int_equal(strlen(t->s), t->len);
	return t->s;
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

/* Clean lines of at most 100 columns. */
static void assert_text(const char *text)
{
	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		char *line = strndup(text, (size_t)(end - text));
		uint32_t code;
		size_t n;

		if (text_columns(line) > TEXT_COLUMNS)
			fail_msg("%u columns: %s", text_columns(line), line);
		for (size_t i = 0; line[i]; i += n) {
			n = utf8_decode(line + i, strlen(line + i), &code);
			assert_true(n);
			assert_false(utf8_hostile(code));
		}
		if (line[0])
			assert_int_not_equal(line[strlen(line) - 1], ' ');
		free(line);
	}
	assert_string_equal(text, "");
}

static char *report_json(const struct report *r)
{
	struct text t;

	render_report_json(text_open(&t), r);
	assert_json(text_close(&t));
	return t.s;
}

static char *report_text(const struct report *r)
{
	struct style plain = { 0 };
	struct text t;

	render_report_text(text_open(&t), r, &plain);
	assert_text(text_close(&t));
	return t.s;
}

/* ---- tests ------------------------------------------------------------------------------ */

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(stage_name(STAGE_ACCEPT), "accept");
	assert_string_equal(stage_name(STAGE_SERVICE), "service");
	assert_string_equal(stage_name(STAGE_COUNT), "unknown");
	assert_string_equal(offcpu_name(OFFCPU_OTHER), "other");
	assert_string_equal(tcp_state_name(1), "ESTABLISHED");
	assert_string_equal(tcp_state_name(12), "NEW_SYN_RECV");
	assert_string_equal(tcp_state_name(0), "unknown");
	assert_string_equal(tcp_state_name(255), "unknown");
	assert_string_equal(role_name(ROLE_CLIENT), "client");
	assert_string_equal(close_reason_name(255), "unknown");
	assert_string_equal(close_side_name(SIDE_LOCAL), "local");
}

static void test_report_json_names(void **state)
{
	static const char *const parts[] = {
		"\"schema\": \"epollscope.report/1\"", "\"seconds\": 10", "\"latency_ns\"",
		"\"start\": \"2025-11-21T09:06:40.123456Z\"", "\"stage\": \"deliver\"",
		"\"tail_share\": 0.62", "\"runqueue_ns\"",
		"\"offcpu\"", "\"wakers\"", "\"busy_share\": 0.92", "\"turn_ns\"",
		"\"wait_ns\"", "\"ESTABLISHED\": 50", "\"reset_sent\": 0", "\"code\": \"loop-blocked\"",
		"\"severity\": \"severe\"", "\"handler_max_ns\": 20000000", "\"thread\": \"nginx\"",
		"\"map_full\": 0", "\"bpf_ns_per_exchange\": 512.4", "\"conn\": \"4b1\"",
		"\"accept_wait_ns\"", "\"listen_overflows\"", "\"loops_merged\"",
	};
	struct sample s;
	char *json;

	(void)state;
	fill_sample(&s);
	json = report_json(&s.r);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_contains(json, parts[i]);
	free(json);
}

static void test_report_without_samples(void **state)
{
	struct report r = { .version = "0.1.0", .window_ns = 1000000000 };
	char *text = report_json(&r);

	(void)state;
	assert_contains(text, "\"p99_ns\": null");
	assert_contains(text, "\"p999\": null");
	assert_contains(text, "\"mean\": null");
	assert_contains(text, "\"bpf_cpu_seconds\": null");
	assert_null(strstr(text, "nan"));
	free(text);

	text = report_text(&r);
	assert_contains(text, "No exchanges seen in 1.00 s.");
	assert_contains(text, "LOST        nothing\n");
	assert_null(strstr(text, "LEDGER"));
	assert_null(strstr(text, "SYSCALLS"));
	free(text);
}

static void test_report_text(void **state)
{
	struct sample s;
	char *text;

	(void)state;
	fill_sample(&s);
	text = report_text(&s.r);
	assert_contains(text, "The slowest 1 % (2,013 exchanges at or above 1.62 ms) spent 62 % of "
			      "their time in busy: the event\nloop was held");
	assert_contains(text, "another 24 % in service:");
	assert_contains(text, "server          199,950     180 us     180 us     360 us ");
	assert_contains(text, "accept                0          -          -          -   ");
	assert_contains(text, "on-CPU 70 %, runnable 5 %, blocked 25 %");
	assert_contains(text, "at most 1.6 % high; max is exact");
	assert_contains(text, "12 with a stamp moved");
	assert_contains(text, "and 4 less busy ones");
	assert_contains(text, "busy 80 %, service 15 %");
	assert_contains(text, "open loop             -          -       0 ns       0 ns    45.0 ms");
	assert_contains(text, "HOLDS       20 turns of 999 us or longer, 1.00 s in all (10 % of the");
	assert_contains(text, "held by connection 7, 8 waited");
	assert_contains(text, "since before the watch, and still");
	assert_contains(text, "held by own work");
	free(text);
}

static void test_one_exchange(void **state)
{
	struct sample s;
	char *text;

	(void)state;
	fill_sample(&s);
	s.r.latency = some(1, 180000);
	s.r.latency.max_ns = 180000;
	s.r.tail_count = 1;
	text = report_text(&s.r);
	assert_contains(text, "The slowest exchange (of 1, 180 us) spent 62 % of its time "
			      "in busy:");
	free(text);
}

static void test_losses_are_named(void **state)
{
	struct sample s;
	char *text;

	(void)state;
	fill_sample(&s);
	s.r.loss.ring = 1234567;
	s.r.loss.clock = 4;
	text = report_text(&s.r);
	assert_contains(text, "LOST        1,234,567 events found the ring buffer full");
	assert_contains(text, "--ring-size");
	assert_contains(text, "4 durations ended before they began");
	free(text);
}

static void test_traffic(void **state)
{
	struct sample s;
	char *text;

	(void)state;
	fill_sample(&s);
	text = report_text(&s.r);
	assert_contains(text, "TRAFFIC           connections   exchanges    in   out      P50      P99");
	assert_contains(text, "redis 47, other 1\n");
	assert_contains(text, "1,234,567           -    40  123M        -        -  mqtt 999,999, ...\n");
	assert_contains(text, "25 % of their reads came");
	free(text);
	text = report_json(&s.r);
	assert_contains(text, "\"kind\": \"one-way\",\n      \"connections\": 1234567,\n");
	assert_contains(text, "\"latency_ns\": null,\n      \"protocols\": {\"mqtt\": 999999,");
	free(text);
	/* A capture from before there were kinds. */
	memset(s.r.traffic, 0, sizeof(s.r.traffic));
	text = report_text(&s.r);
	assert_null(strstr(text, "TRAFFIC"));
	free(text);
}

static void test_budget_is_told(void **state)
{
	struct sample s;
	char *text;

	(void)state;
	fill_sample(&s);
	text = report_text(&s.r);
	assert_null(strstr(text, "BUDGET"));
	free(text);
	text = report_json(&s.r);
	assert_contains(text, "\"budget\": null");
	assert_contains(text, "\"shed\": []");
	free(text);

	s.r.budget = (struct budget_info){
		.share = 0.02, .own_ns = 30, .target_ns = 1000, .bpf_known = true,
	};
	text = report_text(&s.r);
	assert_contains(text, "BUDGET      2 % of the target's CPU time; watching took 3 %;");
	assert_contains(text, "nothing was left out.");
	free(text);

	s.r.budget.bpf_known = false;
	s.r.budget.shed[SHED_WINDOWS] = (struct shed_info){
		.times = 2, .ns = 1500000000, .first_ns = 3000000000, .back_ns = 6000000000,
		.exchanges = 4321,
	};
	text = report_text(&s.r);
	assert_contains(text, "(the collector alone: the kernel");
	assert_contains(text, "Left out to be cheaper: windows of");
	assert_contains(text, "4,321");
	free(text);
	text = report_json(&s.r);
	assert_contains(text, "\"measured_share\": 0.03");
	assert_contains(text, "\"what\": \"syscall_windows\"");
	assert_contains(text, "\"seconds\": 1.5");
	free(text);
}

static void test_hostile_report(void **state)
{
	struct sample s;

	(void)state;
	spoil_sample(&s);
	free(report_json(&s.r));
	free(report_text(&s.r));
}

static void test_colour_only_if_asked(void **state)
{
	struct style color = { .color = true };
	struct sample s;
	struct text t;

	(void)state;
	fill_sample(&s);
	render_report_text(text_open(&t), &s.r, &color);
	assert_contains(text_close(&t), "\033[1mLEDGER");
	free(t.s);
}

static void test_slow_json(void **state)
{
	struct exchange_info x = sample_exchange();
	struct text t;

	(void)state;
	render_slow_json(text_open(&t), &x, OFFSET);
	assert_json(text_close(&t));
	assert_string_equal(t.s,
		"{\"schema\":\"epollscope.slow/1\",\"time\":\"2025-11-21T09:06:41.234567Z\","
		"\"pid\":4242,\"tid\":4243,\"comm\":\"redis-server\",\"conn\":\"4b1\",\"number\":7,"
		"\"local\":\"127.0.0.1:6379\",\"remote\":\"127.0.0.2:51234\",\"role\":\"server\","
		"\"latency_ns\":1000000,\"stages\":["
		"{\"stage\":\"accept\",\"ns\":0,\"oncpu_ns\":null,\"runnable_ns\":null,"
		"\"blocked_ns\":null},"
		"{\"stage\":\"receive\",\"ns\":0,\"oncpu_ns\":null,\"runnable_ns\":null,"
		"\"blocked_ns\":null},"
		"{\"stage\":\"wakeup\",\"ns\":0,\"oncpu_ns\":null,\"runnable_ns\":null,"
		"\"blocked_ns\":null},"
		"{\"stage\":\"runqueue\",\"ns\":0,\"oncpu_ns\":null,\"runnable_ns\":null,"
		"\"blocked_ns\":null},"
		"{\"stage\":\"busy\",\"ns\":800000,\"oncpu_ns\":700000,\"runnable_ns\":8000,"
		"\"blocked_ns\":92000,\"unarmed_ns\":0},"
		"{\"stage\":\"return\",\"ns\":0,\"oncpu_ns\":null,\"runnable_ns\":null,"
		"\"blocked_ns\":null},"
		"{\"stage\":\"dispatch\",\"ns\":50000,\"oncpu_ns\":null,\"runnable_ns\":null,"
		"\"blocked_ns\":null},"
		"{\"stage\":\"service\",\"ns\":150000,\"oncpu_ns\":null,\"runnable_ns\":null,"
		"\"blocked_ns\":null,\"others_ns\":null,\"idle_ns\":null}],"
		"\"send_ns\":10,\"deliver_ns\":20,\"bytes_in\":120,\"bytes_out\":4000,\"turn\":3,"
		"\"async\":true,\"handoff\":false,\"clamped\":false,\"merged\":false,"
		"\"no_wait\":false,\"kind\":\"request-response\",\"protocol\":null,"
		"\"upstream_ns\":null,\"estimated\":false}\n");
	free(t.s);
}

static void test_slow_json_without_answer(void **state)
{
	struct exchange_info x = sample_exchange();
	struct text t;

	(void)state;
	x.answer.flags = 0;
	render_slow_json(text_open(&t), &x, OFFSET);
	assert_contains(text_close(&t), "\"send_ns\":10,\"deliver_ns\":null,\"bytes_in\":120,"
					"\"bytes_out\":4000");
	free(t.s);
	x.has_answer = false;
	render_slow_json(text_open(&t), &x, OFFSET);
	assert_contains(text_close(&t), "\"send_ns\":null,\"deliver_ns\":null,\"bytes_in\":120,"
					"\"bytes_out\":null");
	free(t.s);
}

static void test_slow_text(void **state)
{
	struct exchange_info x = sample_exchange();
	struct style plain = { 0 };
	struct text t;

	(void)state;
	text_open(&t);
	render_slow_header(t.out, "TIME (UTC)", &plain);
	render_slow_text(t.out, &x, OFFSET, &plain);
	memset(&x, 0xff, sizeof(x));
	x.has_answer = false;
	x.ex.flow.family = AF_INET6;
	render_slow_text(t.out, &x, OFFSET, &plain);
	memset(&x, 0, sizeof(x));
	x.ex.stage_ns[STAGE_BUSY] = 7;	/* disagrees with a latency of 0 */
	render_slow_text(t.out, &x, -1, &plain);
	assert_text(text_close(&t));
	assert_contains(t.s, "09:06:41.234567  1.00 ms  redis-server       4243  127.0.0.2:51234  "
			     "      busy 80 %, service 15 %\n");
	free(t.s);
}

static void test_conn_json(void **state)
{
	struct ev_conn_close c = sample_close();
	struct text t;

	(void)state;
	render_conn_json(text_open(&t), &c, OFFSET);
	assert_json(text_close(&t));
	assert_string_equal(t.s,
		"{\"schema\":\"epollscope.conn/1\",\"time\":\"2025-11-21T09:06:40.005000Z\","
		"\"pid\":4242,\"comm\":\"nginx: worker pr\",\"conn\":\"4d\",\"role\":\"server\","
		"\"local\":\"127.0.0.1\",\"local_port\":6379,\"remote\":\"127.0.0.2\","
		"\"remote_port\":51234,\"preexisting\":false,\"duration_ns\":123456789,"
		"\"states\":{\"ESTABLISHED\":123000000,\"CLOSE_WAIT\":456789},"
		"\"accept_wait_ns\":30000,\"bytes_in\":123456,\"bytes_out\":9,"
		"\"exchanges\":1234567,\"max_latency_ns\":5310000,\"srtt_ns\":40000,"
		"\"retransmits\":1,\"closed_by\":\"remote\",\"reason\":\"reset_received\","
		"\"kind\":\"request-response\",\"protocol\":null}\n");
	free(t.s);

	c.accept_wait_ns = UINT64_MAX;
	memset(c.comm, 0xff, sizeof(c.comm));
	render_conn_json(text_open(&t), &c, OFFSET);
	assert_json(text_close(&t));
	assert_contains(t.s, "\"accept_wait_ns\":null");
	assert_contains(t.s, "\"comm\":\"\xef\xbf\xbd\xef\xbf\xbd");
	free(t.s);
}

static void test_conn_text(void **state)
{
	struct ev_conn_close c = sample_close();
	struct style plain = { 0 };
	struct text t;

	(void)state;
	text_open(&t);
	render_conn_header(t.out, &plain);
	render_conn_text(t.out, &c, OFFSET, &plain);
	memset(&c, 0xff, sizeof(c));
	c.flow.family = AF_INET6;
	for (unsigned reason = 0; reason <= CLOSE_REASONS; reason++)
		for (unsigned side = 0; side < 4; side++) {
			c.reason = (__u8)reason;
			c.closed_by = (__u8)side;
			render_conn_text(t.out, &c, OFFSET, &plain);
		}
	assert_text(text_close(&t));
	assert_contains(t.s, "09:06:40.005 nginx: work~    4242  6379<-127.0.0.2:51234         "
			     "123 ms  123k     9  1.23M rst peer\n");
	free(t.s);
}

static void test_schemas(void **state)
{
	static const char *const names[] = { SCHEMA_REPORT, SCHEMA_SLOW, SCHEMA_CONN,
					     "report", "slow", "conns" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_non_null(schema_text(names[i]));
		assert_json(schema_text(names[i]));
	}
	assert_ptr_equal(schema_text("report"), schema_text(SCHEMA_REPORT));
	assert_null(schema_text("flame"));
}

/* The value of a member of an object in JSON text; NULL: it has none of that name. */
static const char *json_member(const char *object, const char *name)
{
	const char *p = object + 1 + strspn(object + 1, " \n");

	while (*p == '"') {
		const char *key = p + 1, *value = json_end(p);

		value += strspn(value, ": \n");
		if (!strncmp(key, name, strlen(name)) && key[strlen(name)] == '"')
			return value;
		p = json_end(value);
		p += strspn(p, ", \n");
	}
	return NULL;
}

/* What a schema refers to, or what it allows besides null. */
static const char *resolve(const char *schema, const char *root)
{
	static const char defs[] = "\"#/$defs/";
	const char *other = json_member(schema, "anyOf");
	char name[32];

	if (other)
		return resolve(strchr(other, ',') + 1, root);
	other = json_member(schema, "$ref");
	if (!other)
		return schema;
	assert_int_equal(sscanf(other + strlen(defs), "%31[^\"]", name), 1);
	return json_member(json_member(root, "$defs"), name);
}

/*
 * Every member of the value stands in the schema, unless that leaves its names open, and every
 * member that the schema requires is there.
 */
static void assert_described(const char *value, const char *schema, const char *root)
{
	const char *properties, *required, *p = value + 1 + strspn(value + 1, " \n");
	char name[64];

	schema = resolve(schema, root);
	properties = json_member(schema, "properties");
	if (*value == '[') {
		for (; *p != ']'; p = json_end(p), p += strspn(p, ", \n"))
			assert_described(p, json_member(schema, "items"), root);
	}
	if (*value != '{' || !properties)
		return;
	for (; *p == '"'; p = json_end(p), p += strspn(p, ", \n")) {
		const char *known;

		assert_int_equal(sscanf(p, "\"%63[^\"]", name), 1);
		known = json_member(properties, name);
		if (!known)
			fail_msg("%s is printed and not in the schema", name);
		p = json_end(p);
		p += strspn(p, ": \n");
		assert_described(p, known, root);
	}
	required = json_member(schema, "required");
	for (p = required + 1; *p == '"'; p = json_end(p), p += *p == ',') {
		assert_int_equal(sscanf(p, "\"%63[^\"]", name), 1);
		if (!json_member(value, name))
			fail_msg("%s is required by the schema and not printed", name);
	}
}

static void test_output_is_as_its_schema(void **state)
{
	struct exchange_info x = sample_exchange();
	struct ev_conn_close c = sample_close();
	struct sample s;
	struct text t;
	char *json;

	(void)state;
	fill_sample(&s);
	json = report_json(&s.r);
	assert_described(json, schema_text("report"), schema_text("report"));
	free(json);
	s.r.exchanges_only = s.r.loss_unknown = true;
	json = report_json(&s.r);
	assert_described(json, schema_text("report"), schema_text("report"));
	free(json);

	render_slow_json(text_open(&t), &x, OFFSET);
	assert_described(text_close(&t), schema_text("slow"), schema_text("slow"));
	free(t.s);
	render_conn_json(text_open(&t), &c, OFFSET);
	assert_described(text_close(&t), schema_text("conns"), schema_text("conns"));
	free(t.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_report_json_names),
		cmocka_unit_test(test_report_without_samples),
		cmocka_unit_test(test_report_text),
		cmocka_unit_test(test_one_exchange),
		cmocka_unit_test(test_losses_are_named),
		cmocka_unit_test(test_traffic),
		cmocka_unit_test(test_budget_is_told),
		cmocka_unit_test(test_hostile_report),
		cmocka_unit_test(test_colour_only_if_asked),
		cmocka_unit_test(test_slow_json),
		cmocka_unit_test(test_slow_json_without_answer),
		cmocka_unit_test(test_slow_text),
		cmocka_unit_test(test_conn_json),
		cmocka_unit_test(test_conn_text),
		cmocka_unit_test(test_schemas),
		cmocka_unit_test(test_output_is_as_its_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
