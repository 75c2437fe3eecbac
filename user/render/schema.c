/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * schema.c - JSON Schema of every JSON output, from *.schema.json. Every member named there is
 * always present; more may be added, so unknown members are allowed.
 */
#include <string.h>

#include "render/render.h"

static const char report_schema[] =
#include "user/render/report.schema.json.h"
	;

static const char slow_schema[] =
#include "user/render/slow.schema.json.h"
	;

static const char conn_schema[] =
#include "user/render/conn.schema.json.h"
	;

const char *schema_text(const char *name)
{
	static const struct {
		const char *schema, *command, *text;
	} known[] = {
		{ SCHEMA_REPORT, "report", report_schema },
		{ SCHEMA_SLOW, "slow", slow_schema },
		{ SCHEMA_CONN, "conns", conn_schema },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i].schema) || !strcmp(name, known[i].command))
			return known[i].text;
	return NULL;
}
