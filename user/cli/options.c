/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options.c - from argv to struct options, by the tables. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/quantity.h"
#include "bpf/syscalls.h"
#include "cli/options_table.h"

#define OPTIONS_MAX 64
#define LONG_BASE   256	/* getopt's value for row 0; short names are below */

/* The tables as getopt_long wants them. */
struct getopt_view {
	char shorts[2 * OPTIONS_MAX + 3];
	struct option longs[OPTIONS_MAX + 1];
};

const char *command_name(enum command command)
{
	return command_rows[command].name;
}

/* Sets o->error: the message and where to read on. */
static int __attribute__((format(printf, 2, 3))) usage(struct options *o, const char *fmt, ...)
{
	const char *name = command_name(o->command);
	size_t len;
	va_list args;

	va_start(args, fmt);
	vsnprintf(o->error, sizeof(o->error), fmt, args);
	va_end(args);
	len = strlen(o->error);
	snprintf(o->error + len, sizeof(o->error) - len, "; try 'epollscope%s%s --help'",
		 name ? " " : "", name ? name : "");
	return -EINVAL;
}

static void build_view(struct getopt_view *view)
{
	char *s = view->shorts;

	*view = (struct getopt_view){ 0 };
	*s++ = '-';	/* in order: a word that is no option is reported where it stands */
	*s++ = ':';	/* tell a missing argument from an unknown option, and print nothing */
	for (size_t i = 0; i < option_count && i < OPTIONS_MAX; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->key) {
			*s++ = row->key;
			if (row->arg)
				*s++ = ':';
		}
		view->longs[i] = (struct option){
			.name = row->name,
			.has_arg = row->arg ? required_argument : no_argument,
			.val = LONG_BASE + (int)i,
		};
	}
}

static const struct option_row *row_of(int val)
{
	if (val >= LONG_BASE)
		return &option_rows[val - LONG_BASE];
	for (size_t i = 0; i < option_count; i++) {
		if (option_rows[i].key && option_rows[i].key == val)
			return &option_rows[i];
	}
	return NULL;
}

static int set_command(struct options *o, const char *word)
{
	for (int i = CMD_NONE + 1; i < CMD_COUNT; i++) {
		if (strcmp(word, command_rows[i].name) != 0)
			continue;
		o->command = (enum command)i;
		return 0;
	}
	return usage(o, "unknown command '%.60s'", word);
}

/* Adds the numbers of a list "1,2,3" to an array of *n; -ENOMEM, or another negative errno. */
static int add_numbers(uint32_t **array, size_t *n, const char *list, const struct option_value *v)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		char part[16] = "";
		uint32_t number, *place;

		if (len >= sizeof(part))
			return -EINVAL;
		memcpy(part, list, len);
		if (quantity_u32(part, (uint32_t)v->min, (uint32_t)v->max, &number))
			return -EINVAL;
		place = array_more(array, *n, sizeof(*place));
		if (!place)
			return -ENOMEM;
		*place = number;
		++*n;
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

static int find_word(const char *const *words, const char *text, unsigned *place)
{
	for (*place = 0; words[*place]; (*place)++)
		if (!strcmp(words[*place], text))
			return 0;
	return -EINVAL;
}

static int in_range(uint64_t n, const struct option_value *v)
{
	return n < v->min || n > v->max ? -ERANGE : 0;
}

/* Sets the field of the row; NULL, or what a good value would be. */
static const char *set_value(struct options *o, const struct option_row *row, const char *text)
{
	const struct option_value *v = &row->value;
	void *field = (char *)o + v->place;
	int err = 0;

	if (row->has)
		*(bool *)((char *)o + row->has) = true;
	switch (v->kind) {
	case VALUE_SPECIAL:
		return v->set(o, text);
	case VALUE_FLAG:
		*(bool *)field = true;
		break;
	case VALUE_FIXED:
		*(unsigned *)field = (unsigned)v->min;
		break;
	case VALUE_MORE:
		++*(unsigned *)field;
		break;
	case VALUE_TEXT:
		*(const char **)field = text;
		err = *text ? 0 : -EINVAL;
		break;
	case VALUE_WORD:
		err = find_word(v->words, text, field);
		break;
	case VALUE_COUNT:
		err = quantity_u32(text, (uint32_t)v->min, (uint32_t)v->max, field);
		break;
	case VALUE_NUMBERS:
		err = add_numbers(field, (size_t *)((char *)o + v->count), text, v);
		break;
	case VALUE_BYTES:
		err = quantity_bytes(text, field);
		err = err ? err : in_range(*(uint64_t *)field, v);
		break;
	case VALUE_TIME:
	case VALUE_SECONDS:
		err = quantity_duration(text, v->kind == VALUE_SECONDS, field);
		err = err ? err : in_range(*(uint64_t *)field, v);
		break;
	case VALUE_SHARE:
		err = quantity_share(text, field);
		break;
	}
	return err == -ENOMEM ? "out of memory" : err ? row->wanted : NULL;
}

