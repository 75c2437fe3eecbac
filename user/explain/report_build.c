/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_build.c - see report_build.h. */
#include <errno.h>
#include <stdlib.h>

#include "explain/finding.h"
#include "explain/report_build.h"

int report_build(struct report *r, const struct report_source *from)
{
	struct blame_sums sums;
	struct finding_input in = {
		.r = r, .b = &sums, .facts = from->facts, .threshold = from->threshold,
	};

	r->window_ns = from->window_ns;
	r->events = from->events;
	r->connections.listen_overflows = from->listen_overflows;
	r->findings = calloc(FINDINGS_MAX, sizeof(*r->findings));
	if (!r->findings || aggregate_report(from->aggregate, r))
		return -ENOMEM;
	if (blame_join(from->history, dist_tail_ns(&r->latency), &sums))
		return -ENOMEM;
	r->n_findings = diagnose(&in, r->findings, FINDINGS_MAX);
	return 0;
}
