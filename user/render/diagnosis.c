// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* diagnosis.c - the findings: strongest first, each in a paragraph. */
#include <string.h>

#include "explain/finding.h"
#include "render/render.h"

#define LABEL_COLUMNS 12

void put_diagnosis(FILE *out, const struct report *r, const struct style *style)
{
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct finding *f = &r->findings[i];
		struct para p;

		para_begin(&p, out, style, i ? "" : "DIAGNOSIS", LABEL_COLUMNS);
		para_item(&p, " ", "%s%s%s (%s).", ink_on(style, INK_BOLD), f->code, ink_off(style),
			  severity_name(f->severity));
		para_words(&p, f->summary);
		para_words(&p, f->advice);
		para_end(&p);
	}
	if (r->n_findings)
		fputc('\n', out);
}

static void json_evidence(struct json *j, const struct finding *f)
{
	json_object(j, "evidence");
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];

		if (e->text[0])
			json_string(j, e->name, e->text);
		else
			json_double(j, e->name, e->value);
	}
	json_object_end(j);
}

void json_diagnosis(struct json *j, const struct report *r)
{
	json_array(j, "diagnosis");
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct finding *f = &r->findings[i];

		json_object(j, NULL);
		json_string(j, "code", f->code);
		json_string(j, "severity", severity_name(f->severity));
		if (f->share < 0)
			json_null(j, "share");
		else
			json_double(j, "share", f->share > 1 ? 1 : f->share);
		json_string(j, "summary", f->summary);
		json_evidence(j, f);
		json_string(j, "advice", f->advice);
		json_object_end(j);
	}
	json_array_end(j);
}