static int apply(struct options *o, const struct option_row *row, const char *value)
{
	const char *wanted;
	char name[32];

	if (row->key)
		snprintf(name, sizeof(name), "-%c", row->key);
	else
		snprintf(name, sizeof(name), "--%s", row->name);
	if (!(row->commands & IN(o->command))) {
		if (o->command == CMD_NONE)
			return usage(o, "%s comes after the command", name);
		return usage(o, "'%s' does not take %s", command_name(o->command), name);
	}
	wanted = set_value(o, row, value);
	if (wanted)
		return usage(o, "bad value '%.40s' for %s: %s", value, name, wanted);
	return 0;
}

/* getopt refused a word: say which and why. */
static int refuse(struct options *o, int got, const char *word)
{
	const struct option_row *row = row_of(optopt);

	if (got == ':')
		return usage(o, "'%.40s' needs a value: %s", word, row ? row->arg : "VALUE");
	if (row && !row->arg)
		return usage(o, "'%.40s': this option takes no value", word);
	if (optopt && optopt < LONG_BASE)
		return usage(o, "unknown option '-%c'", optopt);
	return usage(o, "unknown option '%.40s'", word);
}

/* One step of getopt; got is what it returned. */
static int take(struct options *o, int got, char *const argv[])
{
	if (got == 1) {
		if (o->command == CMD_NONE)
			return set_command(o, optarg);
		return usage(o, "unexpected '%.60s'", optarg);
	}
	if (got == '?' || got == ':')
		return refuse(o, got, argv[optind - 1]);
	return apply(o, row_of(got), optarg);
}

static void set_presets(struct options *o)
{
	for (size_t i = 0; i < option_count; i++) {
		if (option_rows[i].preset)
			set_value(o, &option_rows[i], option_rows[i].preset);
	}
}

uint32_t ring_kib_for(long cpus)
{
	uint32_t kib = 4096;

	while (kib > 256 && cpus * kib > RINGS_KIB)
		kib /= 2;
	return kib;
}

static int check(struct options *o)
{
	const char *wrong;
	char same[80];

	if (o->command == CMD_NONE && o->json_schema)
		o->command = CMD_REPORT;
	if (o->command == CMD_NONE)
		return usage(o, "no command");
	if (!o->has_syscalls)
		o->syscalls = o->command == CMD_EXPORT ? SYSCALLS_OFF : SYSCALLS_SAMPLE;
	if (!o->has_budget && o->command == CMD_EXPORT)
		o->budget = EXPORT_BUDGET;
	if (!o->ring_kib)
		o->ring_kib = ring_kib_for(sysconf(_SC_NPROCESSORS_CONF));
	if (o->json_schema)
		return 0;
	wrong = options_check(o);
	wrong = wrong ? wrong : options_paths(o, same, sizeof(same));
	return wrong ? usage(o, "%s", wrong) : 0;
}

int options_parse(struct options *o, int argc, char *const argv[])
{
	const char *value = NULL;
	struct getopt_view view;
	bool dashes;
	int got, err = 0;

	*o = (struct options){ 0 };
	thresholds_default(o->threshold);
	set_presets(o);
	build_view(&view);
	optind = 0;	/* glibc: start afresh */
	do {
		got = getopt_long(argc, argv, view.shorts, view.longs, NULL);
		if (got == -1)
			break;
		value = optarg;
		err = take(o, got, argv);
	} while (!err && o->action == ACTION_RUN);
	if (err || o->action != ACTION_RUN)
		return err;

	/* getopt stops at "--", or at the end, whose last word may be an option's value "--". */
	dashes = optind > 1 && !strcmp(argv[optind - 1], "--") && value != argv[optind - 1];
	if (dashes && optind == argc)
		return usage(o, "no program after '--'");
	if (dashes)
		o->target.program = argv + optind;
	return check(o);
}

void options_free(struct options *o)
{
	target_spec_free(&o->target);
	for (size_t i = 0; i < o->export.n_groups; i++)
		target_spec_free(&o->export.groups[i].spec);
	free(o->export.groups);
}

bool options_color(const struct options *o, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color != COLOR_AUTO)
		return o->color == COLOR_ALWAYS;
	return isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}
