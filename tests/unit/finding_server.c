/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding_server.c - see finding_server.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "finding_server.h"

void healthy(struct server *s)
{
	memset(s, 0, sizeof(*s));
	thresholds_default(s->threshold);
	s->r.latency = (struct dist){ .count = 10000, .p50_ns = MS, .p99_ns = 20 * MS,
				      .max_ns = 40 * MS };
	s->r.window_ns = 20 * S;
	s->r.events = 1000;
	s->r.loops = s->loops;
	s->r.n_loops = 2;
	for (int i = 0; i < 2; i++)
		s->loops[i] = (struct loop_info){ .pid = 10, .tid = 10 + (uint32_t)i,
						  .turns = 10000, .events = 10000,
						  .exchanges = 5000, .busy_share = 0.3 };
	s->r.listeners = &s->listener;
	s->r.n_listeners = 1;
	s->listener = (struct listener_info){ .port = 80, .backlog_max = 3, .limit = 511 };
	s->call.name = "read";
	s->r.syscalls = &s->call;
	s->r.n_syscalls = 1;
	s->r.eventpolls = &s->eventpoll;
	s->r.n_eventpolls = 1;
	s->r.connections.opened = 1000;
	s->r.connections.closed = 1000;
	s->r.connections.accept_wait = (struct dist){ .count = 1000, .p99_ns = MS, .max_ns = MS };
	s->r.runqueue = (struct dist){ .count = 1000, .p99_ns = MS / 10, .max_ns = MS };
	s->r.send = (struct dist){ .count = 10000, .p99_ns = MS, .max_ns = MS };
	s->r.counters.ctl[CTL_ADD] = 1000;
	s->r.counters.ctl[CTL_DEL] = 1000;
	s->r.counters.answers = 10000;
	s->r.counters.answer_sends = 10000;
	s->r.counters.segments_out = 10000;
	s->facts.known = true;
	s->target = (struct target_info){ .pid = 10, .comm = "server" };
	s->r.targets = &s->target;
	s->r.n_targets = 1;
	s->b.count = 100;
	s->b.latency_ns = 2 * S;
	s->b.cause_ns[CAUSE_WAKEUP] = 2 * S;
}

void blame(struct server *s, enum cause cause, uint64_t percent)
{
	s->b.cause_ns[cause] = s->b.latency_ns / 100 * percent;
	s->b.cause_ns[CAUSE_WAKEUP] -= s->b.cause_ns[cause];
}

size_t ask(struct server *s, struct finding *out)
{
	struct finding_input in = { .r = &s->r, .b = &s->b, .facts = &s->facts,
				    .threshold = s->threshold };
	size_t n = diagnose(&in, out);

	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(out[i].summary) > 20);
		assert_non_null(out[i].advice);
		assert_true(strlen(out[i].summary) < sizeof(out[i].summary) - 1);
	}
	return n;
}

void expect_only(struct server *s, const char *code, enum severity severity)
{
	struct finding out[FINDINGS_MAX];
	size_t n = ask(s, out);

	if (n != 1)
		for (size_t i = 0; i < n; i++)
			print_message("fired: %s\n", out[i].code);
	assert_int_equal(n, 1);
	assert_string_equal(out[0].code, code);
	assert_int_equal(out[0].severity, severity);
}

void expect_none(struct server *s)
{
	struct finding out[FINDINGS_MAX];

	assert_int_equal(ask(s, out), 0);
}

struct finding first_finding(struct server *s, const char *code)
{
	struct finding out[FINDINGS_MAX];
	size_t n = ask(s, out);

	if (!n || strcmp(out[0].code, code) != 0)
		fail_msg("expected %s first got %s", code, n ? out[0].code : "none");
	return out[0];
}

static bool says(const struct finding *f, const char *words)
{
	return strstr(f->summary, words) || strstr(f->advice, words);
}

void expect_words(const struct finding *f, const char *words)
{
	if (!says(f, words))
		fail_msg("expected '%s' in: %s %s", words, f->summary, f->advice);
}

void expect_no_words(const struct finding *f, const char *words)
{
	if (says(f, words))
		fail_msg("expected no '%s' in: %s %s", words, f->summary, f->advice);
}
