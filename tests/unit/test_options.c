/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_options.c - the command line: values, defaults, refusals, help that tells the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/syscalls.h"
#include "cli/options.h"
#include "cli/options_table.h"
#include "base/quantity.h"

#define ARGS_MAX 32

/* Splits at blanks and parses; words must outlive the options. */
static int parse(struct options *o, char *words)
{
	char *argv[ARGS_MAX] = { "epollscope" }, *save = NULL;
	int argc = 1;

	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return options_parse(o, argc, argv);
}

static void refused(const char *line, const char *part)
{
	char words[256];
	struct options o;

	snprintf(words, sizeof(words), "%s", line);
	if (parse(&o, words) == 0)
		fail_msg("'%s' was accepted", line);
	if (!strstr(o.error, part))
		fail_msg("'%s': expected '%s' in '%s'", line, part, o.error);
	if (!strstr(o.error, "--help'"))
		fail_msg("'%s': no way out in '%s'", line, o.error);
	options_free(&o);
}

static void test_defaults(void **state)
{
	char words[] = "report -p 1";
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, words), 0);
	assert_int_equal(o.command, CMD_REPORT);
	assert_int_equal(o.action, ACTION_RUN);
	assert_int_equal(o.duration_ns, 0);
	assert_int_equal(o.top, 3);
	assert_int_equal(o.ring_kib, ring_kib_for(sysconf(_SC_NPROCESSORS_CONF)));
	assert_int_equal(ring_kib_for(1), 4096);
	assert_int_equal(ring_kib_for(16), 4096);
	assert_int_equal(ring_kib_for(17), 2048);
	assert_int_equal(ring_kib_for(128), 512);
	assert_int_equal(ring_kib_for(4096), 256);
	assert_int_equal(o.color, COLOR_AUTO);
	assert_false(o.json || o.json_schema || o.has_over || o.has_max_loss || o.has_syscalls);
	assert_int_equal(o.syscalls, SYSCALLS_SAMPLE);
	assert_int_equal(o.verbose, 0);
	options_free(&o);
}

static void test_syscalls(void **state)
{
	static const struct {
		const char *words;
		unsigned mode;
	} given[] = {
		{ "report -p 1 --syscalls all", SYSCALLS_ALL },
		{ "report -p 1 --syscalls sample", SYSCALLS_SAMPLE },
		{ "record -p 1 -o f --syscalls=off", SYSCALLS_OFF },
		{ "record -p 1 -o f", SYSCALLS_SAMPLE },
		{ "export -p 1", SYSCALLS_OFF },
		{ "export -p 1 --syscalls sample", SYSCALLS_SAMPLE },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		char words[64];

		snprintf(words, sizeof(words), "%s", given[i].words);
		assert_int_equal(parse(&o, words), 0);
		assert_int_equal(o.syscalls, given[i].mode);
		options_free(&o);
	}
}

