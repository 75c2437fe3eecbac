/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_export.c - what clients ask for, which connections go, and how targets are grouped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/http.h"
#include "cli/options.h"

#define OPEN "application/openmetrics-text"

static void test_accept(void **state)
{
	static const struct {
		const char *accept;
		enum exposition_format format;
	} cases[] = {
		{ NULL, EXPOSITION_TEXT },
		{ "", EXPOSITION_TEXT },
		{ "*/*", EXPOSITION_TEXT },
		{ OPEN, EXPOSITION_OPENMETRICS },
		{ OPEN "; version=1.0.0", EXPOSITION_OPENMETRICS },
		{ OPEN ";version=0.0.1", EXPOSITION_TEXT },
		{ OPEN ";q=0", EXPOSITION_TEXT },
		{ OPEN ";version=1.0.0," OPEN ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
		  "*/*;q=0.1", EXPOSITION_OPENMETRICS },
		{ "text/plain;q=0.9 , " OPEN " ; q=0.8", EXPOSITION_TEXT },
		{ ",,;;=;q=,text/html;q=1.0000," OPEN ";q=0.001", EXPOSITION_OPENMETRICS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_format(cases[i].accept) != cases[i].format)
			fail_msg("Accept: %s", cases[i].accept);
	assert_false(http_wants_gzip(NULL));
	assert_true(http_wants_gzip("gzip"));
	assert_true(http_wants_gzip("br, GZIP;q=0.1"));
	assert_false(http_wants_gzip("gzip;q=0, deflate"));
	assert_false(http_wants_gzip("x-gzip"));
}

static bool is_shut(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* The one that has kept us waiting longest goes, before one that is being answered. */
static void test_conns(void **state)
{
	struct http_conns c = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct http_conn *slots[HTTP_CONNECTIONS + 1];
	int fds[HTTP_CONNECTIONS + 1][2];

	(void)state;
	for (int i = 0; i <= HTTP_CONNECTIONS; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
		slots[i] = conns_add(&c, fds[i][0], (uint64_t)i);
		assert_non_null(slots[i]);
		if (!i)
			conns_phase(&c, slots[i], CONN_ANSWER, 0);
	}
	for (int i = 0; i <= HTTP_CONNECTIONS; i++)
		assert_int_equal(is_shut(fds[i][1]), i == 1);
	conns_sweep(&c, HTTP_HEADER_NS + 4);
	for (int i = 0; i <= HTTP_CONNECTIONS; i++)
		assert_int_equal(is_shut(fds[i][1]), i >= 1 && i <= 4);
	assert_int_equal(c.shut, 4);
	conns_sweep(&c, HTTP_ANSWER_NS);
	assert_true(is_shut(fds[0][1]));
	for (int i = 0; i <= HTTP_CONNECTIONS; i++) {
		conns_remove(&c, slots[i]);
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static int parse(struct options *o, const char *line, char *storage, size_t room)
{
	char *argv[32] = { "epollscope" }, *save = NULL;
	int argc = 1;

	snprintf(storage, room, "%s", line);
	for (char *w = strtok_r(storage, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return options_parse(o, argc, argv);
}

static void test_groups(void **state)
{
	char storage[256];
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "export -c a -P 80 --target b -c x -c y --target c -p 7", storage,
			       sizeof(storage)), 0);
	assert_int_equal(o.export.n_groups, 3);
	assert_null(o.export.groups[0].name);
	assert_int_equal(o.export.groups[0].spec.n_comms, 1);
	assert_int_equal(o.export.groups[0].spec.n_ports, 1);
	assert_string_equal(o.export.groups[1].name, "b");
	assert_int_equal(o.export.groups[1].spec.n_comms, 2);
	assert_int_equal(o.export.groups[1].spec.n_ports, 0);
	assert_string_equal(o.export.groups[2].name, "c");
	assert_int_equal(o.export.groups[2].spec.pids[0], 7);
	assert_string_equal(o.export.listen, "127.0.0.1:9464");
	options_free(&o);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *line, *part;
	} cases[] = {
		{ "export", "no target" },
		{ "export --target a", "a --target has no condition" },
		{ "export --target a --target b -p 1", "a --target has no condition" },
		{ "export --target a -p 1 --target a -p 2", "each target has a name of its own" },
		{ "export -p 1 --listen 9464", "an address and a port" },
		{ "export -p 1 --listen :65536", "an address and a port" },
		{ "export -p 1 --max-series 0", "a count" },
		{ "export -p 1 --tls-cert x", "go together" },
		{ "export -p 1 -d 5", "'export' does not take -d" },
		{ "export -- true", "does not launch programs" },
		{ "report -p 1 --listen :1", "'report' does not take --listen" },
	};
	char storage[256];
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(parse(&o, cases[i].line, storage, sizeof(storage)) < 0);
		if (!strstr(o.error, cases[i].part))
			fail_msg("%s: expected '%s' in '%s'", cases[i].line, cases[i].part, o.error);
		options_free(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_conns),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
