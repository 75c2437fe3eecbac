/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* threshold.c - see threshold.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/term.h"
#include "explain/threshold.h"

struct row {
	const char *name;
	double value;
	enum threshold_unit unit;
	const char *help;
};

#define ROW(id, name, value, unit, help) { name, value, UNIT_##unit, help },
static const struct row rows[THRESHOLD_COUNT] = { THRESHOLDS(ROW) };
#undef ROW

void thresholds_default(double *t)
{
	for (unsigned i = 0; i < THRESHOLD_COUNT; i++)
		t[i] = rows[i].value;
}

static int parse(const struct row *row, const char *text, double *value)
{
	uint64_t ns;
	char *end;

	if (row->unit == UNIT_NS) {
		if (quantity_duration(text, false, &ns))
			return -EINVAL;
		*value = (double)ns;
		return 0;
	}
	*value = strtod(text, &end);
	if (row->unit == UNIT_SHARE && !strcmp(end, "%")) {
		*value /= 100;
		end++;
	}
	return end == text || *end || !isfinite(*value) || *value < 0 ? -EINVAL : 0;
}

const char *threshold_set(double *t, const char *text)
{
	const char *equal = strchr(text, '=');
	size_t len = equal ? (size_t)(equal - text) : 0;

	for (unsigned i = 0; i < THRESHOLD_COUNT; i++) {
		if (!len || strlen(rows[i].name) != len || strncmp(rows[i].name, text, len))
			continue;
		if (!parse(&rows[i], equal + 1, &t[i]))
			return NULL;
		return rows[i].unit == UNIT_NS ? "a time is wanted, as 5ms" :
		       rows[i].unit == UNIT_SHARE ? "a share is wanted, as 20%" :
		       "a number is wanted";
	}
	return "it is NAME=VALUE, with a name that `epollscope report --help` lists";
}

void thresholds_help(FILE *out)
{
	struct fmt value;

	for (unsigned i = 0; i < THRESHOLD_COUNT; i++) {
		const struct row *row = &rows[i];

		if (row->unit == UNIT_NS)
			value = format_ns((uint64_t)row->value);
		else if (row->unit == UNIT_SHARE)
			snprintf(value.s, sizeof(value.s), "%g %%", row->value * 100);
		else
			snprintf(value.s, sizeof(value.s), "%g", row->value);
		fprintf(out, "  %-16s%10s  %s\n", row->name, value.s, row->help);
	}
}
