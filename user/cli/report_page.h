/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report_page.h - the sink of report --html: what the page needs beside the report. */
#ifndef EPOLLSCOPE_REPORT_PAGE_H
#define EPOLLSCOPE_REPORT_PAGE_H

#include "explain/waterfall.h"
#include "stream/sink.h"

struct report_page;

/*
 * Opens the file, so that a bad name is known before the watch. Has stacks sampled `hz` times a
 * second; finds them in `history`, which outlives the page. EXIT_OK, or an exit status whose line
 * is already printed; report_page_close() in any case.
 */
int report_page_open(struct report_page **out, const char *path, struct history *history,
		     uint32_t hz);

/* For the stream; valid until report_page_close(). NULL of NULL. */
const struct sink *report_page_sink(const struct report_page *t);

/* After the watch: how often stacks were taken, which a capture says of itself. */
void report_page_rate(struct report_page *t, uint32_t hz);

/* The code that most of the tail went by in, as hot_code(); "" if the stacks do not say. */
void report_page_code(struct report_page *t, const struct report *r, char *out, size_t size);

/*
 * Writes the page; once. `waterfalls` are of r->worst. EXIT_OK, or an exit status whose line is
 * already printed.
 */
int report_page_write(struct report_page *t, const struct report *r,
		      const struct waterfall *waterfalls);

/* A file that was not written and was not there before is removed. NULL is fine. */
void report_page_close(struct report_page *t);

#endif