static void test_everything_given(void **state)
{
	char words[] = "report -p 12,13 --pid=14 -c nginx* -c php -P 80,443 --cgroup a/b -d 2.5 "
		       "--json -vv";
	char more[] = "slow -P 1 --over 1.5ms --max-loss 1% --ring-size 64 --color never";
	char capture[] = "record -o a.cap -p 1 --max-size 2G --ring 30 --until slow>50ms";
	char replayed[] = "slow -i - --over 1ms --max-loss 1";
	char rest[] = "report -p1 --top 0 --no-syscalls -d 500ms --html f --hz 49";
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, words), 0);
	assert_int_equal(o.target.n_pids, 3);
	assert_int_equal(o.target.pids[0], 12);
	assert_int_equal(o.target.pids[2], 14);
	assert_int_equal(o.target.n_comms, 2);
	assert_string_equal(o.target.comms[1], "php");
	assert_int_equal(o.target.n_ports, 2);
	assert_int_equal(o.target.ports[1], 443);
	assert_string_equal(o.target.cgroup, "a/b");
	assert_int_equal(o.duration_ns, 2500000000);
	assert_true(o.json);
	assert_int_equal(o.verbose, 2);
	options_free(&o);

	assert_int_equal(parse(&o, more), 0);
	assert_true(o.has_over && o.has_max_loss);
	assert_int_equal(o.over_ns, 1500000);
	assert_true(o.max_loss > 0.0099999 && o.max_loss < 0.0100001);
	assert_int_equal(o.ring_kib, 64);
	assert_int_equal(o.color, COLOR_NEVER);
	options_free(&o);

	assert_int_equal(parse(&o, capture), 0);
	assert_int_equal(o.command, CMD_RECORD);
	assert_string_equal(o.output, "a.cap");
	assert_int_equal(o.max_bytes, 2147483648);
	assert_int_equal(o.ring_ns, 30000000000);
	assert_true(o.has_until);
	assert_int_equal(o.until_ns, 50000000);
	options_free(&o);

	assert_int_equal(parse(&o, replayed), 0);
	assert_string_equal(o.input, "-");
	options_free(&o);

	assert_int_equal(parse(&o, rest), 0);
	assert_int_equal(o.top, 0);
	assert_int_equal(o.syscalls, SYSCALLS_OFF);
	assert_int_equal(o.duration_ns, 500000000);
	assert_string_equal(o.html, "f");
	assert_int_equal(o.hz, 49);
	options_free(&o);
}

static void expect_bad(const char *words, const char *why)
{
	char line[128];
	struct options o;

	snprintf(line, sizeof(line), "%s", words);
	assert_int_equal(parse(&o, line), -EINVAL);
	if (!strstr(o.error, why))
		fail_msg("expected '%s' got '%s'", why, o.error);
	options_free(&o);
}

static void test_stack_options(void **state)
{
	char flame[] = "flame -p1 --period 10ms --depth 12 --window 2 --debug-dir d -o f";
	char replayed[] = "slow -i f --window 2m";
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, flame), 0);
	assert_int_equal(o.hz, 100);
	assert_int_equal(o.depth, 12);
	assert_int_equal(o.window_ns, 2000000000);
	assert_string_equal(o.debug_dir, "d");
	assert_string_equal(o.output, "f");
	options_free(&o);
	assert_int_equal(parse(&o, replayed), 0);
	assert_int_equal(o.window_ns, 120000000000);
	options_free(&o);
	expect_bad("flame -p1 --depth 0", "from 1 to 127");
	expect_bad("flame -p1 --depth 128", "from 1 to 127");
	expect_bad("flame -p1 --period 10", "a period is");
	expect_bad("flame -p1 --period 2s", "a period is");
	expect_bad("flame -p1 --period 99us", "a period is");
	expect_bad("slow -p1 --window 0.9", "a window is");
	expect_bad("slow -p1 --window 61m", "a window is");
	expect_bad("slow -p1 --window x", "a window is");
	expect_bad("slow -p1 --over 1ms --window 2", "leave out --window");
	expect_bad("flame -i f --depth 3", "leave out --depth");
	expect_bad("flame -i f -o g", "leave out -o");
	expect_bad("conns -p1 --window 2", "does not take --window");
	expect_bad("report -p1 --window 2", "does not take --window");
	expect_bad("conns -p1 --max-size 2M", "give -o FILE");
}

static void test_program(void **state)
{
	char *argv[] = { "epollscope", "report", "-d", "1", "-P", "80",
			 "--", "prog", "-x", "--", "y", NULL };
	char *value[] = { "epollscope", "report", "-c", "--", NULL };
	struct options o;

	(void)state;
	assert_int_equal(options_parse(&o, 11, argv), 0);
	assert_ptr_equal(o.target.program, argv + 7);
	assert_string_equal(o.target.program[1], "-x");
	assert_null(o.target.program[4]);
	options_free(&o);

	/* Here "--" is a name, not the start of a program. */
	assert_int_equal(options_parse(&o, 4, value), 0);
	assert_null(o.target.program);
	assert_string_equal(o.target.comms[0], "--");
	options_free(&o);
}

