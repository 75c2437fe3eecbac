/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_metrics.c - buckets, lines, escapes and limits of the exporter's page. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/export.h"

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A value counts below a bound exactly when it is smaller, whichever way it came. */
static void test_buckets(void **state)
{
	static struct hist fine;
	struct metrics_hist direct = { 0 }, converted = { 0 };
	uint64_t below[METRICS_BUCKETS] = { 0 }, sum = 0, seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t v = next_random(&seed) >> (next_random(&seed) % 40 + 24);

		if (i < 80)
			v = (1ULL << (i / 2)) - (uint64_t)(i % 2);
		fine.bucket[hist_bucket(v)]++;
		fine.sum += v;
		sum += v;
		metrics_hist_put(&direct, v);
		for (unsigned b = 0; b < METRICS_BUCKETS - 1; b++)
			below[b] += v < 1ULL << (METRICS_EXP_MIN + b);
	}
	metrics_hist_add(&converted, &fine);
	assert_memory_equal(&converted, &direct, sizeof(direct));
	assert_int_equal(converted.sum_ns, sum);
	assert_int_equal(metrics_hist_count(&converted), 200000);
	for (unsigned b = 0, n = 0; b < METRICS_BUCKETS - 1; b++) {
		n += converted.bucket[b];
		assert_int_equal(n, below[b]);
	}
}

static struct metrics_loop one_loop = { .name = "nginx", .turns = 4, .events = 9 };

static struct metrics_target sample_target(void)
{
	struct metrics_target m = {
		.name = "web", .created_ns = 1700000000000000001, .processes = 2,
		.loops = &one_loop, .n_loops = 1, .n_ports = 1,
		.ports = { { 80, 3, 511 } }, .n_findings = 2,
		.findings = { { "loop-blocked", true }, { "slow-request", false } },
	};

	metrics_hist_put(&m.exchange, 1023);
	metrics_hist_put(&m.exchange, 1024);
	metrics_hist_put(&m.exchange, 1ULL << 36);
	m.exemplar[1] = (struct metrics_exemplar){ 1024, 1700000001500000000, 77, 5, 6 };
	return m;
}

static char *page(enum exposition_format format, uint64_t *series)
{
	struct metrics_target target = sample_target();
	struct metrics m = { .targets = &target, .n_targets = 1, .version = "1.2.3",
			     .kernel = "6.18", .max_series = 1000,
			     .created_ns = 1700000000000000000 };
	struct exposition t = { .format = format };

	metrics_write(&t, &m);
	assert_false(t.failed);
	*series = t.series;
	t.data = realloc(t.data, t.len + 1);
	assert_non_null(t.data);
	t.data[t.len] = '\0';
	return t.data;
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("expected %s in the page", part);
}

static void test_text(void **state)
{
	uint64_t series;
	char *text = page(EXPOSITION_TEXT, &series);

	(void)state;
#define X "epollscope_exchange_duration_seconds"
	expect_in(text, "# TYPE " X " histogram\n"
		  X "_bucket{target=\"web\",le=\"1.024e-06\"} 1\n"
		  X "_bucket{target=\"web\",le=\"2.048e-06\"} 2\n");
	expect_in(text, X "_bucket{target=\"web\",le=\"68.719476736\"} 2\n"
		  X "_bucket{target=\"web\",le=\"+Inf\"} 3\n"
		  X "_sum{target=\"web\"} 68.719478783\n"
		  X "_count{target=\"web\"} 3\n# HELP");
	expect_in(text, "epollscope_stage_duration_seconds_count{target=\"web\",stage=\"busy\"} 0\n");
	expect_in(text, "epollscope_epoll_events_per_wait_sum{target=\"web\",loop=\"nginx\"} 9\n"
		  "epollscope_epoll_events_per_wait_count{target=\"web\",loop=\"nginx\"} 4\n");
	expect_in(text, "epollscope_accept_queue_limit{target=\"web\",port=\"80\"} 511\n");
	expect_in(text, "epollscope_finding{target=\"web\",code=\"loop-blocked\"} 1\n"
		  "epollscope_finding{target=\"web\",code=\"slow-request\"} 0\n");
	expect_in(text, "# TYPE epollscope_build_info gauge\n"
		  "epollscope_build_info{version=\"1.2.3\",kernel=\"6.18\"} 1\n");
	assert_null(strstr(text, "_created"));
	assert_null(strstr(text, "# UNIT"));
	assert_null(strstr(text, "EOF"));
	assert_null(strstr(text, " # {"));
	free(text);
}

