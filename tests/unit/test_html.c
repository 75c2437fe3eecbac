/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_html.c - the page: whole without data, closed elements, names that want to get out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "explain/finding.h"
#include "explain/heatmap.h"
#include "render/render.h"

#define HOSTILE "</b><i>\"'&\x1b\xff"

struct sample {
	struct report r;
	struct target_info target;
	struct exchange_info worst;
	struct loop_info loop;
	struct waker_info waker;
	struct finding finding;
	struct waterfall waterfall;
	struct html_page page;
};

/* Names of the kernel are 16 bytes, terminated or not. */
static void fill_hostile(struct sample *s)
{
	const struct dist d = { 1000, 5000000, 4000, 6000, 9000, 9900, 10001 };

	memset(s, 0, sizeof(*s));
	s->r.version = "0.1.0";
	strcpy(s->r.kernel, "6.1 <script>");
	strcpy(s->r.host, "</title><script>");
	s->r.window_ns = 1000000000;
	s->target = (struct target_info){ 7, HOSTILE, "/x</script><!--<script>" };
	s->r.targets = &s->target;
	s->r.n_targets = 1;
	s->r.latency = d;
	s->r.tail_count = 10;
	s->r.stages[STAGE_SERVICE] = (struct stage_info){ .dist = d, .tail_share = 1 };
	memcpy(s->worst.ex.comm, HOSTILE HOSTILE, COMM_LEN);
	s->worst.ex.latency_ns = 10001;
	s->worst.ex.stage_ns[STAGE_BUSY] = 4000;
	s->worst.ex.stage_ns[STAGE_SERVICE] = 6001;
	s->worst.ex.flow.family = AF_INET;
	s->r.worst = &s->worst;
	s->r.n_worst = 1;
	s->loop = (struct loop_info){ .comm = HOSTILE, .turn = d };
	s->r.loops = &s->loop;
	s->r.n_loops = 1;
	s->waker = (struct waker_info){ HOSTILE, 1 };
	s->r.wakers = &s->waker;
	s->r.n_wakers = 1;
	s->finding = (struct finding){ .code = "slow-service", .summary = "by <script>x</script>",
				       .advice = "a & b", .n_evidence = 1,
				       .evidence = { { .name = "who", .text = "<img src=x>" } } };
	s->r.findings = &s->finding;
	s->r.n_findings = 1;
	s->waterfall = (struct waterfall){ .n = 1 };
	s->waterfall.part[0] = (struct waterfall_part){
		.stage = STAGE_SERVICE, .what = WATERFALL_RUNNABLE, .ns = 500, .pid = 1,
		.comm = HOSTILE,
	};
	s->page = (struct html_page){ .r = &s->r, .waterfalls = &s->waterfall };
}

static char *written(const struct html_page *page)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(html_write(out, page), 0);
	fclose(out);
	assert_int_equal(strlen(text), len);
	return text;
}

