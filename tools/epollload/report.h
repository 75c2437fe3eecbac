/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.h - the result of a run, for people or, with --json, for programs. */
#ifndef EPOLLLOAD_REPORT_H
#define EPOLLLOAD_REPORT_H

#include <stdio.h>

#include "config.h"
#include "counts.h"

void report(FILE *out, const struct config *cfg, const struct result *r);

#endif
