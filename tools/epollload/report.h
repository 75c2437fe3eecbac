/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.h - the result of a run, for people and for programs. */
#ifndef EPOLLLOAD_REPORT_H
#define EPOLLLOAD_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "counts.h"

struct report {
	const struct config *cfg;
	const struct counts *counts;	/* of the whole run */
	uint64_t start_ns, end_ns;	/* clock times: first request due, no request left */
	double cpu_s;			/* processor time that we used */
};

/* Seconds of the run, requests a second sent and answered. */
struct speed {
	double seconds, sent, answered;
};

void report_speed(const struct report *r, struct speed *s);

void report_text(FILE *out, const struct report *r);
void report_json(FILE *out, const struct report *r);

#endif