static void test_no_target_needed(void **state)
{
	static const struct {
		const char *line;
		enum action action;
		enum command command;
	} cases[] = {
		{ "--help", ACTION_HELP, CMD_NONE },
		{ "-h", ACTION_HELP, CMD_NONE },
		{ "report --help", ACTION_HELP, CMD_REPORT },
		{ "slow -h --nonsense", ACTION_HELP, CMD_SLOW },
		{ "--version", ACTION_VERSION, CMD_NONE },
		{ "conns --version", ACTION_VERSION, CMD_CONNS },
		{ "--json-schema", ACTION_RUN, CMD_REPORT },
		{ "slow --json-schema", ACTION_RUN, CMD_SLOW },
		{ "doctor", ACTION_RUN, CMD_DOCTOR },
		{ "-v doctor --json", ACTION_RUN, CMD_DOCTOR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char words[64];
		struct options o;

		snprintf(words, sizeof(words), "%s", cases[i].line);
		if (parse(&o, words))
			fail_msg("'%s': %s", cases[i].line, o.error);
		assert_int_equal(o.action, cases[i].action);
		assert_int_equal(o.command, cases[i].command);
		options_free(&o);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *line, *part;
	} cases[] = {
		{ "", "no command" },
		{ "reprot -p 1", "unknown command 'reprot'" },
		{ "record -p 1", "give -o FILE" },
		{ "record -i x -o y", "'record' does not take -i" },
		{ "record -o y", "no target" },
		{ "record -o y -p 1 --json", "does not take --json" },
		{ "record -o - -- true", "what PROGRAM prints" },
		{ "report -o - -p 1", "stdout carries the result" },
		{ "record -o y -p 1 --ring 0", "'0'" },
		{ "record -o y -p 1 --ring 2h", "'2h'" },
		{ "record -o y -p 1 --until slow", "'slow'" },
		{ "record -o y -p 1 --until slow>5", "slow>50ms" },
		{ "record -o y -p 1 --max-size 1K", "at least 1M" },
		{ "record -o y -p 1 --max-size 1.5G", "at least 1M" },
		{ "record -o y -p 1 --max-size 1P", "at least 1M" },
		{ "record -o y -p 1 --max-size 99999999999T", "at least 1M" },
		{ "report -p 1 --max-size 1M", "give -o FILE" },
		{ "report -p 1 --ring 1", "does not take --ring" },
		{ "report -i x -p 1", "leave out -p" },
		{ "slow -i x -P 1", "leave out -p" },
		{ "conns -i x -c y", "leave out -p" },
		{ "report -i x -d 1", "leave out -d" },
		{ "report -i x -o y", "leave out -o" },
		{ "report -i x --no-syscalls", "leave out --syscalls" },
		{ "report -i x --syscalls all", "leave out --syscalls" },
		{ "report -p 1 --syscalls some", "it is sample, all or off" },
		{ "slow -p 1 --syscalls all", "does not take --syscalls" },
		{ "doctor -i x", "'doctor' does not take -i" },
		{ "report", "no target" },
		{ "report -p", "'-p' needs a value" },
		{ "report --over 1ms -p 1", "'report' does not take --over" },
		{ "-p 1 report", "-p comes after the command" },
		{ "report -p 1 nginx", "unexpected 'nginx'" },
		{ "report -p 1 --nonsense", "unknown option '--nonsense'" },
		{ "report -p 1 -x", "unknown option '-x'" },
		{ "report -p 1 --json=yes", "takes no value" },
		{ "report -p 1 --", "no program after '--'" },
		{ "report -p 1 -- prog", "leave out" },
		{ "doctor -- prog", "does not launch" },
		{ "doctor --cost", "--cost is measured on a target" },
		{ "doctor --cost -- prog", "does not launch" },
		{ "report -p 1 --cost", "'report' does not take --cost" },
		{ "report -p 0", "'0' for -p" },
		{ "report -p -1", "'-1' for -p" },
		{ "report -p 2147483648", "'2147483648' for -p" },
		{ "report -p 99999999999999999999999", "for -p" },
		{ "report -p 12a", "'12a' for -p" },
		{ "report -p 1,,2", "'1,,2' for -p" },
		{ "report -p 1,", "'1,' for -p" },
		{ "report -p +1", "'+1' for -p" },
		{ "report -p 0x1", "'0x1' for -p" },
		{ "report -P 0", "'0' for -P" },
		{ "report -P 65536", "'65536' for -P" },
		{ "report -P http", "'http' for -P" },
		{ "report -p 1 -d 0", "'0' for -d" },
		{ "report -p 1 -d 0ns", "'0ns' for -d" },
		{ "report -p 1 -d -1", "'-1' for -d" },
		{ "report -p 1 -d 1e99", "'1e99' for -d" },
		{ "report -p 1 -d nan", "'nan' for -d" },
		{ "report -p 1 -d inf", "'inf' for -d" },
		{ "report -p 1 -d 1,5", "'1,5' for -d" },
		{ "report -p 1 -d 31536001", "'31536001' for -d" },
		{ "report -p 1 -d 99999999999999999999999", "for -d" },
		{ "slow -p 1 --over 5", "'5' for --over" },
		{ "slow -p 1 --over ms", "'ms' for --over" },
		{ "slow -p 1 --over 5mss", "'5mss' for --over" },
		{ "report -p 1 --max-loss 2", "'2' for --max-loss" },
		{ "report -p 1 --max-loss 101%", "'101%' for --max-loss" },
		{ "report -p 1 --max-loss -1", "'-1' for --max-loss" },
		{ "report -p 1 --ring-size 100", "'100' for --ring-size" },
		{ "report -p 1 --ring-size 32", "'32' for --ring-size" },
		{ "report -p 1 --ring-size 131072", "'131072' for --ring-size" },
		{ "report -p 1 --top 101", "'101' for --top" },
		{ "report -p 1 --html=", "'' for --html" },
		{ "slow -p 1 --html f", "'slow' does not take --html" },
		{ "report -p 1 --color blue", "'blue' for --color" },
		{ "report --cgroup=", "'' for --cgroup" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(cases[i].line, cases[i].part);
}

static void accepted(const char *line)
{
	char words[256];
	struct options o;

	snprintf(words, sizeof(words), "%s", line);
	if (parse(&o, words))
		fail_msg("'%s': %s", line, o.error);
	options_free(&o);
}

/* Whatever its name: nothing is written over what is read, or by two. */
static void test_one_file(void **state)
{
	static const struct {
		const char *line, *part;	/* accepted without */
	} given[] = {
		{ "report -i file --html file", "-i and --html name one file" },
		{ "report -i file --html ./link", "-i and --html" },
		{ "report -i hard --html file", "-i and --html" },
		{ "report -p 1 -o new --html ./new", "-o and --html" },
		{ "flame -i file --svg file", "-i and --svg" },
		{ "flame -p 1 --svg new --chrome-trace folder/../new", "--svg and --chrome-trace" },
		{ "flame -p 1 -o file --svg folder/../file", "-o and --svg" },
		{ "flame --folded file --svg hard", "--folded and --svg" },
		{ "flame -p 1 --against link --svg file", "--against and --svg" },
		{ "report -i file --html new", NULL },
		{ "flame -p 1 --svg new --chrome-trace folder/new", NULL },
		{ "flame -p 1 --svg /dev/null --chrome-trace /dev/null", NULL },
		{ "flame --folded file --against file", NULL },
		{ "flame -i - --svg new", NULL },
	};
	char folder[] = "/tmp/test_options.XXXXXX", home[4096];
	FILE *f;

	(void)state;
	assert_non_null(getcwd(home, sizeof(home)));
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	f = fopen("file", "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(symlink("file", "link") | link("file", "hard") | mkdir("folder", 0700), 0);
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		if (given[i].part)
			refused(given[i].line, given[i].part);
		else
			accepted(given[i].line);
	}
	assert_int_equal(remove("file") | remove("link") | remove("hard") | remove("folder"), 0);
	assert_int_equal(chdir(home), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "0", 0 },	    { "0ns", 0 },		    { "1ns", 1 },
		{ "5ms", 5000000 },   { "200us", 200000 },	    { "1.5s", 1500000000 },
		{ "2m", 120000000000 }, { "1h", 3600000000000 },  { "0.000000001s", 1 },
		{ "0.0000000019s", 1 }, { "8760h", QUANTITY_DURATION_MAX_NS },
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (quantity_duration(cases[i].text, false, &ns))
			fail_msg("'%s' was refused", cases[i].text);
		assert_int_equal(ns, cases[i].ns);
	}
	assert_int_equal(quantity_duration("1.", true, &ns), -EINVAL);
	assert_int_equal(quantity_duration(".5", true, &ns), -EINVAL);
	assert_int_equal(quantity_duration("", true, &ns), -EINVAL);
	assert_int_equal(quantity_duration(" 1", true, &ns), -EINVAL);
	assert_int_equal(quantity_duration("8761h", true, &ns), -ERANGE);
	assert_int_equal(quantity_duration("18446744073709551616", true, &ns), -ERANGE);
}

/* Help names every option of a command, stays within 100 columns and shows the defaults. */
static void test_help(void **state)
{
	(void)state;
	for (int command = CMD_NONE; command < CMD_COUNT; command++) {
		char *text = NULL, *line, *save = NULL;
		size_t size;
		FILE *out;

		out = open_memstream(&text, &size);
		assert_non_null(out);
		options_print_help(out, (enum command)command);
		fclose(out);
		for (size_t i = 0; i < option_count; i++) {
			char name[40];

			snprintf(name, sizeof(name), "--%s", option_rows[i].name);
			if ((option_rows[i].commands & IN(command)) && !strstr(text, name))
				fail_msg("help of command %d lacks %s", command, name);
		}
		for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			if (strlen(line) > 100)
				fail_msg("%zu columns: %s", strlen(line), line);
		}
		free(text);
	}
}

/* What help shows as an example is accepted. */
static void test_examples_parse(void **state)
{
	(void)state;
	for (int command = CMD_NONE + 1; command < CMD_COUNT; command++) {
		for (size_t i = 0; i < 4 && command_rows[command].examples[i]; i++) {
			char words[128], *rest;
			struct options o;

			snprintf(words, sizeof(words), "%s", command_rows[command].examples[i]);
			rest = strstr(words, " > ");
			rest = rest ? rest : strstr(words, " | ");
			if (rest)
				*rest = '\0';
			for (char *quote; (quote = strchr(words, '\''));)
				memmove(quote, quote + 1, strlen(quote));
			if (parse(&o, words))
				fail_msg("'%s': %s", command_rows[command].examples[i], o.error);
			options_free(&o);
		}
	}
}

static void test_color(void **state)
{
	struct options o = { .color = COLOR_ALWAYS };

	(void)state;
	assert_true(options_color(&o, -1));
	o.color = COLOR_NEVER;
	assert_false(options_color(&o, 1));
	o.color = COLOR_AUTO;
	assert_false(options_color(&o, -1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_syscalls),
		cmocka_unit_test(test_everything_given),
		cmocka_unit_test(test_stack_options),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_no_target_needed),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_one_file),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_examples_parse),
		cmocka_unit_test(test_color),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