static void test_openmetrics(void **state)
{
	uint64_t series, lines = 0;
	char *text = page(EXPOSITION_OPENMETRICS, &series), *line, *save = NULL, last[64];

	(void)state;
	expect_in(text, "# TYPE epollscope_connections_opened counter\n"
		  "epollscope_connections_opened_total{target=\"web\"} 0\n"
		  "epollscope_connections_opened_created{target=\"web\"} 1700000000.000000001\n");
	expect_in(text, "# UNIT epollscope_bpf_seconds seconds\n");
	expect_in(text, "# TYPE epollscope_build info\n");
	expect_in(text, X "_bucket{target=\"web\",le=\"2.048e-06\"} 2 "
		  "# {conn=\"77\",pid=\"5\",tid=\"6\"} 0.000001024 1700000001.500000000\n");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	snprintf(last, sizeof(last), "epollscope_series %llu\n", (unsigned long long)series);
	expect_in(text, last);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		lines += line[0] != '#';
	assert_int_equal(lines, series);
	free(text);
}

static void test_labels(void **state)
{
	static const struct {
		const char *name, *label;
	} cases[] = {
		{ "nginx", "nginx" },
		{ "a\"b", "a\\\"b" },
		{ "a\\b", "a\\\\x5cb" },
		{ "a\nb\x1b[31m", "a\\\\x0ab\\\\x1b[31m" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "cut\xe2\x82", "cut\\\\xe2\\\\x82" },
		{ "\xff) R 1 (", "\\\\xff) R 1 (" },
		{ "{le=\"0\"}", "{le=\\\"0\\\"}" },
	};
	char label[LABEL_MAX], longest[COMM_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		exposition_label(label, cases[i].name, COMM_LEN);
		assert_string_equal(label, cases[i].label);
	}
	memset(longest, 1, sizeof(longest));
	exposition_label(label, longest, sizeof(longest));
	assert_int_equal(strlen(label), 5 * COMM_LEN);
}

static void test_limits(void **state)
{
	struct export_limits limits;
	uint64_t least;

	(void)state;
	assert_int_equal(export_limits(&limits, 1, 2, false, &least), -ERANGE);
	assert_int_equal(export_limits(&limits, least - 1, 2, false, &least), -ERANGE);
	assert_int_equal(export_limits(&limits, least, 2, false, &least), 0);
	assert_int_equal(limits.loops, 0);
	assert_int_equal(limits.ports, 0);
	assert_int_equal(export_limits(&limits, 1000000, 2, true, &least), 0);
	assert_int_equal(limits.loops, LOOPS_MAX);
	assert_int_equal(limits.ports, METRICS_PORTS);
}

/* As many loops and ports as the limits give: the page is within --max-series. */
static void test_limits_hold(void **state)
{
	static struct metrics_loop loops[LOOPS_MAX + 1];
	struct metrics_target *target = calloc(1, sizeof(*target));
	struct metrics m = { .targets = target, .n_targets = 1, .version = "" };
	struct export_limits limits;
	uint64_t least;

	(void)state;
	assert_non_null(target);
	for (uint64_t max = 1200; max < 12000; max += 777) {
		struct exposition t = { .format = EXPOSITION_OPENMETRICS };

		assert_int_equal(export_limits(&limits, max, 1, false, &least), 0);
		target->loops = loops;
		target->n_loops = limits.loops + 1;
		target->n_ports = limits.ports + 1;
		target->cost_known = true;
		metrics_write(&t, &m);
		if (t.series > max)
			fail_msg("%llu series of %llu", (unsigned long long)t.series,
				 (unsigned long long)max);
		free(t.data);
	}
	free(target);
}

/* docs/metrics.md is what the program prints. Tests run in the top folder. */
static void test_document(void **state)
{
	FILE *file = fopen("docs/metrics.md", "re"), *out;
	char *made = NULL, *kept;
	size_t len, n;

	(void)state;
	assert_non_null(file);
	out = open_memstream(&made, &len);
	assert_non_null(out);
	metrics_document(out);
	fclose(out);
	kept = calloc(1, len + 2);
	assert_non_null(kept);
	n = fread(kept, 1, len + 1, file);
	fclose(file);
	if (n != len || memcmp(kept, made, len))
		fail_msg("docs/metrics.md is not what `epollscope export --print-metrics` prints");
	free(kept);
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_hold),
		cmocka_unit_test(test_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