static unsigned times(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static bool is_void(const char *name)
{
	return !strcmp(name, "meta") || !strcmp(name, "!DOCTYPE");
}

/* Every element that is opened is closed, in order; attributes are quoted. */
static void assert_closed(const char *p)
{
	char open[64][16], name[16];
	unsigned depth = 0;

	for (; (p = strchr(p, '<')); p++) {
		bool closes = p[1] == '/';
		const char *start = p + 1 + closes;
		size_t len = strcspn(start, " />\n");

		assert_true(len && len < sizeof(name));
		memcpy(name, start, len);
		name[len] = '\0';
		for (p = start; *p && *p != '>'; p++)
			if (*p == '"')
				p = strchr(p + 1, '"');
		assert_int_equal(*p, '>');
		if (closes) {
			assert_true(depth > 0);
			assert_string_equal(open[--depth], name);
		} else if (!is_void(name) && p[-1] != '/') {
			assert_true(depth < 64);
			strcpy(open[depth++], name);
			if (!strcmp(name, "script") || !strcmp(name, "style"))
				p = strstr(p, !strcmp(name, "style") ? "</style" : "</script") - 1;
		}
	}
	assert_int_equal(depth, 0);
}

static struct heatmap *some_heat(void)
{
	struct heatmap *heat = heatmap_new();
	struct hist total = { 0 };

	assert_non_null(heat);
	for (uint64_t i = 0; i < 10; i++) {
		heatmap_feed(heat, i * 100000000, &total);
		total.bucket[hist_bucket(1000 << i)] += 100;
	}
	heatmap_feed(heat, 1000000000, &total);
	return heat;
}

static void an_empty_report_is_a_page(void **state)
{
	struct report r = { .window_ns = 1000000000 };
	struct html_page page = { .r = &r };
	char *text = written(&page);

	(void)state;
	assert_closed(text);
	assert_non_null(strstr(text, "No exchanges seen in 1.00 s."));
	assert_int_equal(times(text, "Not recorded"), 2);
	assert_int_equal(times(text, "<h1"), 0);
	assert_int_equal(times(text, "<section "), 7);
	free(text);
}

static void names_stay_text(void **state)
{
	struct flame_tree *tree = flame_new();
	const char *frames[] = { "service", "</svg><script>alert(1)</script>" };
	struct sample s;
	char *text;

	(void)state;
	fill_hostile(&s);
	assert_int_equal(flame_add(tree, frames, 2, 500), 0);
	s.page.tree = tree;
	s.page.heat = some_heat();
	text = written(&s.page);
	assert_closed(text);
	/* The heat map's data, the report, ours, and the flame graph's. */
	assert_int_equal(times(text, "<script"), 4);
	assert_int_equal(times(text, "</script"), 4);
	assert_int_equal(times(text, "</svg"), 2);
	assert_int_equal(times(text, "<!--"), 0);
	assert_int_equal(times(text, "<img"), 0);
	assert_int_equal(times(text, "\x1b"), 0);
	assert_int_equal(times(text, "\xff"), 0);
	assert_non_null(strstr(text, "&lt;/b&gt;&lt;i&gt;&quot;&#39;&amp;\\x1b\\xff"));
	assert_non_null(strstr(text, "by &lt;script&gt;x&lt;/script&gt;"));
	assert_non_null(strstr(text, "\\u003c/script>\\u003c!--\\u003cscript>"));
	free(text);
	free((struct heatmap *)s.page.heat);
	flame_free(tree);
}

static void nothing_from_outside(void **state)
{
	struct sample s;
	char *text;

	(void)state;
	fill_hostile(&s);
	text = written(&s.page);
	assert_int_equal(times(text, "src="), 2);	/* the evidence, as words and as JSON */
	assert_int_equal(times(text, "@import") + times(text, "url("), 0);
	assert_int_equal(times(text, "<link") + times(text, "<iframe"), 0);
	assert_int_equal(times(text, "href=\"") - times(text, "href=\"#"), 0);
	assert_non_null(strstr(text, "default-src 'none'"));
	free(text);
}

static void numbers_carry_their_value(void **state)
{
	struct sample s;
	char *text;

	(void)state;
	fill_hostile(&s);
	s.r.stages[STAGE_BUSY].tail_share = 0.0001;
	text = written(&s.page);
	assert_non_null(strstr(text, "&lt;0.1 %"));
	assert_int_equal(times(text, "<0"), 0);
	assert_non_null(strstr(text, "<dt>P99</dt><dd><data value=\"9000\">9.00 us</data>"));
	assert_non_null(strstr(text, "<dt>max</dt><dd><data value=\"10001\">"));
	assert_non_null(strstr(text, "<td><data value=\"6001\">6.00 us</data></td>"));
	assert_non_null(strstr(text, "margin-left:39.996%;width:60.004%"));
	assert_non_null(strstr(text, "waited 500 ns for a CPU while"));
	free(text);
}

static void a_full_disk_is_an_error(void **state)
{
	struct sample s;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	fill_hostile(&s);
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_not_equal(html_write(full, &s.page), 0);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_report_is_a_page),
		cmocka_unit_test(names_stay_text),
		cmocka_unit_test(nothing_from_outside),
		cmocka_unit_test(numbers_carry_their_value),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
